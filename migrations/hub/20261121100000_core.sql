-- The hub's tables: eight modules, one schema each, no module's statements touch another's schema.
--
-- Tables that follow from the logs ("derived") are rebuilt by replaying the logs in the order of
-- sync.apply_order and must then be equal, so nothing in them comes from a clock or a sequence.
-- Tables that branches grow have branch_id first in primary key and unique constraints; ids come
-- from the application. node and epoch are unsigned numbers below 2^63 in bigint; *_ms are
-- milliseconds since 1970; hashes are 32 bytes.

create extension if not exists postgis;

create schema sync;
create schema orders;
create schema inventory;
create schema customers;
create schema locations;
create schema staff;
create schema audit;
create schema payments;

-- sync ---------------------------------------------------------------------------------------

-- One row. Every commit that adds to a log holds it, so the apply order is total.
create table sync.apply_head (
    id smallint primary key check (id = 1),
    next_ord bigint not null,
    hlc bigint not null
);
insert into sync.apply_head values (1, 1, 0);

create table sync.apply_order (
    ord bigint primary key,
    branch_id uuid not null,
    node bigint not null,
    epoch bigint not null,
    first_seq bigint not null,
    last_seq bigint not null,
    -- Set where the database itself refused the transaction's effects: it is kept whole, not applied.
    refusal text
);

create table sync.node (
    branch_id uuid not null,
    node bigint not null,
    public_key bytea not null,
    former bigint,
    enrolled_ms bigint not null,
    revoked_reason text,
    revoked_ms bigint,
    closed boolean not null default false,
    tip_epoch bigint not null default 0,
    tip_seq bigint not null default 0,
    tip_hash bytea not null,
    applied bigint not null default 0,
    -- Of sessions, not derived.
    session bigint not null default 0,
    last_contact_ms bigint,
    hello_tip_seq bigint not null default 0,
    version text not null default '',
    primary key (branch_id, node)
);
create index node_by_number on sync.node (node);

create table sync.lineage (
    branch_id uuid not null,
    node bigint not null,
    epoch bigint not null,
    parent_epoch bigint not null,
    parent_seq bigint not null,
    parent_hash bytea not null,
    primary key (branch_id, node, epoch)
);

-- Lines of node 0: one for each process and each failed commit.
create table sync.hub_line (
    epoch bigint primary key,
    tip_seq bigint not null,
    tip_hash bytea not null
);

create table sync.log_block (
    branch_id uuid not null,
    node bigint not null,
    epoch bigint not null,
    first_seq bigint not null,
    last_seq bigint not null,
    before bytea not null,
    after bytea not null,
    -- zstd of the block's bytes.
    bytes bytea not null,
    primary key (branch_id, node, epoch, first_seq)
);
alter table sync.log_block alter column bytes set storage external;

create table sync.document (
    branch_id uuid not null,
    document uuid not null,
    kind smallint not null,
    version bigint not null,
    heads bytea not null,
    hash bytea not null,
    origins bytea not null,
    saved bytea not null,
    created_ms bigint not null,
    updated_ms bigint not null,
    primary key (branch_id, document)
) with (fillfactor = 80, toast_tuple_target = 8160);
alter table sync.document alter column saved set storage external;
alter table sync.document alter column origins set storage external;
create index document_by_id on sync.document (document);

create table sync.interest (
    branch_id uuid not null,
    document uuid not null,
    kind smallint not null,
    primary key (branch_id, document)
);
create index interest_by_document on sync.interest (document);

-- feed = kind and scope, 17 bytes.
create table sync.feed (
    feed bytea primary key,
    n bigint not null,
    running bytea not null
);

create table sync.feed_entry (
    feed bytea not null,
    n bigint not null,
    running bytea not null,
    bytes bytea not null,
    primary key (feed, n)
) with (toast_tuple_target = 8160);
alter table sync.feed_entry alter column bytes set storage external;

create table sync.cursor (
    branch_id uuid not null,
    node bigint not null,
    feed_kind smallint not null,
    n bigint not null,
    check_bytes bytea not null,
    primary key (branch_id, node, feed_kind)
);

-- item -1 stands for all changes of the transaction, -2 for the whole transaction.
create table sync.parked (
    branch_id uuid not null,
    node bigint not null,
    epoch bigint not null,
    seq bigint not null,
    item integer not null,
    id uuid not null,
    kind integer not null,
    reason text not null,
    staff uuid not null,
    at_ms bigint not null,
    -- 1 parked, 2 released, 3 dropped.
    state smallint not null,
    primary key (branch_id, node, epoch, seq, item)
);

