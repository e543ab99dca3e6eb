-- name: lock_credentials
-- One at a time gives out passwords, so that none is given out twice; until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended('cityward credentials', 0))

-- name: load_hashes
-- What is kept of every password, by user.
SELECT device.device_id, credential.hash
FROM device_credential AS credential JOIN device ON device.id = credential.device
UNION ALL
SELECT username, hash FROM service_credential

-- name: save_device_hashes
-- New passwords of devices; the old ones are forgotten.
INSERT INTO device_credential (device, hash, created_at)
SELECT device.id, new.hash, %(at)s::timestamptz
FROM unnest(%(users)s::text[], %(hashes)s::text[]) AS new (device_id, hash) JOIN device USING (device_id)
ON CONFLICT (device) DO UPDATE SET hash = excluded.hash, created_at = excluded.created_at

-- name: save_service_hashes
-- New passwords of users that are no device; the old ones are forgotten.
INSERT INTO service_credential (username, hash, created_at)
SELECT new.username, new.hash, %(at)s::timestamptz
FROM unnest(%(users)s::text[], %(hashes)s::text[]) AS new (username, hash)
ON CONFLICT (username) DO UPDATE SET hash = excluded.hash, created_at = excluded.created_at
