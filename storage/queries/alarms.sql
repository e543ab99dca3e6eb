-- part: alarm_memory
-- An alarm as alarms.story.Alarm has it; times in microseconds since 1970 UTC.
SELECT id, rule_id, rule_version, device, severity, active, acknowledged,
       (extract(epoch FROM raised_at) * 1000000)::bigint, (extract(epoch FROM cleared_at) * 1000000)::bigint,
       occurrences, held, (extract(epoch FROM chattering_since) * 1000000)::bigint, chatter,
       (extract(epoch FROM shelved_until) * 1000000)::bigint, shelved_once, suppressed_by, permit

-- name: lock_open_alarms
-- The open alarms that a batch of transitions concerns; locked, because operators and other rules write them too.
-- with alarm_memory
FROM alarm
WHERE (rule_id, device) IN (SELECT * FROM unnest(%(rule_ids)s::text[], %(devices)s::integer[]))
  AND (active OR NOT acknowledged OR num_nonnulls(shelved_until, suppressed_by, permit) > 0)
ORDER BY id
FOR UPDATE

-- name: lock_alarms
-- Alarms by number, open or not, locked.
-- with alarm_memory
FROM alarm WHERE id = ANY (%(ids)s::bigint[]) ORDER BY id FOR UPDATE

-- name: recent_activations
-- When alarms of these rules and devices were raised lately; not those whose hush had ended.
SELECT alarm.rule_id, alarm.device, (extract(epoch FROM event.at) * 1000000)::bigint
FROM alarm JOIN alarm_event AS event ON event.alarm_id = alarm.id
WHERE (alarm.rule_id, alarm.device) IN (SELECT * FROM unnest(%(rule_ids)s::text[], %(devices)s::integer[]))
  AND alarm.raised_at > to_timestamp(%(since)s / 1e6) AND event.at > to_timestamp(%(since)s / 1e6)
  AND event.event = 'raised' AND NOT event.detail ? 'after'
ORDER BY event.id

-- name: latching
-- Which of these versions of rules latch their alarms.
SELECT rule_id, version FROM rule_text
WHERE latch AND (rule_id, version) IN (SELECT * FROM unnest(%(rule_ids)s::text[], %(versions)s::text[]))

-- name: load_policy
-- What the city file says about alarms.
SELECT coalesce(document->'alarms', '{}') FROM city

-- name: insert_alarms
-- Alarms that open.
INSERT INTO alarm (rule_id, rule_version, device, severity, active, acknowledged, raised_at, cleared_at, occurrences,
                   held, chattering_since, chatter, shelved_until, shelved_once, suppressed_by, permit)
SELECT rule_id, rule_version, device, severity, active, acknowledged, to_timestamp(raised_at / 1e6),
       to_timestamp(cleared_at / 1e6), occurrences, held, to_timestamp(chattering_since / 1e6), chatter,
       to_timestamp(shelved_until / 1e6), shelved_once, suppressed_by, permit
FROM jsonb_to_recordset(%(alarms)s) AS new (
    rule_id text, rule_version text, device integer, severity smallint, active boolean, acknowledged boolean,
    raised_at bigint, cleared_at bigint, occurrences integer, held text, chattering_since bigint, chatter integer,
    shelved_until bigint, shelved_once boolean, suppressed_by bigint, permit bigint)
RETURNING id, rule_id, device

-- name: update_alarms
-- Alarms that change.
UPDATE alarm SET
    rule_version = new.rule_version, severity = new.severity, active = new.active, acknowledged = new.acknowledged,
    raised_at = to_timestamp(new.raised_at / 1e6), cleared_at = to_timestamp(new.cleared_at / 1e6),
    occurrences = new.occurrences, held = new.held, chattering_since = to_timestamp(new.chattering_since / 1e6),
    chatter = new.chatter, shelved_until = to_timestamp(new.shelved_until / 1e6), shelved_once = new.shelved_once,
    suppressed_by = new.suppressed_by, permit = new.permit
FROM jsonb_to_recordset(%(alarms)s) AS new (
    id bigint, rule_version text, severity smallint, active boolean, acknowledged boolean,
    raised_at bigint, cleared_at bigint, occurrences integer, held text, chattering_since bigint, chatter integer,
    shelved_until bigint, shelved_once boolean, suppressed_by bigint, permit bigint)
WHERE alarm.id = new.id

-- name: insert_alarm_events
-- The history; what dispatch has yet to take up waits with handled_at empty.
INSERT INTO alarm_event (alarm_id, event, severity, at, seen_at, actor, detail, hushed, handled_at)
SELECT alarm_id, event, severity, to_timestamp(at / 1e6), %(seen_at)s::timestamptz, %(actor)s, detail, hushed,
       CASE WHEN news THEN NULL ELSE %(seen_at)s::timestamptz END
FROM unnest(%(alarm_ids)s::bigint[], %(events)s::text[], %(severities)s::smallint[], %(ats)s::bigint[],
            %(details)s::jsonb[], %(hushed)s::boolean[], %(news)s::boolean[])
    AS new (alarm_id, event, severity, at, detail, hushed, news)

-- name: wake_dispatch
-- A hint to the dispatcher, delivered on commit; it also looks by itself.
SELECT pg_notify('cityward_alarm', '')

-- name: rest_dispatch
-- Until when the dispatcher has done its work, for those who wait for it.
SELECT pg_notify('cityward_rest', %(at)s::bigint::text)

-- name: heard
-- When these devices were last heard of, for the watchdog: each column as one text.
SELECT string_agg(device::text, ','), string_agg((extract(epoch FROM last_received_at) * 1000000)::bigint::text, ','),
       string_agg(readings::text, ',')
FROM device_status WHERE device = ANY (%(devices)s)

-- name: active_silence_alarms
-- The watchdog's memory: how often each silent device had been heard when its alarm was raised.
SELECT alarm.rule_id, alarm.device, (
    SELECT (detail->>'readings')::bigint FROM alarm_event
    WHERE alarm_id = alarm.id AND event IN ('raised', 'repeated') AND detail ? 'readings' ORDER BY id DESC LIMIT 1)
FROM alarm WHERE active AND held IS NULL AND rule_id = ANY (%(rule_ids)s)
