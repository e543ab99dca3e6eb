-- name: alarm_list
-- Every alarm with what it stands at; severity 4 critical, 3 major, 2 minor, 1 notice. Hushed: shelved, explained by
-- another alarm, or out of service under a permit. case_number: the open case that it is in.
SELECT alarm.id, alarm.rule_id, facility.device, facility.device_id, facility.kind, facility.name, facility.district,
       facility.grid, facility.road, facility.lat, facility.lon, alarm.severity, alarm.active, alarm.acknowledged,
       alarm.hushed, alarm.raised_at, alarm.cleared_at, alarm.occurrences, alarm.chatter,
       (SELECT max(dispatch_case.number) FROM case_alarm JOIN dispatch_case ON dispatch_case.id = case_alarm.case_id
        WHERE case_alarm.alarm_id = alarm.id AND dispatch_case.open) AS case_number
FROM alarm JOIN facility ON facility.device = alarm.device

-- name: alarm_happening
-- What happened to alarms: at, by the device's clock; seen_at, when Cityward decided.
SELECT event.id, event.alarm_id, event.event, event.severity, event.at, event.seen_at, event.actor, alarm.rule_id,
       facility.device, facility.device_id, facility.kind, facility.name, facility.district
FROM alarm_event AS event
JOIN alarm ON alarm.id = event.alarm_id
JOIN facility ON facility.device = alarm.device

-- name: case_list
-- Every case; colour of its gravest supervision sheet: 0 none, 1 white, 2 yellow, 3 red. At risk: 80 % of the time is used.
-- Neither that nor overdue is what is done, or whose clock was stopped in time.
SELECT dispatch_case.number, dispatch_case.problem, dispatch_case.severity, dispatch_case.state, dispatch_case.open,
       dispatch_case.unit, unit.name_en AS unit_en, unit.name_zh AS unit_zh, dispatch_case.opened_at,
       dispatch_case.arrive_by, dispatch_case.arrived_at, dispatch_case.fix_by, dispatch_case.done_at,
       dispatch_case.closed_at, dispatch_case.outcome, dispatch_case.rework, dispatch_case.colour, dispatch_case.rule_id,
       dispatch_case.found, dispatch_case.paused_at IS NOT NULL AS paused,
       dispatch_case.open AND dispatch_case.done_at IS NULL AND dispatch_case.paused_at IS NULL
           AND dispatch_case.white_at <= city_clock.latest AS at_risk,
       dispatch_case.open AND dispatch_case.done_at IS NULL
           AND dispatch_case.fix_by <= coalesce(dispatch_case.paused_at, city_clock.latest) AS overdue,
       facility.device, facility.device_id, facility.kind, facility.name, facility.district, facility.grid, facility.road,
       facility.lat, facility.lon
FROM dispatch_case
JOIN unit ON unit.unit_id = dispatch_case.unit
JOIN facility ON facility.device = dispatch_case.device
CROSS JOIN city_clock

-- name: case_happening
-- What happened to cases, by whom and why.
SELECT event.id, dispatch_case.number, event.event, event.state, event.at, event.actor, event.reason,
       facility.device, facility.device_id, facility.district
FROM case_event AS event
JOIN dispatch_case ON dispatch_case.id = event.case_id
JOIN facility ON facility.device = dispatch_case.device

-- name: sheet_list
-- Supervision sheets: numbered, to whom, answered by when.
SELECT sheet.number, sheet.colour, sheet.because, dispatch_case.number AS case_number, sheet.unit,
       unit.name_en AS unit_en, unit.name_zh AS unit_zh, dispatch_case.district, sheet.points, sheet.issued_at,
       sheet.reply_by, sheet.answered_at, sheet.answered_by
FROM sheet
JOIN dispatch_case ON dispatch_case.id = sheet.case_id
JOIN unit ON unit.unit_id = sheet.unit

-- name: ledger_minute
-- The fates of all messages by minute of arrival and partition.
SELECT minute, partition, received, stored, duplicate, quarantined FROM ledger

-- name: quarantine_list
-- Messages that could not become readings, without their payload.
SELECT id, received_at, partition, code, detail, topic, attempts, resolved_at, resolution FROM quarantine

-- name: notification_list
-- What people were told, and whether it reached them.
SELECT notification.id, notification.channel, notification.target, notification.state, notification.attempts,
       notification.created_at, notification.delivered_at, notification.last_error, dispatch_case.number AS case_number
FROM notification
JOIN dispatch_case ON dispatch_case.id = notification.case_id

-- name: unit_list
-- Organisations that can be responsible for a case, with their names in both languages; without how they are reached.
SELECT unit_id, name_en, name_zh FROM unit

-- name: device_lag
-- How long the newest reading of each device was under way, seconds; negative: its clock is ahead.
SELECT facility.device, facility.device_id, facility.kind, facility.name, facility.district,
       extract(epoch FROM status.lag)::double precision AS lag_s, status.last_ts, status.last_received_at,
       extract(epoch FROM city_clock.latest - status.last_received_at)::double precision AS silent_s,
       status.readings, status.also_sent
FROM device_status AS status
JOIN facility ON facility.device = status.device
CROSS JOIN city_clock

-- name: console_link
-- Where people reach the console: the beginning of links to cases and devices.
SELECT coalesce(max(url), 'http://127.0.0.1:8080') AS url FROM console_address
