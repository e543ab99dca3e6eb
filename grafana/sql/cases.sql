-- name: now
SELECT count(*) FILTER (WHERE open) AS open, count(*) FILTER (WHERE at_risk AND NOT overdue) AS at_risk,
       count(*) FILTER (WHERE overdue) AS overdue, count(*) FILTER (WHERE open AND paused) AS paused,
       count(*) FILTER (WHERE open AND colour = 3) AS red
FROM case_list
WHERE district IN (${district:sqlstring}) AND unit IN (${unit:sqlstring})

-- name: flow
SELECT "time", sum(opened) AS opened, sum(closed) AS closed
FROM (
    SELECT $__timeGroup(opened_at, '1h') AS "time", 1 AS opened, 0 AS closed FROM case_list
    WHERE $__timeFilter(opened_at) AND district IN (${district:sqlstring}) AND unit IN (${unit:sqlstring})
    UNION ALL
    SELECT $__timeGroup(closed_at, '1h'), 0, 1 FROM case_list
    WHERE $__timeFilter(closed_at) AND district IN (${district:sqlstring}) AND unit IN (${unit:sqlstring})
) AS moved
GROUP BY 1 ORDER BY 1

-- name: by_state
SELECT state, count(*) AS cases FROM case_list
WHERE open AND district IN (${district:sqlstring}) AND unit IN (${unit:sqlstring})
GROUP BY 1 ORDER BY 2 DESC

-- name: nearest
SELECT severity, CASE WHEN done_at IS NULL AND NOT paused THEN extract(epoch FROM fix_by - $__timeTo()::timestamptz) END
           AS left_s, number, problem, name, road,
       CASE '$language' WHEN 'zh' THEN unit_zh ELSE unit_en END AS unit, state, colour, rework
FROM case_list
WHERE open AND district IN (${district:sqlstring}) AND unit IN (${unit:sqlstring})
ORDER BY fix_by LIMIT 200

-- name: kpis
SELECT kpi.month, CASE '$language' WHEN 'zh' THEN unit_list.name_zh ELSE unit_list.name_en END AS unit,
       sum(kpi.should_handle) AS should_handle, sum(kpi.handled) / sum(kpi.should_handle)::double precision AS handled,
       sum(kpi.handled_in_time) / sum(kpi.should_handle)::double precision AS on_time,
       sum(kpi.closed) / nullif(sum(kpi.should_close), 0)::double precision AS closed,
       sum(kpi.reworked) / nullif(sum(kpi.should_close), 0)::double precision AS rework,
       sum(kpi.overdue) / sum(kpi.should_handle)::double precision AS overdue
FROM kpi_cases AS kpi JOIN unit_list ON unit_list.unit_id = kpi.unit
WHERE kpi.district IN (${district:sqlstring}) AND kpi.unit IN (${unit:sqlstring})
GROUP BY kpi.month, unit_list.name_zh, unit_list.name_en
ORDER BY kpi.month DESC, on_time LIMIT 200

-- name: sheets
SELECT colour, number, case_number, CASE '$language' WHEN 'zh' THEN unit_zh ELSE unit_en END AS unit, because, points,
       issued_at, reply_by, answered_at
FROM sheet_list
WHERE district IN (${district:sqlstring}) AND unit IN (${unit:sqlstring})
ORDER BY answered_at NULLS FIRST, issued_at DESC LIMIT 200

-- name: told
SELECT channel, state, count(*) AS notifications, max(attempts) AS attempts FROM notification_list
WHERE $__timeFilter(created_at)
GROUP BY 1, 2 ORDER BY 1, 2
