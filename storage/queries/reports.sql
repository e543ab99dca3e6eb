-- name: standings
-- Cases as their histories have them up to an entry, a sheet and a moment: those with a deadline in a stretch of time, or,
-- without one, those that may have been open at the moment. Work that was sent back does not stand as done.
SELECT dispatch_case.id, dispatch_case.number, dispatch_case.district, device.grid, device.road, device.device_id,
       device.name AS facility, dispatch_case.problem, dispatch_case.rule_id AS rule, dispatch_case.severity,
       dispatch_case.opened_at, told.state, told.unit, told.fix_by, told.found,
       CASE WHEN told.finished > told.undone THEN told.finished_at END AS done_at, told.closed_because,
       told.rework, told.delays, told.bounces, coalesce(sheets.colour, 0) AS colour, coalesce(sheets.points, 0) AS points
FROM (
    SELECT case_id,
           (array_agg(state ORDER BY id DESC))[1] AS state,
           (array_agg(unit ORDER BY id DESC))[1] AS unit,
           (array_agg(fix_by ORDER BY id DESC))[1] AS fix_by,
           (array_agg(found ORDER BY id DESC))[1] AS found,
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
        SELECT id FROM dispatch_case
        WHERE %(since)s::timestamptz IS NULL AND opened_at <= %(at)s AND (open OR closed_at > %(at)s))
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