create table sync.idempotency (
    staff uuid not null,
    route text not null,
    key text not null,
    fingerprint bytea not null,
    status smallint not null,
    -- Sealed under the storage key.
    answer bytea not null,
    created_ms bigint not null,
    primary key (staff, route, key)
);

create table sync.incident (
    branch_id uuid not null,
    id uuid not null,
    at_ms bigint not null,
    kind text not null,
    detail text not null,
    primary key (branch_id, id)
);
create index incident_by_time on sync.incident (at_ms);

-- orders -------------------------------------------------------------------------------------

create table orders.repair_order (
    branch_id uuid not null,
    document uuid not null,
    number text not null,
    visit uuid not null,
    customer uuid,
    technician uuid,
    source text,
    status text not null,
    outcome text,
    urgent boolean not null,
    promised_ms bigint,
    conflicts integer not null,
    version bigint not null,
    created_ms bigint not null,
    updated_ms bigint not null,
    view jsonb not null,
    primary key (branch_id, document)
) with (toast_tuple_target = 8160);
alter table orders.repair_order alter column view set storage external;
create index repair_order_by_id on orders.repair_order (document);
create index repair_order_by_number on orders.repair_order (number);
create index repair_order_by_time on orders.repair_order (created_ms desc, document desc);

create table orders.import_record (
    branch_id uuid not null,
    source text not null,
    document uuid not null,
    fingerprint bytea not null,
    primary key (branch_id, source)
);

-- inventory ----------------------------------------------------------------------------------

create table inventory.movement (
    branch_id uuid not null,
    fact uuid not null,
    ord bigint not null,
    node bigint not null,
    epoch bigint not null,
    seq bigint not null,
    item integer not null,
    part uuid not null,
    kind smallint not null,
    quantity bigint not null,
    from_account smallint not null,
    to_account smallint not null,
    subject uuid not null,
    line uuid not null,
    number integer not null,
    reason integer not null,
    text text not null,
    staff uuid not null,
    at_ms bigint not null,
    -- Another fact with the same business key counts; this one moves nothing.
    superseded boolean not null,
    balance_after bigint not null,
    primary key (branch_id, fact)
);
create index movement_by_part on inventory.movement (branch_id, part, ord, seq, item);
create index movement_of_part on inventory.movement (part);

create table inventory.business_key (
    branch_id uuid not null,
    kind smallint not null,
    subject uuid not null,
    line uuid not null,
    number integer not null,
    fact uuid not null,
    primary key (branch_id, kind, subject, line, number)
);

create table inventory.stock (
    branch_id uuid not null,
    part uuid not null,
    on_hand bigint not null,
    reserved bigint not null,
    -- What this branch's own facts put into transit less what they took out; its sum over all
    -- branches is what is on the way.
    in_transit bigint not null,
    -- Movements by the branch's own log.
    movements bigint not null,
    negative_since_ms bigint,
    primary key (branch_id, part)
) with (fillfactor = 80);
create index stock_by_part on inventory.stock (part);

create table inventory.reservation (
    branch_id uuid not null,
    reservation uuid not null,
    part uuid not null,
    quantity bigint not null,
    is_open boolean not null,
    at_ms bigint not null,
    primary key (branch_id, reservation)
);

-- A transfer belongs to two branches, so its id comes first.
create table inventory.transfer (
    transfer uuid primary key,
    from_branch uuid not null,
    to_branch uuid not null,
    state text not null,
    created_ms bigint not null,
    updated_ms bigint not null
);
create index transfer_by_time on inventory.transfer (created_ms desc, transfer desc);

-- Every fact about a transfer; its state is the fold over them in this order.
create table inventory.transfer_record (
    transfer uuid not null,
    ord bigint not null,
    node bigint not null,
    epoch bigint not null,
    seq bigint not null,
    item integer not null,
    kind integer not null,
    body bytea not null,
    staff uuid not null,
    at_ms bigint not null,
    primary key (transfer, ord, node, epoch, seq, item)
);

create table inventory.setting (
    branch_id uuid not null,
    document uuid not null,
    part uuid not null,
    bin text,
    reorder_point bigint,
    note text,
    barcodes text[] not null,
    version bigint not null,
    updated_ms bigint not null,
    primary key (branch_id, document)
);
create index setting_by_part on inventory.setting (branch_id, part);

