-- Join codes: 160 random bits each, stored hashed, for one branch, used once, for 30 minutes (T-4).

create table sync.join_code (
    branch_id uuid not null,
    secret_hash bytea not null check (length(secret_hash) = 32),
    made_by uuid not null,
    made_ms bigint not null,
    expires_ms bigint not null,
    -- Set together, in the commit that issues the certificate; the same code with the same key gets the same
    -- certificate again while the code has not expired.
    used_ms bigint,
    node bigint,
    public_key bytea,
    certificate bytea,
    primary key (branch_id, secret_hash),
    check ((used_ms is null) = (node is null) and (used_ms is null) = (public_key is null)
        and (used_ms is null) = (certificate is null))
);
create index join_code_by_secret on sync.join_code (secret_hash);
