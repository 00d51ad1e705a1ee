-- What stands at the head of each entry of the own log, beside the entries, which are large: what waits for the hub is
-- counted and dated by it without reading any of them. `nth` counts the entries of the command up to this one,
-- `bytes_to` the bytes of the whole log up to here, so that two rows give what lies between them. Derived from the log;
-- the program fills it when it opens a database that was written without it.
create table log_header (
    seq integer primary key check (seq > 0),
    command integer not null,
    at integer not null,
    nth integer not null,
    bytes_to integer not null
) strict;
create index log_header_command on log_header (command, seq);
