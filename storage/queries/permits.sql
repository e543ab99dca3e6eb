-- name: grant
-- A work permit; its number.
INSERT INTO permit (kind, target, valid_from, valid_to, holder, reason, granted_at, granted_by)
VALUES (%(kind)s, %(target)s, %(valid_from)s, %(valid_to)s, %(holder)s, %(reason)s, %(at)s, %(actor)s)
RETURNING id

-- name: covered
-- How many registered devices a target means.
SELECT count(*) FROM device WHERE belongs(device, %(target)s)

-- name: revoke
-- The end of a permit before its time.
UPDATE permit SET revoked_at = %(at)s, revoked_by = %(actor)s, revoke_reason = %(reason)s
WHERE id = %(id)s AND revoked_at IS NULL AND valid_to > %(at)s
RETURNING id

-- name: list_permits
-- Permits with what they cover and hush, those that end first in front.
SELECT permit.id, permit.kind, permit.target, permit.valid_from, permit.valid_to, permit.holder, permit.reason,
       permit.granted_by, permit.revoked_at, permit.revoke_reason,
       (SELECT count(*) FROM device WHERE belongs(device, permit.target)) AS devices,
       (SELECT count(*) FROM alarm WHERE alarm.permit = permit.id) AS alarms
FROM permit
WHERE %(everything)s OR permit.revoked_at IS NULL AND permit.valid_to > %(now)s
ORDER BY permit.valid_to, permit.id

-- name: permit_spells
-- When which permits are in force over which devices, in microseconds since 1970 UTC; of the past as far as asked.
SELECT permit.kind, device.id, (extract(epoch FROM permit.valid_from) * 1000000)::bigint,
       (extract(epoch FROM least(permit.valid_to, permit.revoked_at)) * 1000000)::bigint
FROM permit JOIN device ON belongs(device, permit.target)
WHERE least(permit.valid_to, permit.revoked_at) > greatest(permit.valid_from, %(since)s)
ORDER BY permit.id

-- name: permits_over
-- Work permits of any kind over a facility at a moment.
SELECT permit.id, permit.kind, permit.holder, permit.reason, permit.valid_from,
       least(permit.valid_to, permit.revoked_at) AS valid_to
FROM permit JOIN device ON belongs(device, permit.target)
WHERE device.device_id = %(device_id)s
  AND permit.valid_from <= %(at)s AND least(permit.valid_to, permit.revoked_at) > %(at)s
ORDER BY permit.id
