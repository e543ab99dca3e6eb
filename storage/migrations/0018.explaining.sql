-- Finding what an alarm explains, and what explains it, without looking at every device.
-- depends: 0017.device_fields

CREATE INDEX device_gateway ON device (gateway) WHERE gateway <> '';
CREATE INDEX device_cabinet ON device (cabinet) WHERE cabinet <> '';
CREATE INDEX device_circuit ON device (circuit) WHERE circuit <> '';

CREATE FUNCTION device_group(of_device device, fields text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN strpos(fields, '/') = 0 THEN fields || ':' || device_field(of_device, fields)
        ELSE fields || ':' || (
            SELECT string_agg(device_field(of_device, field), '/' ORDER BY place)
            FROM unnest(string_to_array(fields, '/')) WITH ORDINALITY AS each (field, place))
        END || ':' || of_device.kind
$$;
COMMENT ON FUNCTION device_group IS 'The id of the group that a device is a member of: fields such as circuit or road/road_class.';
