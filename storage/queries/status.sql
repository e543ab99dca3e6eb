-- name: write_status
-- What was heard of devices. Two collectors never write the same device: it belongs to one partition. A live reading
-- arrives now, whatever an earlier clock said; a replay had arrived before. Texts go as binary: an array of a hundred
-- documents takes milliseconds to be quoted.
INSERT INTO device_status AS status (device, last_ts, last_received_at, readings, also_sent, lag, quality, latest,
                                     firmware)
SELECT device, to_timestamp(ts / 1e6), to_timestamp(received_at / 1e6), readings, string_to_array(also_sent, ' '),
       make_interval(secs => lag / 1e6), quality, latest::jsonb, coalesce(firmware, '')
FROM unnest(%(devices)s::integer[], %(ts)s::bigint[], %(received_at)s::bigint[], %(readings)s::bigint[],
            %(also_sent)b::text[], %(lags)s::bigint[], %(qualities)s::smallint[], %(latest)b::text[],
            %(firmware)b::text[])
    AS heard (device, ts, received_at, readings, also_sent, lag, quality, latest, firmware)
ON CONFLICT (device) DO UPDATE SET
    last_ts = greatest(status.last_ts, excluded.last_ts),
    last_received_at = CASE WHEN excluded.readings > 0 THEN excluded.last_received_at
                            ELSE greatest(status.last_received_at, excluded.last_received_at) END,
    readings = status.readings + excluded.readings,
    lag = coalesce(excluded.lag, status.lag),
    quality = coalesce(excluded.quality, status.quality),
    latest = status.latest || excluded.latest,
    firmware = CASE WHEN excluded.firmware = '' THEN status.firmware ELSE excluded.firmware END,
    also_sent = CASE WHEN excluded.also_sent <@ status.also_sent THEN status.also_sent
                     ELSE ARRAY(SELECT DISTINCT unnest(status.also_sent || excluded.also_sent) ORDER BY 1 LIMIT 50) END

-- name: write_connections
-- Whether devices are connected. Brokers deliver a retained status again and again: only a change is written, and
-- never one that is older than what is known.
INSERT INTO device_connection AS known (device, online, since)
SELECT device, online, to_timestamp(since / 1e6)
FROM unnest(%(devices)s::integer[], %(online)s::boolean[], %(since)s::bigint[]) AS told (device, online, since)
ON CONFLICT (device) DO UPDATE SET online = excluded.online, since = excluded.since
WHERE known.online <> excluded.online AND known.since <= excluded.since

-- name: numbers
-- The numbers of all registered devices.
SELECT id FROM device ORDER BY id

-- part: device_columns
-- A device and what is known of it.
SELECT device.device_id, device.kind, device.name, device.district, device.road, device.gateway, device.limits,
       status.last_ts, status.last_received_at, status.readings, status.lag, status.quality, status.latest,
       status.firmware, status.also_sent, connection.online, connection.since

-- part: device_news
-- When it was heard, and whether it is connected.
LEFT JOIN device_status AS status ON status.device = device.id
LEFT JOIN device_connection AS connection ON connection.device = device.id

-- name: one_status
-- What is known of one device.
-- with device_columns
FROM device
-- with device_news
WHERE device.device_id = %(device_id)s

-- name: status_page
-- Devices in the order of their ids, from where the page before ended; null filters mean all.
-- with device_columns
FROM device
-- with device_news
WHERE device.kind = ANY (%(kinds)s::text[])
  AND (%(district)s::text IS NULL OR device.district = %(district)s)
  AND (%(silent_since)s::timestamptz IS NULL OR status.last_received_at IS NULL
       OR status.last_received_at < %(silent_since)s)
  AND (%(after)s::text IS NULL OR device.device_id > %(after)s)
ORDER BY device.device_id
LIMIT %(limit)s

-- name: statuses
-- Devices and what is known of them, those never heard first, then the longest silent; null filters mean all. Silent is
-- who was not heard for longer than its kind allows.
-- with device_columns
FROM device
JOIN unnest(%(kinds)s::text[], %(heartbeats)s::interval[]) AS installed (kind, heartbeat) USING (kind)
-- with device_news
WHERE (%(district)s::text IS NULL OR device.district = %(district)s)
  AND (NOT %(silent)s OR status.last_received_at IS NULL
       OR status.last_received_at < %(now)s::timestamptz - installed.heartbeat)
  AND (NOT %(on_battery)s OR status.latest ?| ARRAY['battery_pct', 'battery_v'])
ORDER BY status.last_received_at NULLS FIRST, device.device_id
