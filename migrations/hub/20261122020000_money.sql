-- Money: what the tills wrote, what providers said, the ledger that both come to; outside calls that wait; the night.

-- payments -----------------------------------------------------------------------------------

create table payments.receipt (
    branch_id uuid not null,
    receipt uuid not null,
    ord bigint not null,
    node bigint not null,
    epoch bigint not null,
    seq bigint not null,
    series smallint not null,
    number bigint not null,
    register integer not null,
    session uuid,
    customer uuid,
    currency text not null,
    net_minor bigint not null,
    tax_minor bigint not null,
    gross_minor bigint not null,
    due_minor bigint not null,
    body bytea not null,
    business_day integer not null,
    staff uuid not null,
    at_ms bigint not null,
    primary key (branch_id, receipt)
);
create index receipt_by_id on payments.receipt (receipt);
create index receipt_by_time on payments.receipt (at_ms desc, receipt desc);
create index receipt_by_session on payments.receipt (branch_id, session);

create table payments.refund (
    branch_id uuid not null,
    refund uuid not null,
    receipt uuid not null,
    ord bigint not null,
    series smallint not null,
    number bigint not null,
    session uuid,
    currency text not null,
    amount_minor bigint not null,
    body bytea not null,
    business_day integer not null,
    staff uuid not null,
    at_ms bigint not null,
    primary key (branch_id, refund)
);
create index refund_of_receipt on payments.refund (receipt, ord);
create index refund_by_time on payments.refund (at_ms desc, refund desc);

create table payments.refund_asked (
    branch_id uuid not null,
    refund uuid not null,
    receipt uuid not null,
    currency text not null,
    amount_minor bigint not null,
    -- asked, approved, refused, done
    state text not null,
    reason text not null,
    decided_by uuid,
    body bytea not null,
    staff uuid not null,
    at_ms bigint not null,
    primary key (branch_id, refund)
);
create index refund_asked_by_id on payments.refund_asked (refund);

-- Every number that a paper has; a gap or a double is for the night to find.
create table payments.paper (
    branch_id uuid not null,
    kind smallint not null,
    series smallint not null,
    number bigint not null,
    subject uuid not null,
    at_ms bigint not null,
    primary key (branch_id, kind, series, number, subject)
);

-- What receipts, less their refunds, did for an order.
create table payments.order_money (
    branch_id uuid not null,
    repair_order uuid not null,
    paper uuid not null,
    invoiced_minor bigint not null,
    deposits_minor bigint not null,
    primary key (branch_id, repair_order, paper)
);

-- Records of a payment; where it stands is the fold over them.
create table payments.record (
    branch_id uuid not null,
    payment uuid not null,
    ord bigint not null,
    node bigint not null,
    epoch bigint not null,
    seq bigint not null,
    item integer not null,
    n integer not null,
    kind integer not null,
    body bytea not null,
    staff uuid not null,
    at_ms bigint not null,
    primary key (branch_id, payment, ord, node, epoch, seq, item, n)
);
create index record_of_payment on payments.record (payment, ord, seq, item, n);

create table payments.payment (
    branch_id uuid not null,
    payment uuid not null,
    receipt uuid,
    tender text not null,
    way text,
    state text not null,
    currency text not null,
    asked_minor bigint not null,
    captured_minor bigint not null,
    repay_asked_minor bigint not null,
    repaid_minor bigint not null,
    called_off boolean not null,
    reference text not null,
    detail text not null,
    created_ms bigint not null,
    updated_ms bigint not null,
    primary key (branch_id, payment)
);
create index payment_by_id on payments.payment (payment);
create index payment_by_time on payments.payment (created_ms desc, payment desc);
create index payment_open on payments.payment (branch_id, tender) where state in ('queued', 'processing', 'declined');

create table payments.session (
    branch_id uuid not null,
    session uuid not null,
    register integer not null,
    currency text not null,
    float_minor bigint not null,
    opened_ms bigint not null,
    opened_by uuid not null,
    closed_ms bigint,
    closed_by uuid,
    closed_day integer,
    series smallint,
    number bigint,
    expected_minor bigint,
    counted_minor bigint,
    reason text,
    hash bytea,
    body bytea,
    primary key (branch_id, session)
);
create index session_by_number on payments.session (branch_id, series, number);

create table payments.cash_move (
    branch_id uuid not null,
    session uuid not null,
    ord bigint not null,
    seq bigint not null,
    item integer not null,
    number bigint not null,
    direction text not null,
    amount_minor bigint not null,
    reason text not null,
    staff uuid not null,
    at_ms bigint not null,
    primary key (branch_id, session, ord, seq, item)
);

-- Double entry: each row moves so much from one account to another; balances are their sums.
create table payments.entry (
    branch_id uuid not null,
    ord bigint not null,
    node bigint not null,
    epoch bigint not null,
    seq bigint not null,
    item integer not null,
    n integer not null,
    currency text not null,
    from_account smallint not null,
    to_account smallint not null,
    amount_minor bigint not null,
    subject uuid not null,
    business_day integer not null,
    at_ms bigint not null,
    primary key (branch_id, ord, node, epoch, seq, item, n)
);
create index entry_by_day on payments.entry (branch_id, business_day);
create index entry_by_subject on payments.entry (branch_id, subject);

create table payments.balance (
    branch_id uuid not null,
    currency text not null,
    account smallint not null,
    balance_minor bigint not null,
    primary key (branch_id, currency, account)
) with (fillfactor = 80);

