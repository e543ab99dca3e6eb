-- name: city_clock
-- The city's time zone and the hours of its night, one row; before a city file is imported China's.
SELECT coalesce(max(document ->> 'timezone'), 'Asia/Shanghai') AS zone,
       coalesce(max(document #>> '{night,start}'), '22:00')::time AS night_start,
       coalesce(max(document #>> '{night,end}'), '06:00')::time AS night_end,
       greatest(now(), (SELECT max(last_ts) FROM device_status)) AS latest
FROM city

-- name: facility
-- What stands in the city and when it was last heard of; without anything that would let somebody connect.
SELECT device.id AS device, device.device_id, device.kind, device.name, device.district, district.name_en AS district_en,
       district.name_zh AS district_zh, device.grid, device.lon, device.lat, device.road, device.road_class,
       device.component_class, device.circuit, device.cabinet, device.gateway, device.supervisor, device.owner,
       device.maintainer, device.attributes, device.registered_at, status.last_ts, status.last_received_at
FROM device
JOIN district ON district.district_id = device.district
LEFT JOIN device_status AS status ON status.device = device.id

-- name: kind_limit_span
-- Limits of the kinds by word of the attribute that chooses: in force from valid_from to before valid_until.
SELECT kind, name, attribute, fallback, word, value, standard_ref, valid_from,
       lead(valid_from, 1, 'infinity') OVER (PARTITION BY kind, name, word ORDER BY valid_from) AS valid_until
FROM kind_limit

-- name: device_limit
-- Limits in force for each device: its own of the registry, else the kind's, by its attributes; from valid_from to
-- before valid_until, as moments from since to before until.
SELECT limits.*, limits.valid_from::timestamp AT TIME ZONE city_clock.zone AS since,
       limits.valid_until::timestamp AT TIME ZONE city_clock.zone AS until
FROM city_clock
CROSS JOIN (
    SELECT device, name, value, standard_ref, valid_from,
           lead(valid_from, 1, 'infinity') OVER (PARTITION BY device, name ORDER BY valid_from) AS valid_until
    FROM (
        SELECT device.id AS device, entry.key AS name,
               coalesce((part.value ->> 'valid_from')::date, '-infinity') AS valid_from,
               CASE jsonb_typeof(part.value) WHEN 'object' THEN part.value ->> 'value' ELSE part.value #>> '{}' END
                   ::double precision AS value,
               coalesce(part.value ->> 'standard_ref', 'registry') AS standard_ref
        FROM device
        CROSS JOIN jsonb_each(device.limits) AS entry (key, value)
        CROSS JOIN jsonb_array_elements(
            CASE jsonb_typeof(entry.value) WHEN 'array' THEN entry.value ELSE jsonb_build_array(entry.value) END
        ) AS part (value)
        WHERE device.limits <> '{}'
    ) AS own
    UNION ALL
    SELECT device.id, standard.name, standard.value, standard.standard_ref, standard.valid_from, standard.valid_until
    FROM device
    JOIN kind_limit_span AS standard ON standard.kind = device.kind
    WHERE NOT device.limits ? standard.name
      AND standard.word = CASE standard.attribute WHEN '' THEN ''
                          ELSE coalesce(device.attributes ->> standard.attribute, standard.fallback) END
) AS limits
