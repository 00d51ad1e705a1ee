-- What the page of the network counts, over a chain with many finished orders: those that are open, by branch and
-- status, without looking at the rows; those that were collected lately.

create index repair_order_open on orders.repair_order (branch_id, status, promised_ms)
    where status not in ('collected', 'cancelled');
create index repair_order_collected on orders.repair_order (updated_ms) where status = 'collected';
