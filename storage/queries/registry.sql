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
INSERT INTO district (district_id, name_en, name_zh, fallback_unit)
VALUES (%(district_id)s, %(name_en)s, %(name_zh)s, %(fallback)s)
ON CONFLICT (district_id) DO UPDATE
SET name_en = excluded.name_en, name_zh = excluded.name_zh, fallback_unit = excluded.fallback_unit

-- name: save_device
-- A device of a registry file: new, or described anew under its old number.
INSERT INTO device (device_id, kind, name, district, grid, lon, lat, road, road_class, component_class, circuit,
                    cabinet, gateway, supervisor, owner, maintainer, limits, attributes, registered_at)
VALUES (%(device_id)s, %(kind)s, %(name)s, %(district)s, %(grid)s, %(lon)s, %(lat)s, %(road)s, %(road_class)s,
        %(component_class)s, %(circuit)s, %(cabinet)s, %(gateway)s, nullif(%(supervisor)s, ''), nullif(%(owner)s, ''),
        nullif(%(maintainer)s, ''), %(limits)s, %(attributes)s, %(at)s)
ON CONFLICT (device_id) DO UPDATE SET
    name = excluded.name, district = excluded.district, grid = excluded.grid, lon = excluded.lon, lat = excluded.lat,
    road = excluded.road, road_class = excluded.road_class, component_class = excluded.component_class,
    circuit = excluded.circuit, cabinet = excluded.cabinet, gateway = excluded.gateway,
    supervisor = excluded.supervisor, owner = excluded.owner, maintainer = excluded.maintainer,
    limits = excluded.limits, attributes = excluded.attributes

-- name: districts_in_use
-- Districts that have devices: they cannot leave the city file, or nobody would be responsible there.
SELECT DISTINCT district FROM device WHERE district <> ALL (%(districts)s::text[]) ORDER BY 1

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
-- Every registered device.
SELECT id, device_id, kind, name, district, grid, lon, lat, road, road_class, component_class, circuit, cabinet,
       gateway, coalesce(supervisor, '') AS supervisor, coalesce(owner, '') AS owner,
       coalesce(maintainer, '') AS maintainer, limits, attributes
FROM device ORDER BY id

-- name: load_device
-- One registered device.
SELECT id, device_id, kind, name, district, grid, lon, lat, road, road_class, component_class, circuit, cabinet,
       gateway, coalesce(supervisor, '') AS supervisor, coalesce(owner, '') AS owner,
       coalesce(maintainer, '') AS maintainer, limits, attributes
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
