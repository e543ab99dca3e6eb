-- name: holds_nothing
-- Whether the database is still empty.
SELECT NOT EXISTS (SELECT FROM pg_tables WHERE schemaname = current_schema())

-- name: received_since
-- How many messages were received since the beginning of a minute.
SELECT coalesce(sum(received), 0)::bigint FROM ledger WHERE minute >= date_trunc('minute', %(since)s::timestamptz)

-- name: activations
-- Every time that an alarm was raised, and until when it was active; not those whose hush had ended.
SELECT event.alarm_id, alarm.rule_id, device.device_id, event.at, event.seen_at, event.hushed,
       (SELECT min(later.at) FROM alarm_event AS later
        WHERE later.alarm_id = event.alarm_id AND later.id > event.id AND later.event IN ('cleared', 'latched')) AS ended
FROM alarm_event AS event JOIN alarm ON alarm.id = event.alarm_id JOIN device ON device.id = alarm.device
WHERE event.event IN ('raised', 'repeated') AND NOT event.detail ? 'after'
ORDER BY event.id

-- name: dispatches
-- Every time that a unit was sent: what opened the case, from when until when it was open, its deadline.
SELECT dispatch_case.number, dispatch_case.rule_id, device.device_id, dispatch_case.opened_at, dispatch_case.closed_at,
       dispatch_case.fix_by, coalesce(dispatch_case.outcome, '') AS outcome
FROM dispatch_case JOIN device ON device.id = dispatch_case.device
ORDER BY dispatch_case.id
