-- name: lock_open_alarms
-- The open alarms that a batch of transitions concerns; locked, because operators and other rules write them too.
SELECT id, rule_id, rule_version, device, severity, active, acknowledged,
       (extract(epoch FROM raised_at) * 1000000)::bigint,
       (extract(epoch FROM cleared_at) * 1000000)::bigint, occurrences
FROM alarm
WHERE (rule_id, device) IN (SELECT * FROM unnest(%(rule_ids)s::text[], %(devices)s::integer[]))
  AND (active OR NOT acknowledged)
FOR UPDATE

-- name: insert_alarms
-- Alarms that open.
INSERT INTO alarm (rule_id, rule_version, device, severity, active, acknowledged, raised_at, cleared_at, occurrences)
SELECT rule_id, rule_version, device, severity, active, acknowledged,
       to_timestamp(raised_at / 1e6), to_timestamp(cleared_at / 1e6), occurrences
FROM unnest(%(rule_ids)s::text[], %(rule_versions)s::text[], %(devices)s::integer[], %(severities)s::smallint[],
            %(actives)s::boolean[], %(acknowledgeds)s::boolean[], %(raised_ats)s::bigint[], %(cleared_ats)s::bigint[],
            %(occurrences)s::integer[])
    AS new (rule_id, rule_version, device, severity, active, acknowledged, raised_at, cleared_at, occurrences)
RETURNING id, rule_id, device

-- name: update_alarms
-- Alarms that change.
UPDATE alarm SET
    rule_version = new.rule_version, severity = new.severity, active = new.active, acknowledged = new.acknowledged,
    raised_at = to_timestamp(new.raised_at / 1e6), cleared_at = to_timestamp(new.cleared_at / 1e6),
    occurrences = new.occurrences
FROM unnest(%(ids)s::bigint[], %(rule_versions)s::text[], %(severities)s::smallint[], %(actives)s::boolean[],
            %(acknowledgeds)s::boolean[], %(raised_ats)s::bigint[], %(cleared_ats)s::bigint[],
            %(occurrences)s::integer[])
    AS new (id, rule_version, severity, active, acknowledged, raised_at, cleared_at, occurrences)
WHERE alarm.id = new.id

-- name: insert_alarm_events
-- The history; what dispatch has not yet taken up waits with handled_at empty.
INSERT INTO alarm_event (alarm_id, event, severity, at, seen_at, actor, detail)
SELECT alarm_id, event, severity, to_timestamp(at / 1e6), %(seen_at)s::timestamptz, %(actor)s, detail
FROM unnest(%(alarm_ids)s::bigint[], %(events)s::text[], %(severities)s::smallint[], %(ats)s::bigint[],
            %(details)s::jsonb[]) AS new (alarm_id, event, severity, at, detail)

-- name: wake_dispatch
-- A hint to the dispatcher, delivered on commit; it also looks by itself.
SELECT pg_notify('cityward_alarm', '')

-- name: heard
-- When every device was last heard of, for the watchdog.
SELECT device, (extract(epoch FROM last_received_at) * 1000000)::bigint, readings FROM device_status

-- name: active_silence_alarms
-- The watchdog's memory: how often each silent device had been heard when its alarm was raised.
SELECT alarm.rule_id, alarm.device, (
    SELECT (detail->>'readings')::bigint FROM alarm_event
    WHERE alarm_id = alarm.id AND event = 'raised' ORDER BY id DESC LIMIT 1)
FROM alarm WHERE active AND rule_id = ANY (%(rule_ids)s)

-- name: save_rule_error
-- A rule crashed and is benched.
INSERT INTO rule_error (rule_id, at, detail) VALUES (%(rule_id)s, %(at)s, %(detail)s)
