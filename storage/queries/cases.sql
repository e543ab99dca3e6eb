-- name: untaken_news
-- What happened to alarms and has not been taken up, oldest first. What is stuck is tried again after a while, and
-- later news of its alarm wait behind it; news of members of a group wait until they have settled, unless critical.
SELECT event.id, event.alarm_id, alarm.rule_id, event.event, event.severity, event.at,
       device.id AS device, device.device_id, device.kind, device.district, device.grid, device.road,
       device.component_class, coalesce(device.maintainer, '') AS maintainer, coalesce(device.owner, '') AS owner
FROM alarm_event AS event
JOIN alarm ON alarm.id = event.alarm_id
JOIN device ON device.id = alarm.device
WHERE event.handled_at IS NULL
  AND (event.stuck_since IS NULL OR event.tried_at <= %(tried_before)s)
  AND NOT EXISTS (
      SELECT FROM alarm_event AS earlier
      WHERE earlier.alarm_id = event.alarm_id AND earlier.id < event.id
        AND earlier.handled_at IS NULL AND earlier.stuck_since IS NOT NULL)
  AND (alarm.rule_id <> ALL (%(waiting)s::text[]) OR alarm.severity >= %(critical)s OR event.seen_at <= %(settled)s)
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
SELECT dispatch_case.*, device.kind FROM dispatch_case JOIN device ON device.id = dispatch_case.device
WHERE dispatch_case.device = %(device)s AND dispatch_case.problem = %(problem)s AND dispatch_case.open
FOR UPDATE OF dispatch_case

-- name: repaired_case
-- The last case of a facility and problem that was repaired and closed since then, locked.
SELECT dispatch_case.*, device.kind FROM dispatch_case JOIN device ON device.id = dispatch_case.device
WHERE dispatch_case.device = %(device)s AND dispatch_case.problem = %(problem)s AND NOT dispatch_case.open
  AND dispatch_case.closed_at >= %(since)s AND dispatch_case.outcome = ANY (%(outcomes)s::text[])
ORDER BY dispatch_case.closed_at DESC LIMIT 1
FOR UPDATE OF dispatch_case

-- name: open_cases_of_alarm
-- The open cases that an alarm belongs to, locked.
SELECT dispatch_case.*, device.kind FROM dispatch_case JOIN device ON device.id = dispatch_case.device
WHERE dispatch_case.open AND dispatch_case.id IN (SELECT case_id FROM case_alarm WHERE alarm_id = %(alarm_id)s)
FOR UPDATE OF dispatch_case

-- name: covering_case
-- The open case, by one of these rules, of a group that a device belongs to, locked.
SELECT dispatch_case.*, device.kind FROM dispatch_case JOIN device ON device.id = dispatch_case.device
WHERE dispatch_case.open AND device.kind = 'group' AND dispatch_case.rule_id = ANY (%(rules)s::text[])
  AND EXISTS (SELECT FROM device AS member
              WHERE member.id = %(device)s
                AND device_group(member, split_part(device.device_id, ':', 1)) = device.device_id)
ORDER BY dispatch_case.id LIMIT 1
FOR UPDATE OF dispatch_case

-- name: covered_cases
-- The open cases, carried by no other, of these problems at the members of a group, locked.
SELECT dispatch_case.*, device.kind FROM dispatch_case JOIN device ON device.id = dispatch_case.device
WHERE dispatch_case.open AND dispatch_case.parent IS NULL AND dispatch_case.problem = ANY (%(problems)s::text[])
  AND dispatch_case.device <> %(device)s AND device_group(device.*, split_part(%(group)s, ':', 1)) = %(group)s
ORDER BY dispatch_case.id
FOR UPDATE OF dispatch_case

-- name: member_cases
-- The cases that a case carries, locked.
SELECT dispatch_case.*, device.kind FROM dispatch_case JOIN device ON device.id = dispatch_case.device
WHERE dispatch_case.parent = %(parent)s AND dispatch_case.state = 'merged'
ORDER BY dispatch_case.id
FOR UPDATE OF dispatch_case

-- name: nearby_case
-- The last open case of another kind on a road that was opened since then, locked.
SELECT dispatch_case.*, device.kind FROM dispatch_case JOIN device ON device.id = dispatch_case.device
WHERE dispatch_case.open AND dispatch_case.opened_at >= %(since)s AND dispatch_case.district = %(district)s
  AND device.road = %(road)s AND device.kind <> %(kind)s AND 'group' NOT IN (device.kind, %(kind)s)
