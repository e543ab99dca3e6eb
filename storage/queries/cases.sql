-- name: untaken_news
-- What happened to alarms and has not been taken up, oldest first. What is stuck is tried again after a while, and
-- later news of its alarm wait behind it.
SELECT event.id, event.alarm_id, alarm.rule_id, event.event, event.severity, event.at,
       device.id AS device, device.district, device.grid, device.component_class,
       coalesce(device.maintainer, '') AS maintainer, coalesce(device.owner, '') AS owner
FROM alarm_event AS event
JOIN alarm ON alarm.id = event.alarm_id
JOIN device ON device.id = alarm.device
WHERE event.handled_at IS NULL
  AND (event.stuck_since IS NULL OR event.tried_at <= %(tried_before)s)
  AND NOT EXISTS (
      SELECT FROM alarm_event AS earlier
      WHERE earlier.alarm_id = event.alarm_id AND earlier.id < event.id
        AND earlier.handled_at IS NULL AND earlier.stuck_since IS NOT NULL)
ORDER BY event.id
LIMIT %(limit)s
FOR UPDATE OF event

-- name: mark_taken
-- Dispatch has done what this event asks for.
UPDATE alarm_event SET handled_at = %(at)s, stuck_since = NULL, tried_at = NULL, stuck_because = NULL
WHERE id = %(event_id)s

-- name: mark_stuck
-- Dispatch cannot do what this event asks for, and will try again.
UPDATE alarm_event SET stuck_since = coalesce(stuck_since, %(at)s), tried_at = %(at)s, stuck_because = %(because)s
WHERE id = %(event_id)s

-- name: open_case
-- The open case of a facility and problem, locked.
SELECT id, number, state, severity, done_at FROM dispatch_case
WHERE device = %(device)s AND problem = %(problem)s AND open
FOR UPDATE

-- name: open_cases_of_alarm
-- The open cases that an alarm belongs to, locked.
SELECT id, number, state, severity, done_at FROM dispatch_case
WHERE open AND id IN (SELECT case_id FROM case_alarm WHERE alarm_id = %(alarm_id)s)
FOR UPDATE

-- name: next_sequence
-- The next case number of an area and day.
INSERT INTO case_counter AS counter (area, day, last) VALUES (%(area)s, %(day)s, 1)
ON CONFLICT (area, day) DO UPDATE SET last = counter.last + 1
RETURNING last

-- name: insert_case
-- A new case, with its unit and its deadline.
INSERT INTO dispatch_case (number, device, district, problem, severity, state, open, unit, reason,
                           opened_at, arrive_by, fix_by)
VALUES (%(number)s, %(device)s, %(district)s, %(problem)s, %(severity)s, %(state)s, true, %(unit)s, %(reason)s,
        %(opened_at)s, %(arrive_by)s, %(fix_by)s)
RETURNING id

-- name: link_alarm
-- An alarm belongs to a case.
INSERT INTO case_alarm (case_id, alarm_id) VALUES (%(case_id)s, %(alarm_id)s) ON CONFLICT DO NOTHING

-- name: insert_case_event
-- A line of a case's history.
INSERT INTO case_event (case_id, event, state, at, actor, reason)
VALUES (%(case_id)s, %(event)s, %(state)s, %(at)s, %(actor)s, %(reason)s)
RETURNING id

-- name: move_case
-- A case as its latest events leave it; milestones keep their first time, rework counts.
UPDATE dispatch_case SET
    state = %(state)s, severity = %(severity)s, open = %(open)s,
    arrived_at = coalesce(arrived_at, %(arrived_at)s), done_at = coalesce(%(done_at)s, done_at),
    closed_at = %(closed_at)s, rework = rework + %(rework)s
WHERE id = %(case_id)s

-- name: active_alarms
-- How many alarms of a case are active.
SELECT count(*) FROM alarm JOIN case_alarm ON case_alarm.alarm_id = alarm.id
WHERE case_alarm.case_id = %(case_id)s AND alarm.active

-- name: alarms_of_case
-- The open alarms of a case, for acknowledging them when somebody takes it on.
SELECT alarm.rule_id, alarm.device FROM alarm JOIN case_alarm ON case_alarm.alarm_id = alarm.id
WHERE case_alarm.case_id = %(case_id)s AND (alarm.active OR NOT alarm.acknowledged)
ORDER BY 1, 2

-- name: case_for_message
-- What a message about a case tells.
SELECT dispatch_case.number, dispatch_case.district, dispatch_case.unit, dispatch_case.severity,
       dispatch_case.problem, dispatch_case.arrive_by, dispatch_case.fix_by, dispatch_case.arrived_at,
       dispatch_case.open, device.device_id, device.name, device.road, device.lon, device.lat, unit.webhook
FROM dispatch_case
JOIN device ON device.id = dispatch_case.device
JOIN unit ON unit.unit_id = dispatch_case.unit
WHERE dispatch_case.id = %(case_id)s

-- name: list_cases
-- Cases, the most urgent deadline first; null filters mean all.
SELECT dispatch_case.number, device.kind, device.name, device.road, dispatch_case.district, dispatch_case.problem,
       dispatch_case.severity, dispatch_case.state, dispatch_case.open, dispatch_case.unit,
       unit.name_en, unit.name_zh, dispatch_case.reason, dispatch_case.opened_at, dispatch_case.arrive_by,
       dispatch_case.fix_by, dispatch_case.arrived_at, dispatch_case.done_at, dispatch_case.closed_at,
       dispatch_case.rework, device.device_id
FROM dispatch_case
JOIN device ON device.id = dispatch_case.device
JOIN unit ON unit.unit_id = dispatch_case.unit
WHERE (%(open)s::boolean IS NULL OR dispatch_case.open = %(open)s)
  AND (%(unit)s::text IS NULL OR dispatch_case.unit = %(unit)s)
  AND (%(district)s::text IS NULL OR dispatch_case.district = %(district)s)
  AND (%(number)s::text IS NULL OR dispatch_case.number = %(number)s)
ORDER BY dispatch_case.open DESC,
         CASE WHEN %(newest)s THEN NULL ELSE dispatch_case.fix_by END, dispatch_case.id DESC
LIMIT %(limit)s

-- name: case_by_number
-- One case, locked for a move.
SELECT id, number, state, severity, done_at FROM dispatch_case WHERE number = %(number)s FOR UPDATE

-- name: case_history
-- Who did what, when and why.
SELECT case_event.at, case_event.event, case_event.state, case_event.actor, case_event.reason
FROM case_event JOIN dispatch_case ON dispatch_case.id = case_event.case_id
WHERE dispatch_case.number = %(number)s ORDER BY case_event.id

-- name: case_alarms
-- The alarms of a case.
SELECT alarm.rule_id, alarm.severity, alarm.active, alarm.acknowledged, alarm.raised_at, alarm.cleared_at,
       alarm.occurrences
FROM alarm JOIN case_alarm ON case_alarm.alarm_id = alarm.id
JOIN dispatch_case ON dispatch_case.id = case_alarm.case_id
WHERE dispatch_case.number = %(number)s ORDER BY alarm.id
