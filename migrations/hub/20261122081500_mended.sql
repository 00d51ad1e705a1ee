-- What follows when entries of a log came back.

alter table reconciliation.run
    -- asked, running: the night is to be done once more, because a log that it found red was mended; otherwise empty
    add column redo text not null default '',
    -- when it was last done again for that
    add column redone_ms bigint;
create index run_redo on reconciliation.run (business_day, branch_id) where redo <> '';

alter table sync.parked
    -- the document of which a change was not here that the parked ones hang on; null for any other reason
    add column lacks_in uuid;
create index parked_lacking on sync.parked (lacks_in) where state = 1 and lacks_in is not null;
