-- name: alarms
SELECT raised_at AS "time", coalesce(cleared_at, $__timeTo()) AS timeend, rule_id || ' ' || name AS text,
       kind || ',' || district AS tags
FROM alarm_list
WHERE $__timeFilter(raised_at) AND severity >= 3 AND NOT hushed
ORDER BY raised_at DESC LIMIT 200

-- name: cases
SELECT opened_at AS "time", coalesce(closed_at, $__timeTo()) AS timeend, number || ' ' || name AS text,
       problem || ',' || unit AS tags
FROM case_list
WHERE $__timeFilter(opened_at) AND severity >= 3
ORDER BY opened_at DESC LIMIT 200
