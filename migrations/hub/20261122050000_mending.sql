-- Machines whose log is looked through from its end, and asked again for what the hub lost of it. A row is an order that
-- is being carried out, or that could not be.
create table sync.mending (
    branch_id uuid not null,
    node bigint not null,
    ordered_ms bigint not null,
    -- zeros: a night
    ordered_by uuid not null,
    -- waiting, refused
    state text not null,
    -- transactions that came back so far
    put_back bigint not null,
    -- why no more came
    detail text not null,
    primary key (branch_id, node)
);
create index mending_waiting on sync.mending (node) where state = 'waiting';