ORDER BY dispatch_case.id DESC LIMIT 1
FOR UPDATE OF dispatch_case

-- name: due_cases
-- Cases to look at by the clock, the longest due first; those that others hold are left to the next time.
SELECT dispatch_case.*, device.kind FROM dispatch_case JOIN device ON device.id = dispatch_case.device
WHERE dispatch_case.look_at <= %(at)s
ORDER BY dispatch_case.look_at LIMIT %(limit)s
FOR UPDATE OF dispatch_case SKIP LOCKED

-- name: case_by_number
-- One case, locked for a move.
SELECT dispatch_case.*, device.kind FROM dispatch_case JOIN device ON device.id = dispatch_case.device
WHERE dispatch_case.number = %(number)s
FOR UPDATE OF dispatch_case

-- name: case_standing
-- What a visitor must know of a case before moving it, locked: the number of its last line of history, its last move.
SELECT dispatch_case.state, dispatch_case.unit, dispatch_case.joint, dispatch_case.delay IS NOT NULL AS delay_pending,
       history.last, history.moved_at
FROM dispatch_case, LATERAL (
    SELECT max(case_event.id) AS last, max(case_event.at) FILTER (WHERE case_event.event = ANY (%(moves)s::text[])) AS moved_at
    FROM case_event WHERE case_event.case_id = dispatch_case.id
) AS history
WHERE dispatch_case.number = %(number)s
FOR UPDATE OF dispatch_case

-- name: checked_cases
-- Cases of which telemetry is asked: good readings since then, active alarms, whether a delay runs or news wait. A
-- closed one is among them while its photo stands against an active alarm, unless a later case has the trouble.
SELECT dispatch_case.*, device.kind,
       (SELECT count(*) FROM (
            SELECT FROM reading
            WHERE reading.kind = device.kind AND reading.device = dispatch_case.device
              AND reading.ts > dispatch_case.check_since AND reading.quality & %(doubtful)s = 0
            LIMIT %(enough)s
        ) AS heard) AS readings,
       (SELECT count(*) FROM case_alarm JOIN alarm ON alarm.id = case_alarm.alarm_id
        WHERE case_alarm.case_id = dispatch_case.id AND alarm.active) AS active,
       EXISTS (
            SELECT FROM case_alarm JOIN alarm ON alarm.id = case_alarm.alarm_id
            JOIN rule_state ON rule_state.rule_id = alarm.rule_id AND rule_state.device = alarm.device
            WHERE case_alarm.case_id = dispatch_case.id
              AND (jsonb_path_exists(rule_state.state, '$.raising[*] ? (@ != null)')
                   OR jsonb_path_exists(rule_state.state, '$.clearing ? (@ != null)'))
       ) OR EXISTS (
            SELECT FROM alarm_event JOIN alarm ON alarm.id = alarm_event.alarm_id
            WHERE alarm_event.handled_at IS NULL AND alarm_event.stuck_since IS NULL
              AND alarm.device = dispatch_case.device
       ) AS running
FROM dispatch_case JOIN device ON device.id = dispatch_case.device
WHERE dispatch_case.check_since IS NOT NULL AND dispatch_case.id > %(after)s
  AND (dispatch_case.open OR NOT EXISTS (
      SELECT FROM dispatch_case AS later
      WHERE later.open AND later.device = dispatch_case.device AND later.problem = dispatch_case.problem))
ORDER BY dispatch_case.id LIMIT %(limit)s

-- name: case_by_id
-- One case, locked for a move.
SELECT dispatch_case.*, device.kind FROM dispatch_case JOIN device ON device.id = dispatch_case.device
WHERE dispatch_case.id = %(case_id)s
FOR UPDATE OF dispatch_case

-- name: facility_by_id
-- What dispatch must know of a device.
SELECT device.id AS device, device.device_id, device.kind, device.district, device.grid, device.road,
       device.component_class, coalesce(device.maintainer, '') AS maintainer, coalesce(device.owner, '') AS owner
FROM device WHERE device.device_id = %(device_id)s

-- name: next_sequence
-- The next case number of an area and day.
INSERT INTO case_counter AS counter (area, day, last) VALUES (%(area)s, %(day)s, 1)
ON CONFLICT (area, day) DO UPDATE SET last = counter.last + 1
RETURNING last

