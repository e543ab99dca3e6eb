-- name: ledger_totals
-- Everything received since the beginning, by fate.
SELECT coalesce(sum(received), 0)::bigint AS received, coalesce(sum(stored), 0)::bigint AS stored,
       coalesce(sum(duplicate), 0)::bigint AS duplicate, coalesce(sum(quarantined), 0)::bigint AS quarantined
FROM ledger

-- name: last_heard
-- The minute in which any device was last heard: by the key of the ledger, where a look at every device takes long.
SELECT max(minute) FROM ledger WHERE stored + duplicate > 0

-- name: readings_by_kind
-- Readings by kind, heard or found in quarantine, duplicates included, what gateways repeat not; seconds behind, but cheap.
SELECT kind, sum(readings)::bigint
FROM (
    SELECT device.kind, status.readings FROM device_status AS status JOIN device ON device.id = status.device
    UNION ALL
    SELECT split_part(topic, '/', 3), stored + duplicate FROM quarantine WHERE attempts > 0 AND stored + duplicate > 0
) AS counted (kind, readings)
GROUP BY 1

-- name: alarms_by_kind
-- Alarms by kind: active, all.
SELECT device.kind, count(*) FILTER (WHERE alarm.active), count(*)
FROM alarm JOIN device ON device.id = alarm.device GROUP BY 1

-- name: alarms_by_severity
-- Active alarms by severity.
SELECT severity, count(*) FROM alarm WHERE active GROUP BY 1

-- name: orphaned_alarms
-- Active alarms of rules that are not in force, by rule: how many, the first number, since when.
SELECT rule_id, count(*), min(id), min(raised_at) FROM alarm
WHERE active AND held IS NULL AND rule_id <> ALL (%(in_force)s::text[]) GROUP BY rule_id ORDER BY rule_id

-- name: cases_by_kind
-- Cases by kind: open, all.
SELECT device.kind, count(*) FILTER (WHERE dispatch_case.open), count(*)
FROM dispatch_case JOIN device ON device.id = dispatch_case.device GROUP BY 1

-- name: notifications_by_state
-- How far the outbox is.
SELECT state, count(*) FROM notification GROUP BY 1

-- name: waiting_work
-- News that dispatch has not taken up, and notifications not yet delivered.
SELECT (SELECT count(*) FROM alarm_event WHERE handled_at IS NULL)
     + (SELECT count(*) FROM notification WHERE state = 'pending')

-- name: stuck_news
-- Why news of alarms cannot become cases: the reason, how many alarms, since when.
SELECT stuck_because, count(DISTINCT alarm_id), min(stuck_since)
FROM alarm_event WHERE handled_at IS NULL AND stuck_since IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1

-- name: quarantine_by_code
-- Why messages are in quarantine.
SELECT code, count(*) FROM quarantine WHERE resolved_at IS NULL GROUP BY 1 ORDER BY 2 DESC

-- name: hushed_alarms
-- Alarms that are quiet, by why.
SELECT CASE WHEN permit IS NOT NULL THEN 'out_of_service' WHEN suppressed_by IS NOT NULL THEN 'suppressed'
       ELSE 'shelved' END, count(*), count(*) FILTER (WHERE active)
FROM alarm WHERE hushed GROUP BY 1 ORDER BY 1
