-- name: standings
-- Cases as their histories have them up to an entry, a sheet and a moment: those with a deadline in a stretch of time;
-- without one those of these numbers, or else those that may have been open then. Work that was sent back is not done.
SELECT dispatch_case.id, dispatch_case.number, dispatch_case.district, device.grid, device.road, device.device_id,
       device.name AS facility, dispatch_case.problem, dispatch_case.rule_id AS rule, dispatch_case.severity,
       dispatch_case.opened_at, told.state, told.unit, told.fix_by, told.found, told.stopped_at,
       CASE WHEN told.finished > told.undone THEN told.finished_at END AS done_at, told.closed_because,
       told.rework, told.delays, told.bounces, coalesce(sheets.colour, 0) AS colour, coalesce(sheets.points, 0) AS points
FROM (
    SELECT case_id,
           (array_agg(state ORDER BY id DESC))[1] AS state,
           (array_agg(unit ORDER BY id DESC))[1] AS unit,
           (array_agg(fix_by ORDER BY id DESC))[1] AS fix_by,
           (array_agg(found ORDER BY id DESC))[1] AS found,
           (array_agg(at ORDER BY id DESC) FILTER (WHERE event = 'suspend'))[1] AS stopped_at,
           coalesce(max(id) FILTER (WHERE event = 'finish'), 0) AS finished,
           (array_agg(at ORDER BY id DESC) FILTER (WHERE event = 'finish'))[1] AS finished_at,
           coalesce(max(id) FILTER (WHERE event IN ('fail_check', 'reopen')), 0) AS undone,
           coalesce((array_agg(reason ORDER BY id DESC) FILTER (WHERE event = 'close'))[1], '') AS closed_because,
           count(*) FILTER (WHERE event IN ('fail_check', 'reopen')) AS rework,
           count(*) FILTER (WHERE event = 'grant_delay') AS delays,
           count(*) FILTER (WHERE event = 'return') AS bounces
    FROM case_event
    WHERE id <= %(through_event)s AND at <= %(at)s AND case_id IN (
        SELECT case_id FROM case_event WHERE fix_by >= %(since)s::timestamptz AND fix_by < %(until)s::timestamptz
        UNION ALL
        SELECT unnest(%(ids)s::bigint[])
        UNION ALL
        SELECT id FROM dispatch_case
        WHERE %(since)s::timestamptz IS NULL AND %(ids)s::bigint[] IS NULL
          AND opened_at <= %(at)s AND (open OR closed_at > %(at)s))
    GROUP BY case_id
) AS told
JOIN dispatch_case ON dispatch_case.id = told.case_id
JOIN device ON device.id = dispatch_case.device
LEFT JOIN LATERAL (
    SELECT max(sheet.colour) AS colour, sum(sheet.points)::integer AS points FROM sheet
    WHERE sheet.case_id = told.case_id AND sheet.id <= %(through_sheet)s AND sheet.issued_at <= %(at)s
) AS sheets ON true
WHERE %(since)s::timestamptz IS NULL OR (told.fix_by >= %(since)s::timestamptz AND told.fix_by < %(until)s::timestamptz)
ORDER BY told.fix_by, dispatch_case.id

-- name: names
-- What units and districts are called.
SELECT unit_id AS key, name_en, name_zh FROM unit
UNION ALL
SELECT district_id, name_en, name_zh FROM district WHERE district_id NOT IN (SELECT unit_id FROM unit)

-- name: last_entries
-- How far the books are written.
SELECT coalesce((SELECT max(id) FROM case_event), 0), coalesce((SELECT max(id) FROM sheet), 0)

-- name: insert_close
-- A month is closed; nothing where it was before.
INSERT INTO month_close (month, closed_at, closed_by, through_event, through_sheet)
VALUES (%(month)s, %(at)s, %(by)s, %(through_event)s, %(through_sheet)s)
ON CONFLICT DO NOTHING
RETURNING month

-- name: insert_score
-- What was counted of a unit or an area when its month was closed.
INSERT INTO month_score (month, by, key, counts, score) VALUES (%(month)s, %(by)s, %(key)s, %(counts)s, %(score)s)

-- name: closes
-- The closed months among these.
SELECT month, closed_at, closed_by, through_event, through_sheet FROM month_close
WHERE month = ANY (%(months)s::date[]) ORDER BY month

-- name: frozen_scores
-- What was counted when a month was closed.
SELECT by, key, counts, score FROM month_score WHERE month = %(month)s ORDER BY by, key

-- name: opened_between
-- How many cases were opened in a stretch of time; reports that were never filed among them.
SELECT count(*) FROM dispatch_case WHERE opened_at >= %(since)s AND opened_at < %(until)s

