-- Who looks into what people must look at (not derived: nobody's log carries it), and the hub's notes about one thing.

create table audit.exception_owner (
    branch_id uuid not null,
    kind text not null,
    subject uuid not null,
    staff uuid not null,
    since_ms bigint not null,
    primary key (branch_id, kind, subject)
);

create index note_by_subject on audit.note (subject, at_ms desc);

-- What search looks for in orders, in one small row for each, so that it does not read the orders themselves. With
-- pg_trgm, where the server has it, any part of a word is found by an index.
create table orders.find_text (
    branch_id uuid not null,
    document uuid not null,
    text text not null,
    primary key (branch_id, document)
);
insert into orders.find_text
    select branch_id, document, lower(concat_ws(' ', number, coalesce(view -> 'device' ->> 'serial', ''),
        coalesce(view -> 'device' ->> 'category', ''), coalesce(view -> 'device' ->> 'brand', ''),
        coalesce(view -> 'device' ->> 'model', ''), coalesce(view -> 'device' ->> 'fault', '')))
    from orders.repair_order;
do $$
begin
    create extension if not exists pg_trgm;
    create index find_text_trigrams on orders.find_text using gin (text gin_trgm_ops);
exception when others then
    raise notice 'search works without pg_trgm: %', sqlerrm;
end
$$;