-- name: insert_case
-- A new case, with its unit and its deadline.
INSERT INTO dispatch_case (
    number, device, district, problem, rule_id, opened_at, incident, severity, state, open, unit, reason, started_at,
    accept_allowed, accept_by, accepted_at, arrive_allowed, arrive_by, arrived_at, safe_allowed, safe_by, safe_at,
    fix_allowed, fix_by, done_at, white_at, red_at, colour, missed, attention, attend_at, look_at, rework, failed_checks,
    bounces, arbitrated, joint, paused_at, pause, pause_until, delay, delays, check_since, check_earliest, check_until,
    notice_until, parent, found, photo, outcome, closed_at)
VALUES (
    %(number)s, %(device)s, %(district)s, %(problem)s, %(rule_id)s, %(opened_at)s, %(incident)s, %(severity)s, %(state)s,
    %(open)s, %(unit)s, %(reason)s, %(started_at)s, %(accept_allowed)s, %(accept_by)s, %(accepted_at)s,
    %(arrive_allowed)s, %(arrive_by)s, %(arrived_at)s, %(safe_allowed)s, %(safe_by)s, %(safe_at)s, %(fix_allowed)s,
    %(fix_by)s, %(done_at)s, %(white_at)s, %(red_at)s, %(colour)s, %(missed)s, %(attention)s, %(attend_at)s, %(look_at)s,
    %(rework)s, %(failed_checks)s, %(bounces)s, %(arbitrated)s, %(joint)s, %(paused_at)s, %(pause)s, %(pause_until)s,
    %(delay)s, %(delays)s, %(check_since)s, %(check_earliest)s, %(check_until)s, %(notice_until)s, %(parent)s, %(found)s,
    %(photo)s, %(outcome)s, %(closed_at)s)
RETURNING id

-- name: save_case
-- A case as a step leaves it.
UPDATE dispatch_case SET
    severity = %(severity)s, state = %(state)s, open = %(open)s, unit = %(unit)s, reason = %(reason)s,
    started_at = %(started_at)s, accept_allowed = %(accept_allowed)s, accept_by = %(accept_by)s,
    accepted_at = %(accepted_at)s, arrive_allowed = %(arrive_allowed)s, arrive_by = %(arrive_by)s,
    arrived_at = %(arrived_at)s, safe_allowed = %(safe_allowed)s, safe_by = %(safe_by)s, safe_at = %(safe_at)s,
    fix_allowed = %(fix_allowed)s, fix_by = %(fix_by)s, done_at = %(done_at)s, white_at = %(white_at)s,
    red_at = %(red_at)s, colour = %(colour)s, missed = %(missed)s, attention = %(attention)s, attend_at = %(attend_at)s,
    look_at = %(look_at)s, rework = %(rework)s, failed_checks = %(failed_checks)s, bounces = %(bounces)s,
    arbitrated = %(arbitrated)s, joint = %(joint)s, paused_at = %(paused_at)s, pause = %(pause)s,
    pause_until = %(pause_until)s, delay = %(delay)s, delays = %(delays)s, check_since = %(check_since)s,
    check_earliest = %(check_earliest)s, check_until = %(check_until)s, notice_until = %(notice_until)s,
    parent = %(parent)s, found = %(found)s, photo = %(photo)s, outcome = %(outcome)s, closed_at = %(closed_at)s
WHERE id = %(case_id)s

-- name: join_incident
-- A case belongs to an incident, which has the number of its first case.
UPDATE dispatch_case SET incident = %(incident)s WHERE id = %(case_id)s

-- name: link_alarm
-- An alarm belongs to a case.
INSERT INTO case_alarm (case_id, alarm_id) VALUES (%(case_id)s, %(alarm_id)s) ON CONFLICT DO NOTHING

-- name: insert_case_event
-- A line of a case's history, with whose the case now is, by when, and what was found.
INSERT INTO case_event (case_id, event, state, at, actor, reason, unit, fix_by, found)
SELECT id, %(event)s, %(state)s, %(at)s, %(actor)s, %(reason)s, unit, fix_by, found
FROM dispatch_case WHERE id = %(case_id)s
RETURNING id

-- name: next_sheet
-- The next sheet number of a year and a colour.
INSERT INTO sheet_counter AS counter (year, colour, last) VALUES (%(year)s, %(colour)s, 1)
ON CONFLICT (year, colour) DO UPDATE SET last = counter.last + 1
RETURNING last

