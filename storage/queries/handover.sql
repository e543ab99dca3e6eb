-- name: hand_over
-- A note at the end of a shift, with how the desk stood.
INSERT INTO handover (at, since, actor, note, totals) VALUES (%(at)s, %(since)s, %(actor)s, %(note)s, %(totals)s)

-- name: handovers
-- The latest hand-overs, the newest first.
SELECT at, since, actor, note, totals FROM handover ORDER BY at DESC, id DESC LIMIT %(limit)s

-- name: shelved_alarms
-- Alarms on the shelf with who put them there and why, those that come off first in front.
SELECT alarm.id, alarm.rule_id, device.device_id, device.name, device.road, device.district, alarm.severity, alarm.active,
       alarm.shelved_until, alarm.shelved_once, coalesce(event.actor, '') AS actor,
       coalesce(event.detail ->> 'because', '') AS because
FROM alarm
JOIN device ON device.id = alarm.device
LEFT JOIN LATERAL (
    SELECT actor, detail FROM alarm_event
    WHERE alarm_event.alarm_id = alarm.id AND alarm_event.event = 'shelved' ORDER BY alarm_event.id DESC LIMIT 1
) AS event ON true
WHERE alarm.hushed AND alarm.shelved_until IS NOT NULL
ORDER BY alarm.shelved_until, alarm.id LIMIT %(limit)s

-- name: since_then
-- What has happened since a moment: cases opened, closed and reopened, alarms announced.
SELECT (SELECT count(*) FROM dispatch_case WHERE opened_at >= %(since)s) AS opened,
       (SELECT count(*) FROM dispatch_case WHERE closed_at >= %(since)s) AS closed,
       (SELECT count(*) FROM alarm_event WHERE event = 'raised' AND NOT hushed AND seen_at >= %(since)s) AS announced
