-- Parts that are short are found by their settings, orders by branch and by customer.
create index setting_of_part on inventory.setting (part) where reorder_point is not null;
create index repair_order_of_branch on orders.repair_order (branch_id, created_ms desc, document desc);
create index repair_order_of_customer on orders.repair_order (customer) where customer is not null;
create index movement_of_part_by_time on inventory.movement (part, at_ms desc, fact desc);
create index customer_merged on customers.customer (merged_into) where merged_into is not null;