create table inventory.part (
    part uuid primary key,
    version bigint not null,
    deleted boolean not null,
    sku text not null,
    name text not null,
    category text not null,
    price_minor bigint not null,
    currency text not null,
    tax_bp integer not null,
    barcodes text[] not null,
    active boolean not null,
    updated_ms bigint not null
);
create index part_by_sku on inventory.part (sku);

create table inventory.preset (
    preset uuid primary key,
    version bigint not null,
    deleted boolean not null,
    fields jsonb not null,
    updated_ms bigint not null
);

create table inventory.availability (
    branch_id uuid not null,
    part uuid not null,
    quantity bigint not null,
    as_of_ms bigint not null,
    primary key (branch_id, part)
);

-- customers ----------------------------------------------------------------------------------

-- Personal values are sealed bytes here too.
create table customers.customer (
    branch_id uuid not null,
    document uuid not null,
    language text,
    merged_into uuid,
    consent jsonb not null,
    name bytea,
    phone bytea,
    email bytea,
    address bytea,
    note bytea,
    conflicts integer not null,
    version bigint not null,
    created_ms bigint not null,
    updated_ms bigint not null,
    primary key (branch_id, document)
);
create index customer_by_id on customers.customer (document);
create index customer_by_time on customers.customer (created_ms desc, document desc);

-- Not derived: keys never enter a log. branch_id is the branch that gave the key, zeros for the hub.
create table customers.person_key (
    branch_id uuid not null,
    person uuid not null,
    generation smallint not null,
    -- Sealed under the storage key of secrets/.
    sealed bytea not null,
    primary key (branch_id, person, generation)
);
create index person_key_by_person on customers.person_key (person);

create table customers.erased (
    person uuid primary key,
    at_ms bigint not null
);

-- locations ----------------------------------------------------------------------------------

create table locations.branch (
    branch uuid primary key,
    version bigint not null,
    deleted boolean not null,
    code text not null,
    name text not null,
    region text not null,
    address text not null,
    latitude_e7 integer,
    longitude_e7 integer,
    location geography(Point, 4326),
    time_zone text not null,
    currency text not null,
    capacity bigint not null,
    prices_include_tax boolean not null,
    active boolean not null,
    opening_hours text not null,
    created_ms bigint not null,
    updated_ms bigint not null
);
create index branch_by_location on locations.branch using gist (location);
create index branch_by_code on locations.branch (code);

-- The company's settings (id zeros) and a branch's own part of them.
create table locations.company (
    branch uuid primary key,
    version bigint not null,
    deleted boolean not null,
    fields jsonb not null,
    updated_ms bigint not null
);

-- staff --------------------------------------------------------------------------------------

create table staff.staff (
    staff uuid primary key,
    version bigint not null,
    deleted boolean not null,
    username text not null,
    name text not null,
    role text not null,
    -- Empty: all branches.
    branches uuid[] not null,
    active boolean not null,
    created_ms bigint not null,
    updated_ms bigint not null
);
create index staff_by_username on staff.staff (username);

create table staff.credential (
    staff uuid primary key,
    version bigint not null,
    deleted boolean not null,
    password_hash text not null,
    updated_ms bigint not null
);

create table staff.session (
    token_hash bytea primary key,
    staff uuid not null,
    -- 1 API token, 2 page.
    kind smallint not null,
    created_ms bigint not null,
    used_ms bigint not null,
    expires_ms bigint not null
);
create index session_by_staff on staff.session (staff);

-- audit --------------------------------------------------------------------------------------

create table audit.signed_head (
    branch_id uuid not null,
    node bigint not null,
    epoch bigint not null,
    seq bigint not null,
    hash bytea not null,
    stock bytea not null,
    signature bytea not null,
    countersignature bytea,
    seen_ms bigint not null,
    primary key (branch_id, node, epoch, seq)
);

create table audit.note (
    branch_id uuid not null,
    fact uuid not null,
    subject uuid not null,
    text text not null,
    staff uuid not null,
    at_ms bigint not null,
    primary key (branch_id, fact)
);

-- What people must look at. subject is a document, a part or a fact, as the kind says.
create table audit.exception (
    branch_id uuid not null,
    kind text not null,
    subject uuid not null,
    detail text not null,
    at_ms bigint not null,
    primary key (branch_id, kind, subject)
);
create index exception_by_time on audit.exception (at_ms);
