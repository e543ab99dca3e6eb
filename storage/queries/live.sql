-- name: ledger_totals
-- Everything received since the beginning, by fate.
SELECT coalesce(sum(received), 0)::bigint AS received, coalesce(sum(stored), 0)::bigint AS stored,
       coalesce(sum(duplicate), 0)::bigint AS duplicate, coalesce(sum(quarantined), 0)::bigint AS quarantined
FROM ledger

-- name: readings_by_kind
-- Readings heard by kind, duplicates included; seconds behind, but cheap.
SELECT device.kind, sum(status.readings)::bigint
FROM device_status AS status JOIN device ON device.id = status.device GROUP BY 1

-- name: alarms_by_kind
-- Alarms by kind: active, all.
SELECT device.kind, count(*) FILTER (WHERE alarm.active), count(*)
FROM alarm JOIN device ON device.id = alarm.device GROUP BY 1

-- name: alarms_by_severity
-- Active alarms by severity.
SELECT severity, count(*) FROM alarm WHERE active GROUP BY 1

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

-- name: quarantine_by_code
-- Why messages went to quarantine.
SELECT code, count(*) FROM quarantine GROUP BY 1 ORDER BY 2 DESC
