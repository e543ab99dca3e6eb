-- name: case_totals
-- Open cases at a glance: all, past their deadline, at risk, that nobody has accepted in time, waiting for a decision.
-- Neither late nor at risk is what is done, or whose clock was stopped in time.
SELECT count(*) AS open,
       count(*) FILTER (WHERE done_at IS NULL AND fix_by < coalesce(paused_at, %(now)s)) AS overdue,
       count(*) FILTER (WHERE done_at IS NULL AND paused_at IS NULL AND white_at <= %(now)s AND fix_by >= %(now)s)
           AS at_risk,
       count(*) FILTER (WHERE state IN ('dispatched', 'returned') AND accept_by < %(now)s) AS unattended,
       count(*) FILTER (WHERE state IN ('reported', 'returned', 'unverifiable') OR delay IS NOT NULL) AS undecided
FROM dispatch_case WHERE open

-- name: alarm_totals
-- Open alarms at a glance: active and announced by severity, those nobody has acknowledged, hushed ones by why.
SELECT count(*) FILTER (WHERE active AND NOT hushed AND severity = 4) AS critical,
       count(*) FILTER (WHERE active AND NOT hushed AND severity = 3) AS major,
       count(*) FILTER (WHERE active AND NOT hushed AND severity = 2) AS minor,
       count(*) FILTER (WHERE active AND NOT hushed AND severity = 1) AS notice,
       count(*) FILTER (WHERE NOT acknowledged AND NOT hushed) AS unacknowledged,
       count(*) FILTER (WHERE shelved_until IS NOT NULL) AS shelved,
       count(*) FILTER (WHERE suppressed_by IS NOT NULL) AS suppressed,
       count(*) FILTER (WHERE permit IS NOT NULL) AS out_of_service
FROM alarm WHERE active OR NOT acknowledged OR hushed

-- name: troubled_places
-- Facilities with an open case, or an alarm that nobody has seen yet, within a box, one row a cell of a grid: how many,
-- how severe the worst is and which that is, where they are on average. Degrees; null filters mean all.
SELECT place.facilities, place.severity, place.lon, place.lat, worst.device_id, worst.name
FROM (
    SELECT count(*)::integer AS facilities, max(troubled.severity) AS severity, avg(device.lon) AS lon,
           avg(device.lat) AS lat, max((troubled.severity::bigint << 32) | troubled.device) AS worst
    FROM (
        SELECT device, max(severity) AS severity
        FROM (
            SELECT device, severity FROM dispatch_case
            WHERE open AND (%(district)s::text IS NULL OR district = %(district)s)
              AND (%(unit)s::text IS NULL OR unit = %(unit)s OR %(unit)s = ANY (joint))
            UNION ALL
            SELECT device, severity FROM alarm
            WHERE active AND NOT acknowledged AND NOT hushed AND %(unit)s::text IS NULL
        ) AS trouble
        WHERE %(severity)s::smallint IS NULL OR severity >= %(severity)s
        GROUP BY device
    ) AS troubled
    JOIN device ON device.id = troubled.device
    WHERE device.lon BETWEEN %(west)s AND %(east)s AND device.lat BETWEEN %(south)s AND %(north)s
      AND (%(kind)s::text IS NULL OR device.kind = %(kind)s)
      AND (%(district)s::text IS NULL OR device.district = %(district)s)
    GROUP BY floor(device.lon / %(cell)s), floor(device.lat / %(cell)s)
) AS place
JOIN device AS worst ON worst.id = (place.worst & 4294967295)::integer
ORDER BY place.severity, place.facilities

-- name: ground
-- Where there are facilities at all, one point a cell of a grid of some metres; at most so many, spread over the city.
SELECT lon, lat FROM (
    SELECT DISTINCT round(lon::numeric, 4)::double precision AS lon, round(lat::numeric, 4)::double precision AS lat
    FROM device WHERE kind <> 'group') AS point
ORDER BY hashfloat8(lon + lat) LIMIT %(limit)s

-- name: alarms_of_cases
-- The alarms of some cases.
SELECT DISTINCT case_alarm.alarm_id FROM case_alarm JOIN dispatch_case ON dispatch_case.id = case_alarm.case_id
WHERE dispatch_case.number = ANY (%(numbers)s::char(19)[])
ORDER BY 1