-- name: sheets_between
-- The supervision sheets that were issued in a stretch of time, the gravest first.
SELECT sheet.number, dispatch_case.number AS case_number, sheet.unit, sheet.colour, sheet.because, sheet.points,
       sheet.issued_at, sheet.reply_by, sheet.answered_at, sheet.answer
FROM sheet JOIN dispatch_case ON dispatch_case.id = sheet.case_id
WHERE sheet.issued_at >= %(since)s AND sheet.issued_at < %(until)s
ORDER BY sheet.colour DESC, sheet.issued_at, sheet.id

-- name: watch_events
-- What happened to the alarms of the watch list's rule until a moment, with the newest case of each alarm.
SELECT device.device_id AS restaurant, device.name, device.district, device.road, event.event, event.at,
       coalesce((SELECT dispatch_case.number FROM case_alarm
                 JOIN dispatch_case ON dispatch_case.id = case_alarm.case_id
                 WHERE case_alarm.alarm_id = alarm.id ORDER BY dispatch_case.id DESC LIMIT 1), '') AS number
FROM alarm
JOIN alarm_event AS event ON event.alarm_id = alarm.id
JOIN device ON device.id = alarm.device
WHERE alarm.rule_id = %(rule)s AND event.event = ANY (%(events)s::text[]) AND event.at < %(until)s
ORDER BY event.id

-- name: targets
-- The city's figures of a month against their targets: of its days, of its last day, or as it is now for bridges.
SELECT 'lit_rate' AS key, 'percent' AS unit,
       100 * sum(lit_minutes) / nullif(sum(expected_minutes), 0)::double precision AS actual, 98.0 AS target, false AS below
FROM kpi_lit_rate_district WHERE bucket >= %(since)s AND bucket < %(until)s
UNION ALL
SELECT 'intact_rate', 'percent', 100 * sum(intact) / nullif(sum(facilities), 0)::double precision, 95.0, false
FROM kpi_intact_rate_day WHERE kind = 'streetlight' AND day = (
    SELECT max(day) FROM kpi_intact_rate_day WHERE day BETWEEN %(first)s AND %(last)s)
UNION ALL
SELECT 'night_compliance', 'percent', 100 * max(compliance), 75.0, false
FROM kpi_night_compliance WHERE month = %(first)s AND district IS NULL
UNION ALL
SELECT 'area_noise', 'decibel', avg(mean_ld), 60.0, true
FROM kpi_area_noise WHERE bucket >= %(since)s AND bucket < %(until)s AND district IS NULL
UNION ALL
SELECT 'linkage', 'percent', 100 * sum(linked_minutes) / nullif(sum(fan_minutes), 0)::double precision, 90.0, false
FROM kpi_linkage WHERE bucket >= %(since)s AND bucket < %(until)s
UNION ALL
SELECT 'bridge_coverage', 'percent', 100 * sum(covered) / nullif(sum(bridges), 0)::double precision, 100.0, false
FROM kpi_bridge_coverage

-- name: ledger
-- The cases that were opened in a stretch of time, one line each; null filters and no limit mean all.
SELECT dispatch_case.number, dispatch_case.opened_at, coalesce(nullif(dispatch_case.rule_id, ''), 'people') AS source,
       dispatch_case.problem, dispatch_case.severity, device.name AS facility, device.device_id, device.kind,
       dispatch_case.district, device.grid, device.road, dispatch_case.unit, dispatch_case.reason, dispatch_case.state,
       dispatch_case.accept_by, dispatch_case.accepted_at, dispatch_case.arrive_by, dispatch_case.arrived_at,
       dispatch_case.safe_at, dispatch_case.fix_by, dispatch_case.done_at, dispatch_case.closed_at,
       dispatch_case.outcome, dispatch_case.found, dispatch_case.rework AS reworks, dispatch_case.delays,
       dispatch_case.bounces, dispatch_case.colour, coalesce(sheets.points, 0) AS points, parent.number AS parent,
       dispatch_case.incident, campaign.name AS campaign
FROM dispatch_case
JOIN device ON device.id = dispatch_case.device
LEFT JOIN dispatch_case AS parent ON parent.id = dispatch_case.parent
LEFT JOIN campaign ON campaign.id = dispatch_case.campaign
LEFT JOIN LATERAL (
    SELECT sum(sheet.points)::integer AS points FROM sheet WHERE sheet.case_id = dispatch_case.id
) AS sheets ON true
WHERE dispatch_case.opened_at >= %(since)s AND dispatch_case.opened_at < %(until)s
  AND (%(unit)s::text IS NULL OR dispatch_case.unit = %(unit)s OR %(unit)s = ANY (dispatch_case.joint))
  AND (%(district)s::text IS NULL OR dispatch_case.district = %(district)s)
ORDER BY dispatch_case.id
LIMIT %(most)s::bigint
