-- The board reads the first cards of each lane: urgent ones, then by promise, then the newest. One index gives that
-- order for all orders, one for a person's own, one finds what is overdue.
create index repair_order_lane on repair_order (status, urgent desc, ifnull(promised_at, 9223372036854775807), row desc);
create index repair_order_mine on repair_order (technician, status, urgent desc, ifnull(promised_at, 9223372036854775807), row desc)
    where technician is not null;
create index repair_order_promised on repair_order (status, promised_at) where promised_at is not null;
