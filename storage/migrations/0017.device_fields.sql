-- Every field of a device by which it can be meant.
-- depends: 0016.alarm_memories

CREATE OR REPLACE FUNCTION device_field(of_device device, field text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE field
        WHEN 'circuit' THEN of_device.circuit WHEN 'cabinet' THEN of_device.cabinet
        WHEN 'gateway' THEN of_device.gateway WHEN 'grid' THEN of_device.grid WHEN 'road' THEN of_device.road
        WHEN 'road_class' THEN of_device.road_class WHEN 'component_class' THEN of_device.component_class
        WHEN 'district' THEN of_device.district WHEN 'kind' THEN of_device.kind WHEN 'city' THEN 'all'
        ELSE of_device.attributes ->> field END
$$;