-- name: insert_sheet
-- A supervision sheet.
INSERT INTO sheet (number, case_id, colour, because, unit, recipients, points, issued_at, reply_by)
VALUES (%(number)s, %(case_id)s, %(colour)s, %(because)s, %(unit)s, %(recipients)s, %(points)s, %(issued_at)s,
        %(reply_by)s)

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
       dispatch_case.open, device.device_id, device.name, device.road, device.lon, device.lat,
       dispatch_case.joint
FROM dispatch_case
JOIN device ON device.id = dispatch_case.device
WHERE dispatch_case.id = %(case_id)s

-- part: case_row
-- A case as people read it, with the names of its unit.
SELECT dispatch_case.id, dispatch_case.number, device.kind, device.name, device.road, dispatch_case.district,
       dispatch_case.problem, dispatch_case.severity, dispatch_case.state, dispatch_case.open, dispatch_case.unit,
       unit.name_en, unit.name_zh, dispatch_case.reason, dispatch_case.opened_at, dispatch_case.arrive_by,
       dispatch_case.fix_by, dispatch_case.arrived_at, dispatch_case.done_at, dispatch_case.closed_at,
       dispatch_case.rework, dispatch_case.colour, dispatch_case.delay, dispatch_case.paused_at, dispatch_case.incident,
       parent.number AS parent, device.device_id, device.grid
FROM dispatch_case
JOIN device ON device.id = dispatch_case.device
JOIN unit ON unit.unit_id = dispatch_case.unit
LEFT JOIN dispatch_case AS parent ON parent.id = dispatch_case.parent

-- part: case_filters
-- Which cases; null filters mean all.
  AND (%(unit)s::text IS NULL OR dispatch_case.unit = %(unit)s OR %(unit)s = ANY (dispatch_case.joint))
  AND (%(district)s::text IS NULL OR dispatch_case.district = %(district)s)
  AND (%(state)s::text IS NULL OR dispatch_case.state = %(state)s)
  AND (%(problem)s::text IS NULL OR dispatch_case.problem = %(problem)s)
  AND (%(severity)s::smallint IS NULL OR dispatch_case.severity >= %(severity)s)
  AND (%(colour)s::smallint IS NULL OR dispatch_case.colour >= %(colour)s)
  AND (%(kind)s::text IS NULL OR device.kind = %(kind)s)
  AND (%(device)s::text IS NULL OR device.device_id = %(device)s)
  AND (NOT %(undecided)s OR dispatch_case.state IN ('reported', 'returned', 'unverifiable')
       OR dispatch_case.delay IS NOT NULL)
  AND (%(due_before)s::timestamptz IS NULL OR (dispatch_case.done_at IS NULL
       AND dispatch_case.fix_by < least(%(due_before)s, dispatch_case.paused_at)))
  AND (%(text)s::text IS NULL OR strpos(dispatch_case.number, %(text)s) > 0 OR dispatch_case.device IN (
       SELECT found.id FROM device AS found
       WHERE strpos(lower(concat_ws(' ', found.device_id, found.name, found.road)), lower(%(text)s)) > 0))

-- name: open_cases
-- Open cases, the nearest deadline first, from where the page before ended; null filters mean all.
-- with case_row
WHERE dispatch_case.open
-- with case_filters
  AND (%(after_at)s::timestamptz IS NULL
       OR (dispatch_case.fix_by, dispatch_case.id) > (%(after_at)s, %(after_id)s::bigint))
ORDER BY dispatch_case.fix_by, dispatch_case.id
LIMIT %(limit)s

-- name: newest_cases
-- Cases, open or not, the newest first, from where the page before ended; null filters mean all.
-- with case_row
WHERE (%(before_id)s::bigint IS NULL OR dispatch_case.id < %(before_id)s)
-- with case_filters
ORDER BY dispatch_case.id DESC
LIMIT %(limit)s

-- name: case_read
-- One case as people read it.
-- with case_row
WHERE dispatch_case.number = %(number)s

-- name: case_life
-- One case as its life has left it, with its device's kind.
SELECT dispatch_case.*, device.kind FROM dispatch_case JOIN device ON device.id = dispatch_case.device
WHERE dispatch_case.number = %(number)s

-- name: good_readings
-- How many good readings a device has sent since then; no more than enough are counted.
SELECT count(*) FROM (
    SELECT FROM reading
    WHERE reading.kind = %(kind)s AND reading.device = %(device)s AND reading.ts > %(since)s
      AND reading.quality & %(doubtful)s = 0
    LIMIT %(enough)s
) AS heard

