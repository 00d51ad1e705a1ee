-- The stock list stands by category, as the shelves do. What is on its way is few among many.
create index part_category on part (json_extract(fields, '$.category'), sku) where deleted = 0;
create index stock_in_transit on stock (part) where in_transit > 0;