-- Lines of providers' statements belong to the chain; a line is taken once.
create table payments.settlement (
    provider text not null,
    reference text not null,
    kind text not null,
    branch uuid not null,
    payment uuid,
    repayment uuid,
    payout text not null,
    amount_minor bigint not null,
    fee_minor bigint not null,
    currency text not null,
    settled_ms bigint not null,
    taken_ms bigint not null,
    matched uuid,
    match_reason text not null,
    primary key (provider, reference)
);
create index settlement_of_payment on payments.settlement (payment);
create index settlement_by_time on payments.settlement (settled_ms desc, reference desc);

create table payments.correction (
    branch_id uuid not null,
    correction uuid not null,
    from_account smallint not null,
    to_account smallint not null,
    amount_minor bigint not null,
    currency text not null,
    undoes uuid,
    reason text not null,
    staff uuid not null,
    at_ms bigint not null,
    primary key (branch_id, correction)
);

create table payments.hold (
    branch_id uuid not null,
    payment uuid not null,
    repair_order uuid not null,
    until_ms bigint not null,
    state text not null,
    primary key (branch_id, payment)
);

-- Rules of the tills; zeros are for all branches that have none of their own.
create table payments.till_rules (
    branch uuid primary key,
    version bigint not null,
    deleted boolean not null,
    fields jsonb not null,
    updated_ms bigint not null
);

create table payments.account (
    customer uuid primary key,
    version bigint not null,
    deleted boolean not null,
    limit_minor bigint not null,
    due_days integer not null,
    updated_ms bigint not null
);

-- outside effects ----------------------------------------------------------------------------

create table sync.outbox (
    branch_id uuid not null,
    node bigint not null,
    epoch bigint not null,
    seq bigint not null,
    item integer not null,
    n integer not null,
    kind text not null,
    subject uuid not null,
    payment uuid not null,
    -- waiting, done, dead
    state text not null,
    tries integer not null,
    attempt integer not null,
    due_ms bigint not null,
    lease_until_ms bigint not null,
    last_error text not null,
    created_ms bigint not null,
    updated_ms bigint not null,
    primary key (branch_id, node, epoch, seq, item, n)
);
create index outbox_due on sync.outbox (due_ms) where state = 'waiting';
create index outbox_of_payment on sync.outbox (payment);
create index outbox_dead on sync.outbox (updated_ms desc) where state = 'dead';

-- Events of providers that were taken, so that each is taken once.
create table payments.provider_event (
    provider text not null,
    event text not null,
    at_ms bigint not null,
    primary key (provider, event)
);

-- reconciliation -----------------------------------------------------------------------------

create schema reconciliation;

-- A branch's own word at the end of a business day; the newest of a day counts.
create table reconciliation.day_closed (
    branch_id uuid not null,
    business_day integer not null,
    ord bigint not null,
    node bigint not null,
    epoch bigint not null,
    seq bigint not null,
    item integer not null,
    body bytea not null,
    at_ms bigint not null,
    primary key (branch_id, business_day, ord, node, epoch, seq, item)
);

-- What the hub had when it took that word, in the same commit.
create table reconciliation.held_against (
    branch_id uuid not null,
    node bigint not null,
    epoch bigint not null,
    seq bigint not null,
    documents bigint not null,
    documents_digest bytea not null,
    feed_head bigint not null,
    -- By the hub's clock.
    taken_ms bigint not null,
    primary key (branch_id, node, epoch, seq)
);

create table reconciliation.sign_off (
    branch_id uuid not null,
    business_day integer not null,
    ord bigint not null,
    seq bigint not null,
    item integer not null,
    signed boolean not null,
    reason text not null,
    staff uuid not null,
    at_ms bigint not null,
    primary key (branch_id, business_day, ord, seq, item)
);

-- A night of a branch: when it was done, and what it came to.
create table reconciliation.run (
    branch_id uuid not null,
    business_day integer not null,
    -- waiting, running, done, unreconciled
    state text not null,
    outcome text not null,
    position_seq bigint not null,
    started_ms bigint not null,
    finished_ms bigint,
    rounds integer not null,
    primary key (branch_id, business_day)
);
create index run_by_day on reconciliation.run (business_day desc);

-- Whose row is locked is being done; the row says nothing else.
create table reconciliation.turn (
    branch_id uuid not null,
    business_day integer not null,
    primary key (branch_id, business_day)
);

create table reconciliation.result (
    branch_id uuid not null,
    business_day integer not null,
    name text not null,
    state text not null,
    figures jsonb not null,
    -- How many records there are behind it; the first of them stand in reconciliation.record.
    found bigint not null,
    at_ms bigint not null,
    primary key (branch_id, business_day, name)
);

create table reconciliation.record (
    branch_id uuid not null,
    business_day integer not null,
    name text not null,
    n integer not null,
    state text not null,
    kind text not null,
    subject text not null,
    detail text not null,
    amount_minor bigint,
    currency text not null,
    primary key (branch_id, business_day, name, n)
);

-- What a night looks for, of one branch each.
create index refund_of_session on payments.refund (branch_id, session);
create index settlement_of_branch on payments.settlement (branch, settled_ms);
create index settlement_matched on payments.settlement (matched);
create index transfer_open on inventory.transfer (from_branch) where state in ('shipped', 'received_short', 'disputed');
create index movement_in_transit on inventory.movement (branch_id, subject) where from_account = 2 or to_account = 2;
create index repair_order_collected_of_branch on orders.repair_order (branch_id, updated_ms) where status = 'collected';
create index receipt_of_day on payments.receipt (branch_id, business_day);
create index receipt_of_branch on payments.receipt (branch_id, at_ms);
create index refund_of_day on payments.refund (branch_id, business_day);