-- name: case_history
-- Who did what, when and why.
SELECT case_event.id, case_event.at, case_event.event, case_event.state, case_event.actor, case_event.reason
FROM case_event JOIN dispatch_case ON dispatch_case.id = case_event.case_id
WHERE dispatch_case.number = %(number)s ORDER BY case_event.id

-- name: case_alarms
-- The alarms of a case.
SELECT alarm.id, alarm.rule_id, alarm.severity, alarm.active, alarm.acknowledged, alarm.raised_at, alarm.cleared_at,
       alarm.occurrences
FROM alarm JOIN case_alarm ON case_alarm.alarm_id = alarm.id
JOIN dispatch_case ON dispatch_case.id = case_alarm.case_id
WHERE dispatch_case.number = %(number)s ORDER BY alarm.id

-- name: save_campaign
-- A campaign by its name: new, or with another due date.
INSERT INTO campaign (name, due) VALUES (%(name)s, %(due)s)
ON CONFLICT (name) DO UPDATE SET due = excluded.due
RETURNING id

-- name: join_campaign
-- A case belongs to a campaign.
UPDATE dispatch_case SET campaign = %(campaign)s WHERE id = %(case_id)s

-- name: answer_sheet
-- The answer to a supervision sheet; the number of its case.
UPDATE sheet SET answered_at = %(at)s, answered_by = %(by)s, answer = %(answer)s
FROM dispatch_case
WHERE sheet.number = %(number)s AND sheet.answered_at IS NULL AND dispatch_case.id = sheet.case_id
RETURNING dispatch_case.number

-- name: carried_cases
-- The cases that a case carries, or has carried to the end.
-- with case_row
WHERE parent.number = %(number)s ORDER BY dispatch_case.id

-- part: sheet_row
-- A supervision sheet as people read it.
SELECT sheet.number, dispatch_case.number AS case_number, sheet.colour, sheet.because, sheet.unit, unit.name_en, unit.name_zh,
       sheet.recipients, sheet.points, sheet.issued_at, sheet.reply_by, sheet.answered_at, sheet.answered_by, sheet.answer
FROM sheet JOIN dispatch_case ON dispatch_case.id = sheet.case_id JOIN unit ON unit.unit_id = sheet.unit

-- name: sheets_of_case
-- The supervision sheets of a case.
-- with sheet_row
WHERE dispatch_case.number = %(number)s ORDER BY sheet.id

-- name: list_sheets
-- Supervision sheets, those that wait for an answer longest first; null filters mean all.
-- with sheet_row
WHERE (%(unit)s::text IS NULL OR sheet.unit = %(unit)s)
  AND (%(colour)s::smallint IS NULL OR sheet.colour = %(colour)s)
  AND (%(everything)s OR sheet.answered_at IS NULL)
ORDER BY sheet.answered_at IS NOT NULL, sheet.reply_by, sheet.id
LIMIT %(limit)s

-- name: list_units
-- Units with their open cases: all, those past their deadline with no work reported, sheets without an answer.
SELECT unit.unit_id, unit.name_en, unit.name_zh,
       count(dispatch_case.id) AS open,
       count(*) FILTER (WHERE dispatch_case.done_at IS NULL
                          AND dispatch_case.fix_by < coalesce(dispatch_case.paused_at, %(at)s)) AS overdue,
       (SELECT count(*) FROM sheet WHERE sheet.unit = unit.unit_id AND sheet.answered_at IS NULL) AS unanswered
FROM unit LEFT JOIN dispatch_case ON dispatch_case.unit = unit.unit_id AND dispatch_case.open
GROUP BY unit.unit_id ORDER BY unit.unit_id

-- name: visits
-- Cases that are concluded, by whoever came or by themselves, with the rule that asked for them, from when to when, and
-- whether the trouble was there.
SELECT rule_id, device, (extract(epoch FROM opened_at) * 1000000)::bigint,
       (extract(epoch FROM closed_at) * 1000000)::bigint, coalesce(found = 'found', false)
FROM dispatch_case
WHERE rule_id <> '' AND (found IS NOT NULL OR outcome = 'self_recovered') AND closed_at IS NOT NULL
  AND opened_at < to_timestamp(%(until)s / 1e6) AND closed_at >= to_timestamp(%(since)s / 1e6)
