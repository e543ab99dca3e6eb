-- name: bench_alarms
-- An active alarm of each of some rules at each device, raised over the past days, every second one acknowledged.
INSERT INTO alarm (rule_id, rule_version, device, severity, active, acknowledged, raised_at)
SELECT 'BENCH-' || problem, '0123456789ab', device.id, 1 + mod(device.id + problem, 4), true, mod(device.id + problem, 2) = 0,
       %(now)s::timestamptz - make_interval(secs => mod(device.id * 7 + problem * 1301, 400000))
FROM device CROSS JOIN generate_series(1, %(problems)s) AS problem
WHERE device.kind <> 'group'
ORDER BY device.id, problem LIMIT %(cases)s

-- name: bench_alarm_events
-- The first line of each one's history, which dispatch has taken up.
INSERT INTO alarm_event (alarm_id, event, severity, at, seen_at, actor, detail, handled_at)
SELECT id, 'raised', severity, raised_at, raised_at, 'rule engine', '{}', raised_at FROM alarm

-- name: bench_cases
-- An open case for each alarm: units, states, deadlines before and after now, sheets as they fall due.
INSERT INTO dispatch_case (
    number, device, district, problem, rule_id, opened_at, severity, state, open, unit, reason, started_at,
    accept_allowed, accept_by, fix_allowed, fix_by, white_at, red_at, colour, look_at)
SELECT '1' || lpad(alarm.id::text, 18, '0'), alarm.device, device.district, 'problem_' || alarm.rule_id, alarm.rule_id,
       alarm.raised_at, alarm.severity, (ARRAY['dispatched', 'dispatched', 'accepted', 'on_site', 'returned'])[1 + mod(alarm.id, 5)],
       true, unit.unit_id, 'maintainer', alarm.raised_at, '4h office', alarm.raised_at + interval '4 hours', '5d natural',
       alarm.raised_at + interval '5 days', alarm.raised_at + interval '4 days', alarm.raised_at + interval '10 days',
       CASE WHEN alarm.raised_at + interval '4 days' < %(now)s THEN 1 ELSE 0 END, NULL
FROM alarm
JOIN device ON device.id = alarm.device
JOIN (SELECT unit_id, row_number() OVER (ORDER BY unit_id) - 1 AS place, count(*) OVER () AS units FROM unit) AS unit
    ON unit.place = mod(device.id, unit.units)

-- name: bench_case_alarms
-- Which alarm each case is of.
INSERT INTO case_alarm (case_id, alarm_id)
SELECT dispatch_case.id, alarm.id FROM dispatch_case JOIN alarm ON '1' || lpad(alarm.id::text, 18, '0') = dispatch_case.number

-- name: bench_case_events
-- Two lines of history for each case.
INSERT INTO case_event (case_id, event, state, at, actor, reason, unit, fix_by)
SELECT id, event, replace(event, 'dispatch', 'dispatched'), opened_at, 'system', rule_id, unit, fix_by
FROM dispatch_case CROSS JOIN unnest(ARRAY['filed', 'dispatch']) AS event

-- name: bench_notifications
-- A message about each case that has arrived.
INSERT INTO notification (case_event_id, channel, target, body, state, created_at, delivered_at, case_id, event)
SELECT case_event.id, 'mqtt', dispatch_case.unit, '{}', 'delivered', case_event.at, case_event.at, dispatch_case.id, 'dispatch'
FROM case_event JOIN dispatch_case ON dispatch_case.id = case_event.case_id WHERE case_event.event = 'dispatch'

-- name: bench_status
-- Every device was heard in the last hour.
INSERT INTO device_status (device, last_ts, last_received_at, readings, also_sent, quality, latest)
SELECT id, %(now)s::timestamptz - make_interval(secs => mod(id, 3600)), %(now)s::timestamptz - make_interval(secs => mod(id, 3600)), 1,
       '{}', 0, jsonb_build_object('laeq', 61.5, 'lmax', 70.25)
FROM device WHERE kind <> 'group'

-- name: bench_readings
-- A week of minutes of a few noise meters.
INSERT INTO reading_noise (device, ts, received_at, seq, type, quality, laeq, lmax)
SELECT meter.id, minute, minute + interval '1 second', NULL, 0, 0, 55 + 10 * sin(extract(epoch FROM minute) / 13751), 70
FROM (SELECT id FROM device WHERE kind = 'noise' ORDER BY id LIMIT 5) AS meter
CROSS JOIN generate_series(%(now)s::timestamptz - interval '7 days', %(now)s, interval '1 minute') AS minute

-- name: bench_known
-- A case in the middle of the list, its unit, and a device with readings.
SELECT dispatch_case.number, dispatch_case.unit,
       (SELECT device_id FROM device WHERE kind = 'noise' ORDER BY id LIMIT 1), (SELECT count(*) FROM dispatch_case WHERE open)
FROM dispatch_case JOIN device ON device.id = dispatch_case.device
WHERE dispatch_case.open ORDER BY device.kind <> 'noise', dispatch_case.id LIMIT 1

-- name: bench_floor
-- The least that can be asked of a database.
SELECT 1
