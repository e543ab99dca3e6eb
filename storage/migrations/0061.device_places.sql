-- Roads lie in one district and have one class: who plans a query over roads must not count every combination.
-- depends: 0053.console_address

CREATE STATISTICS device_places (ndistinct) ON kind, district, road_class, road FROM device;
ANALYZE device;
