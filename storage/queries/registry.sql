-- name: save_city
-- The city file, whole.
INSERT INTO city (document, imported_at) VALUES (%(document)s, %(at)s)
ON CONFLICT (only_row) DO UPDATE SET document = excluded.document, imported_at = excluded.imported_at

-- name: load_city
-- The city file as imported.
SELECT document FROM city

-- name: save_unit
-- An organisation of the city file; one that left the file stays, because cases name it.
INSERT INTO unit (unit_id, name_en, name_zh, webhook)
VALUES (%(unit_id)s, %(name_en)s, %(name_zh)s, %(webhook)s)
ON CONFLICT (unit_id) DO UPDATE
SET name_en = excluded.name_en, name_zh = excluded.name_zh, webhook = excluded.webhook

-- name: save_district
-- A district of the city file.
INSERT INTO district (district_id, name_en, name_zh) VALUES (%(district_id)s, %(name_en)s, %(name_zh)s)
ON CONFLICT (district_id) DO UPDATE SET name_en = excluded.name_en, name_zh = excluded.name_zh

-- name: save_devices
-- Devices of a registry file: new, or described anew under their old numbers.
INSERT INTO device (device_id, kind, name, district, grid, lon, lat, road, road_class, component_class, circuit,
                    cabinet, gateway, supervisor, owner, maintainer, limits, limit_changes, attributes, registered_at)
SELECT device_id, kind, name, district, grid, lon, lat, road, road_class, component_class, circuit, cabinet, gateway,
       nullif(supervisor, ''), nullif(owner, ''), nullif(maintainer, ''), limits, limit_changes, attributes,
       %(at)s::timestamptz
FROM unnest(%(device_id)s::text[], %(kind)s::text[], %(name)s::text[], %(district)s::text[], %(grid)s::text[],
            %(lon)s::float8[], %(lat)s::float8[], %(road)s::text[], %(road_class)s::text[],
            %(component_class)s::text[], %(circuit)s::text[], %(cabinet)s::text[], %(gateway)s::text[],
            %(supervisor)s::text[], %(owner)s::text[], %(maintainer)s::text[], %(limits)s::jsonb[],
            %(limit_changes)s::jsonb[], %(attributes)s::jsonb[])
    AS described (device_id, kind, name, district, grid, lon, lat, road, road_class, component_class, circuit,
                  cabinet, gateway, supervisor, owner, maintainer, limits, limit_changes, attributes)
ON CONFLICT (device_id) DO UPDATE SET
    name = excluded.name, district = excluded.district, grid = excluded.grid, lon = excluded.lon, lat = excluded.lat,
    road = excluded.road, road_class = excluded.road_class, component_class = excluded.component_class,
    circuit = excluded.circuit, cabinet = excluded.cabinet, gateway = excluded.gateway,
    supervisor = excluded.supervisor, owner = excluded.owner, maintainer = excluded.maintainer,
    limits = excluded.limits, limit_changes = excluded.limit_changes, attributes = excluded.attributes

-- name: districts_in_use
-- Districts that have devices: they cannot leave the city file, or nobody would be responsible there.
SELECT DISTINCT district FROM device WHERE district <> ALL (%(districts)s::text[]) ORDER BY 1

-- name: units_with_open_cases
-- Units that have open cases: they cannot leave the city file, or nobody would do what is to be done.
SELECT unit, count(*) FROM dispatch_case WHERE open AND unit <> ALL (%(units)s::text[]) GROUP BY unit ORDER BY unit

-- name: devices_of_another_kind
-- A device cannot change its kind: its readings stand in the other kind's table.
SELECT device.device_id, device.kind
FROM device JOIN unnest(%(device_ids)s::text[], %(kinds)s::text[]) AS new (device_id, kind)
    ON new.device_id = device.device_id AND new.kind <> device.kind
ORDER BY 1

-- name: bump_revision
-- Collectors see the change within seconds.
UPDATE registry_revision SET revision = revision + 1

-- name: load_revision
-- Which snapshot this is.
SELECT revision FROM registry_revision

-- name: load_devices
-- The next registered devices: every column as one text, its cells separated by chr(30), of numbers by commas. What devices
-- have in common with others is one cell, its words separated by chr(31). What was learnt counts. Of fields that are not null only the devices
-- with these words.
SELECT string_agg(id::text, ','), string_agg(device_id, chr(30)), string_agg(name, chr(30)),
       string_agg(lon::text, ','), string_agg(lat::text, ','),
       string_agg(concat_ws(chr(31), kind, district, grid, road, road_class, component_class, circuit, cabinet,
                            gateway, coalesce(supervisor, ''), coalesce(owner, ''), coalesce(maintainer, ''),
                            limits::text, limit_changes::text, known_attributes::text), chr(30))
FROM (
    SELECT device.*, device.attributes || coalesce(learnt.attributes, '{}') AS known_attributes
    FROM device LEFT JOIN device_learnt AS learnt ON learnt.device = device.id
    WHERE device.id > %(after)s AND (%(device_id)s::text IS NULL OR device_id = %(device_id)s)
      AND (%(kind)s::text IS NULL OR kind = %(kind)s)
      AND (%(circuit)s::text IS NULL OR circuit = %(circuit)s) AND (%(cabinet)s::text IS NULL OR cabinet = %(cabinet)s)
      AND (%(gateway)s::text IS NULL OR gateway = %(gateway)s) AND (%(grid)s::text IS NULL OR grid = %(grid)s)
      AND (%(road)s::text IS NULL OR road = %(road)s) AND (%(road_class)s::text IS NULL OR road_class = %(road_class)s)
      AND (%(district)s::text IS NULL OR district = %(district)s)
    ORDER BY device.id LIMIT %(limit)s
) AS part

-- name: load_device
-- One registered device.
SELECT id, device_id, kind, name, district, grid, lon, lat, road, road_class, component_class, circuit, cabinet,
       gateway, coalesce(supervisor, '') AS supervisor, coalesce(owner, '') AS owner,
       coalesce(maintainer, '') AS maintainer, limits, limit_changes, attributes
FROM device WHERE device_id = %(device_id)s

-- name: lags
-- How far the time of each device's last new reading was behind its arrival.
SELECT device.device_id, status.lag
FROM device_status AS status JOIN device ON device.id = status.device
WHERE status.lag IS NOT NULL

-- name: also_sent
-- Keys that devices send and their kinds do not know.
SELECT device.device_id, status.also_sent
FROM device_status AS status JOIN device ON device.id = status.device
WHERE status.also_sent <> '{}' ORDER BY 1

-- name: city_grid
-- The time zone of the imported city, by its tz database name, and when its nights begin and end.
SELECT document ->> 'timezone', coalesce(document -> 'night' ->> 'start', '22:00')::time,
       coalesce(document -> 'night' ->> 'end', '06:00')::time
FROM city

-- name: compiles
-- Whether this database has been told not to compile queries: a row if it has.
SELECT 1 FROM pg_db_role_setting JOIN pg_database ON pg_database.oid = pg_db_role_setting.setdatabase
WHERE pg_database.datname = current_database() AND setrole = 0 AND 'jit=off' = ANY (setconfig)

-- name: forget_limits
-- Before the kinds' limits are written anew.
DELETE FROM kind_limit

-- name: write_limit
-- A limit as a kind describes it; an empty word where it does not depend on an attribute.
INSERT INTO kind_limit (kind, name, attribute, fallback, word, valid_from, value, standard_ref)
VALUES (%(kind)s, %(name)s, %(attribute)s, %(fallback)s, %(word)s, %(valid_from)s, %(value)s, %(standard_ref)s)
