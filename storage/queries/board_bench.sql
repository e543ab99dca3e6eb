-- name: hear_devices
-- Every device was heard within its interval before the given moment; one in two hundred has been silent for a day.
INSERT INTO device_status (device, last_ts, last_received_at, readings, lag)
SELECT id, at - interval '2 s', at, 4000, interval '2 s'
FROM (
    SELECT id, %(until)s::timestamptz - CASE WHEN mod(id, 200) = 0 THEN interval '1 day' ELSE mod(id, 300) * interval '1 s' END AS at
    FROM device
) AS heard

-- name: raise_alarms
-- Two alarms a device in the time between two moments, one in twenty of which stand; each with its history.
WITH raised AS (
    INSERT INTO alarm (rule_id, rule_version, device, severity, active, acknowledged, raised_at, cleared_at, occurrences)
    SELECT rule.id, 'v1', device.id, 1 + mod(device.id + turn, 4), stands, NOT stands,
           at, CASE WHEN NOT stands THEN least(at + interval '3 hours', %(until)s) END, 1 + mod(device.id, 7)
    FROM device
    JOIN unnest(%(kinds)s::text[], %(rules)s::text[]) AS rule (kind, id) ON rule.kind = device.kind
    CROSS JOIN generate_series(0, 1) AS turn
    CROSS JOIN LATERAL (
        SELECT turn = 0 AND mod(device.id, 10) = 0 AS stands,
               %(since)s::timestamptz
                   + mod(device.id * 7919 + turn * 104729, 100000) / 100000.0 * (%(until)s::timestamptz - %(since)s) AS at
    ) AS when_
    RETURNING id, severity, raised_at, cleared_at
)
INSERT INTO alarm_event (alarm_id, event, severity, at, seen_at, actor, detail, handled_at)
SELECT id, 'raised', severity, raised_at, raised_at, 'rule engine', '{}'::jsonb, raised_at FROM raised
UNION ALL
SELECT id, 'cleared', severity, cleared_at, cleared_at, 'rule engine', '{}'::jsonb, cleared_at FROM raised
WHERE cleared_at IS NOT NULL

-- name: open_cases
-- A case for every alarm of severity 3 and 4, of which one in twenty is open; each with its history and what was told.
WITH filed AS (
    INSERT INTO dispatch_case (
        number, device, district, problem, severity, state, open, unit, reason, opened_at, started_at, fix_by,
        fix_allowed, white_at, red_at, colour, rule_id, arrived_at, done_at, closed_at, outcome)
    SELECT '4201022026' || lpad(alarm.id::text, 9, '0'), alarm.device, device.district, 'bench_' || alarm.rule_id,
           alarm.severity, CASE WHEN alarm.active THEN 'dispatched' ELSE 'closed' END, alarm.active, unit.unit_id,
           'owner', alarm.raised_at, alarm.raised_at, alarm.raised_at + interval '24 hours', '24h natural',
           alarm.raised_at + interval '19 hours', alarm.raised_at + interval '48 hours', mod(alarm.id, 4), alarm.rule_id,
           CASE WHEN NOT alarm.active THEN alarm.raised_at + interval '1 hour' END,
           CASE WHEN NOT alarm.active THEN alarm.raised_at + interval '2 hours' END,
           alarm.cleared_at, CASE WHEN NOT alarm.active THEN 'evidence' END
    FROM alarm
    JOIN device ON device.id = alarm.device
    JOIN (SELECT unit_id, row_number() OVER (ORDER BY unit_id) - 1 AS place, count(*) OVER () AS units FROM unit) AS unit
        ON unit.place = mod(device.id, unit.units)
    WHERE alarm.severity >= 3
    ON CONFLICT DO NOTHING
    RETURNING id, unit, colour, fix_by, opened_at, closed_at
), sheets AS (
    INSERT INTO sheet (number, case_id, colour, because, unit, recipients, points, issued_at, reply_by)
    SELECT 'B-' || id, id, colour, 'fix', unit, '{}', 0, opened_at + interval '20 hours', opened_at + interval '30 hours'
    FROM filed WHERE colour > 0 AND mod(id, 5) = 0
), happened AS (
    INSERT INTO case_event (case_id, event, state, unit, fix_by, at, actor, reason)
    SELECT id, 'dispatch', 'dispatched', unit, fix_by, opened_at, 'system', '' FROM filed
    UNION ALL
    SELECT id, 'close', 'closed', unit, fix_by, closed_at, 'system', '' FROM filed WHERE closed_at IS NOT NULL
    RETURNING id, case_id, at
)
INSERT INTO notification (case_event_id, case_id, channel, target, body, state, attempts, created_at, delivered_at)
SELECT id, case_id, 'mqtt', 'unit', '{}', 'delivered', 1, at, at + interval '1 s' FROM happened

-- name: fill_ledger
-- A ledger of every minute between two moments, and a refused message every ten minutes.
WITH books AS (
    INSERT INTO ledger (minute, partition, received, stored, duplicate, quarantined)
    SELECT minute, 'all', 1000, 985, 14, 1
    FROM generate_series(date_trunc('minute', %(since)s::timestamptz), %(until)s, interval '1 minute') AS minute
)
INSERT INTO quarantine (received_at, partition, code, detail, topic, payload)
SELECT at, 'all', 'unregistered', '', 'city/east/manhole/x/up', '{}'
FROM generate_series(%(since)s::timestamptz, %(until)s, interval '10 minutes') AS at

-- name: latest_news
-- How far the city's news reach, and since when it has devices; null where it has none.
SELECT min(device.registered_at), max(status.last_ts), count(*)
FROM device LEFT JOIN device_status AS status ON status.device = device.id
