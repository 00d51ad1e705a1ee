-- The one box finds a device by the last signs of its serial; intake suggests kinds, brands and models that were here.
create index repair_order_serial_end on repair_order (upper(substr(serial, -4))) where serial <> '';
create index repair_order_device on repair_order (
    json_extract(view, '$.device.category') collate nocase, json_extract(view, '$.device.brand') collate nocase,
    json_extract(view, '$.device.model') collate nocase
);
