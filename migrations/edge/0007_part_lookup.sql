-- A scanned or typed barcode leads to its part by one step: those that the branch set itself (own = 1, owner is the
-- settings' document) go before the catalogue's (own = 0, owner is the part).
create table barcode (
    code text not null,
    own integer not null check (own in (0, 1)),
    owner blob not null check (length(owner) = 16),
    primary key (code, own, owner)
) strict, without rowid;
create index barcode_owner on barcode (owner);
insert or ignore into barcode (code, own, owner)
    select each.value, 1, document from inventory_setting, json_each(barcodes) each;
insert or ignore into barcode (code, own, owner)
    select each.value, 0, part.id from part, json_each(part.fields, '$.barcodes') each where part.deleted = 0;

-- Who types a piece of a sku or of a name walks this narrow index, in the order of the list, and no row of a part that
-- does not fit.
create index part_words on part (sku, lower(sku) || char(10) || lower(name)) where deleted = 0;
