-- The till of this branch: receipts, refunds, payments, cash sessions, and the money ledger that they come to. All of it
-- is made from the log and the feeds; nothing here refuses what the log says.

create table receipt (
    row integer primary key,
    id blob not null unique check (length(id) = 16),
    series integer not null,
    number integer not null,
    register integer not null,
    session blob,
    customer blob,
    currency text not null,
    gross integer not null,
    due integer not null,
    body blob not null,
    at integer not null,
    staff blob not null
) strict;
create index receipt_number on receipt (series, number);
create index receipt_session on receipt (session, row);
create index receipt_customer on receipt (customer, row) where customer is not null;

-- What a receipt, less its refunds, did for an order: what was invoiced, and deposits taken less used up.
create table order_money (
    repair_order blob not null check (length(repair_order) = 16),
    receipt blob not null check (length(receipt) = 16),
    invoiced integer not null,
    deposits integer not null,
    primary key (repair_order, receipt)
) strict, without rowid;

create table refund (
    row integer primary key,
    id blob not null unique check (length(id) = 16),
    receipt blob not null,
    series integer not null,
    number integer not null,
    session blob,
    currency text not null,
    amount integer not null,
    body blob not null,
    at integer not null,
    staff blob not null
) strict;
create index refund_receipt on refund (receipt, row);
create index refund_session on refund (session, row);

create table refund_asked (
    row integer primary key,
    id blob not null unique check (length(id) = 16),
    receipt blob not null,
    state text not null,
    reason text not null,
    body blob not null,
    at integer not null,
    staff blob not null
) strict;
create index refund_asked_state on refund_asked (state, row);

-- Records of a payment, folded into one row.
create table payment_record (
    row integer primary key,
    payment blob not null check (length(payment) = 16),
    kind integer not null,
    body blob not null,
    at integer not null,
    staff blob not null
) strict;
create index payment_record_payment on payment_record (payment, row);

create table payment (
    row integer primary key,
    id blob not null unique check (length(id) = 16),
    receipt blob,
    tender text not null,
    state text not null,
    currency text not null,
    asked integer not null,
    captured integer not null,
    view text not null,
    created_at integer not null,
    updated_at integer not null
) strict;
create index payment_state on payment (state, row);
create index payment_receipt on payment (receipt, row);

create table cash_session (
    row integer primary key,
    id blob not null unique check (length(id) = 16),
    register integer not null,
    currency text not null,
    float integer not null,
    opened_at integer not null,
    opened_by blob not null,
    closed_at integer,
    closed_by blob,
    series integer,
    number integer,
    hash blob,
    body blob
) strict;
create index cash_session_register on cash_session (register, row);
create index cash_session_number on cash_session (series, number) where number is not null;

create table cash_move (
    row integer primary key,
    session blob not null,
    number integer not null,
    direction text not null,
    amount integer not null,
    reason text not null,
    at integer not null,
    staff blob not null
) strict;
create index cash_move_session on cash_move (session, row);

-- Double entry: each row moves so much from one account to another; balances are their sums.
create table money_entry (
    row integer primary key,
    currency text not null,
    from_account integer not null,
    to_account integer not null,
    amount integer not null,
    subject blob not null,
    at integer not null
) strict;
create index money_entry_subject on money_entry (subject, row);

create table money_balance (
    currency text not null,
    account integer not null,
    balance integer not null,
    primary key (currency, account)
) strict, without rowid;

-- The highest number of each series of papers.
create table paper_series (
    kind integer not null,
    series integer not null,
    number integer not null,
    primary key (kind, series)
) strict, without rowid;

-- Goods that are kept for a payment for a while.
create table hold (
    row integer primary key,
    payment blob not null unique check (length(payment) = 16),
    repair_order blob not null check (length(repair_order) = 16),
    until integer not null,
    state text not null
) strict;
create index hold_state on hold (state, until);

create table day_closed (
    row integer primary key,
    business_day integer not null,
    feed integer not null,
    body blob not null,
    at integer not null
) strict;
create index day_closed_day on day_closed (business_day, row);

create table till_rules (
    id blob primary key check (length(id) = 16),
    version integer not null,
    deleted integer not null,
    fields text not null
) strict, without rowid;

create table account (
    id blob primary key check (length(id) = 16),
    version integer not null,
    deleted integer not null,
    fields text not null
) strict, without rowid;
