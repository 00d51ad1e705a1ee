-- The log, the feeds and what both came to. Tables from `document` on are derived: replaying log and feeds in
-- `apply_order` gives the same rows. Form is checked here, state never: accepted history may break the stock floor.

create table log_entry (
    seq integer primary key check (seq > 0),
    epoch integer not null check (epoch > 0),
    bytes blob not null,
    chain blob not null check (length(chain) = 32)
) strict;

create table lineage (
    epoch integer primary key check (epoch > 0),
    parent_epoch integer not null,
    parent_seq integer not null unique,
    parent_hash blob not null check (length(parent_hash) = 32)
) strict;

create table feed_entry (
    kind integer not null check (kind between 1 and 4),
    n integer not null check (n > 0),
    bytes blob not null,
    running blob not null check (length(running) = 32),
    primary key (kind, n)
) strict, without rowid;

create table feed_cursor (
    kind integer primary key check (kind between 1 and 4),
    n integer not null,
    running blob not null check (length(running) = 32)
) strict;

create table feed_head (
    kind integer primary key check (kind between 1 and 4),
    scope blob not null check (length(scope) = 16),
    n integer not null,
    running blob not null check (length(running) = 32),
    mac blob not null check (length(mac) = 16)
) strict;

-- Source 0 is the own log (n = seq), others are feed kinds (n = entry).
create table apply_order (
    ord integer primary key,
    source integer not null check (source between 0 and 4),
    n integer not null,
    unique (source, n)
) strict;

create table sync_state (
    id integer primary key check (id = 1),
    ack_epoch integer not null,
    ack_seq integer not null,
    ack_hash blob not null,
    applied integer not null,
    hlc integer not null
) strict;

create table signed_head (
    seq integer primary key,
    epoch integer not null,
    hash blob not null check (length(hash) = 32),
    stock blob not null check (length(stock) = 32),
    signature blob not null,
    countersignature blob
) strict;

-- Keys are sealed under the storage key of `secrets/`.
create table person_key (
    person blob not null check (length(person) = 16),
    generation integer not null,
    sealed blob not null,
    first_seq integer not null,
    created_here integer not null check (created_here in (0, 1)),
    primary key (person, generation)
) strict, without rowid;
create index person_key_first_seq on person_key (first_seq) where created_here = 1;

create table session (
    token_hash blob primary key check (length(token_hash) = 32),
    staff blob not null check (length(staff) = 16),
    page integer not null check (page in (0, 1)),
    created_at integer not null,
    used_at integer not null,
    expires_at integer not null
) strict, without rowid;

create table idempotency (
    key_hash blob primary key check (length(key_hash) = 32),
    route text not null,
    staff blob not null check (length(staff) = 16),
    body_hmac blob not null check (length(body_hmac) = 32),
    status integer not null,
    answer blob not null,
    created_at integer not null
) strict, without rowid;
create index idempotency_created_at on idempotency (created_at);

create table incident (
    id integer primary key,
    at integer not null,
    kind text not null,
    detail text not null
) strict;

create table document (
    id blob primary key check (length(id) = 16),
    kind integer not null,
    branch blob,
    version integer not null,
    heads blob not null,
    saved blob not null,
    origins blob not null,
    hash blob not null check (length(hash) = 32),
    unreadable text
) strict;
create index document_kind on document (kind, id);

create table conflict (
    id blob primary key check (length(id) = 16),
    document blob not null,
    path text not null,
    found text not null
) strict, without rowid;
create index conflict_document on conflict (document);

create table decision (
    id blob primary key check (length(id) = 16),
    kind text not null,
    subject blob not null,
    since integer not null
) strict, without rowid;

create table parked_item (
    node integer not null,
    epoch integer not null,
    seq integer not null,
    item integer not null,
    kind integer not null,
    document blob,
    reason text not null,
    primary key (node, epoch, seq, item)
) strict, without rowid;

create table repair_order (
    row integer primary key,
    id blob not null unique check (length(id) = 16),
    number text not null,
    branch blob not null,
    visit blob not null,
    customer blob,
    status text not null,
    outcome text,
    technician blob,
    urgent integer not null,
    promised_at integer,
    created_at integer not null,
    updated_at integer not null,
    source text,
    serial text not null,
    own_seq integer not null,
    view text not null
) strict;
create index repair_order_number on repair_order (number);
create index repair_order_status on repair_order (status, row);
create index repair_order_customer on repair_order (customer) where customer is not null;
create index repair_order_visit on repair_order (visit);
create index repair_order_serial on repair_order (serial) where serial <> '';
create index repair_order_updated on repair_order (updated_at);

create virtual table order_text using fts5 (words, tokenize = "unicode61 remove_diacritics 2");

