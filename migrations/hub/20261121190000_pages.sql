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