create table import_record (
    source text primary key,
    repair_order blob not null,
    fingerprint blob not null check (length(fingerprint) = 32)
) strict, without rowid;

-- Personal values are sealed here as they are in the document.
create table customer (
    row integer primary key,
    id blob not null unique check (length(id) = 16),
    home blob not null,
    language text,
    merged_into blob,
    consent text not null,
    name blob,
    phone blob,
    email blob,
    address blob,
    note blob,
    created_at integer not null,
    updated_at integer not null,
    own_seq integer not null
) strict;

create table inventory_setting (
    document blob primary key check (length(document) = 16),
    branch blob not null,
    part blob not null,
    bin text,
    reorder_point integer,
    note text,
    barcodes text not null
) strict, without rowid;
create index inventory_setting_part on inventory_setting (part, branch);

create table movement (
    row integer primary key,
    id blob not null unique check (length(id) = 16),
    node integer not null,
    epoch integer not null,
    seq integer not null,
    item integer not null,
    branch blob not null,
    part blob not null,
    kind integer not null,
    quantity integer not null,
    from_account integer not null,
    to_account integer not null,
    subject blob not null,
    line blob not null,
    number integer not null,
    reason integer not null,
    text text not null,
    at integer not null,
    staff blob not null,
    superseded integer not null check (superseded in (0, 1)),
    balance_after integer not null
) strict;
create index movement_part on movement (part, row);
create index movement_business on movement (subject, line, kind, number) where subject <> x'00000000000000000000000000000000';
create index movement_position on movement (seq, node, epoch, item);

create table stock (
    part blob primary key check (length(part) = 16),
    on_hand integer not null,
    reserved integer not null,
    in_transit integer not null,
    movements integer not null,
    as_of integer not null
) strict, without rowid;

create table reservation (
    id blob primary key check (length(id) = 16),
    part blob not null,
    quantity integer not null,
    open integer not null check (open in (0, 1))
) strict, without rowid;
create index reservation_part on reservation (part) where open = 1;

create table transfer_record (
    row integer primary key,
    transfer blob not null check (length(transfer) = 16),
    kind integer not null,
    body blob not null,
    at integer not null,
    staff blob not null
) strict;
create index transfer_record_transfer on transfer_record (transfer, row);

create table transfer (
    row integer primary key,
    id blob not null unique check (length(id) = 16),
    from_branch blob not null,
    to_branch blob not null,
    state text not null,
    note text not null,
    view text not null,
    created_at integer not null,
    updated_at integer not null
) strict;
create index transfer_state on transfer (state, row);

create table branch (
    id blob primary key check (length(id) = 16),
    version integer not null,
    deleted integer not null check (deleted in (0, 1)),
    code text not null,
    fields text not null
) strict, without rowid;
create index branch_code on branch (code);

create table staff (
    id blob primary key check (length(id) = 16),
    version integer not null,
    deleted integer not null check (deleted in (0, 1)),
    username text not null,
    fields text not null
) strict, without rowid;
create index staff_username on staff (username);

create table credential (
    id blob primary key check (length(id) = 16),
    version integer not null,
    deleted integer not null check (deleted in (0, 1)),
    password_hash text not null
) strict, without rowid;

create table part (
    id blob primary key check (length(id) = 16),
    version integer not null,
    deleted integer not null check (deleted in (0, 1)),
    sku text not null,
    name text not null,
    fields text not null
) strict, without rowid;
create index part_sku on part (sku);

create table preset (
    id blob primary key check (length(id) = 16),
    version integer not null,
    deleted integer not null check (deleted in (0, 1)),
    fields text not null
) strict, without rowid;

create table company (
    id blob primary key check (length(id) = 16),
    version integer not null,
    deleted integer not null check (deleted in (0, 1)),
    fields text not null
) strict, without rowid;

create table availability (
    part blob not null check (length(part) = 16),
    branch blob not null check (length(branch) = 16),
    quantity integer not null,
    as_of integer not null,
    primary key (part, branch)
) strict, without rowid;

create table known_node (
    node integer primary key,
    branch blob,
    public_key blob,
    former integer,
    revoked text
) strict;

create table closed_line (
    node integer not null,
    epoch integer not null,
    seq integer not null,
    hash blob not null,
    primary key (node, epoch, seq)
) strict, without rowid;

create table erased_person (
    person blob primary key check (length(person) = 16)
) strict, without rowid;

create table verdict (
    row integer primary key,
    node integer not null,
    epoch integer not null,
    seq integer not null,
    item integer,
    verdict integer not null,
    reason text not null,
    at integer not null
) strict;

create table audit_note (
    row integer primary key,
    subject blob not null check (length(subject) = 16),
    text text not null,
    at integer not null,
    staff blob not null
) strict;
