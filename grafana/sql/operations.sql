-- name: alarms_now
SELECT count(*) FILTER (WHERE severity = 4) AS critical, count(*) FILTER (WHERE severity = 3) AS major,
       count(*) FILTER (WHERE severity = 2) AS minor, count(*) FILTER (WHERE severity = 1) AS notice
FROM alarm_list
WHERE active AND NOT hushed AND district IN (${district:sqlstring})

-- name: cases_now
SELECT count(*) AS open, count(*) FILTER (WHERE at_risk AND NOT overdue) AS at_risk,
       count(*) FILTER (WHERE overdue) AS overdue
FROM case_list
WHERE open AND district IN (${district:sqlstring})

-- name: map
SELECT lat, lon, max(severity) AS severity, name, device_id, kind, string_agg(rule_id, ', ' ORDER BY severity DESC) AS rules
FROM alarm_list
WHERE active AND NOT hushed AND district IN (${district:sqlstring})
GROUP BY lat, lon, name, device_id, kind
ORDER BY severity LIMIT 5000

-- name: newest_alarms
SELECT severity, raised_at, rule_id, name, road, kind, acknowledged, occurrences, device
FROM alarm_list
WHERE active AND NOT hushed AND district IN (${district:sqlstring})
ORDER BY severity DESC, raised_at DESC LIMIT 50

-- name: cases_at_risk
SELECT severity, CASE WHEN done_at IS NULL AND NOT paused THEN extract(epoch FROM fix_by - $__timeTo()::timestamptz) END
           AS left_s, number, problem, name, road,
       CASE '$language' WHEN 'zh' THEN unit_zh ELSE unit_en END AS unit, state, colour, rework
FROM case_list
WHERE open AND district IN (${district:sqlstring})
ORDER BY overdue DESC, at_risk DESC, fix_by LIMIT 50

-- name: raised
SELECT $__timeGroup(raised_at, '1h') AS "time",
       count(*) FILTER (WHERE severity = 4) AS critical, count(*) FILTER (WHERE severity = 3) AS major,
       count(*) FILTER (WHERE severity = 2) AS minor, count(*) FILTER (WHERE severity = 1) AS notice
FROM alarm_list
WHERE $__timeFilter(raised_at) AND district IN (${district:sqlstring})
GROUP BY 1 ORDER BY 1

-- name: kpis
SELECT (SELECT sum(lit_minutes) / nullif(sum(known_minutes), 0)::double precision FROM kpi_lit_rate_district
        WHERE bucket = (SELECT ((latest AT TIME ZONE zone)::date - 1)::timestamp AT TIME ZONE zone FROM city_clock)
          AND district IN (${district:sqlstring})) AS lit_rate,
       (SELECT sum(intact) / nullif(sum(facilities), 0)::double precision FROM kpi_intact_rate
        WHERE district IN (${district:sqlstring})) AS intact_rate,
       (SELECT sum(linked_minutes) / nullif(sum(fan_minutes), 0)::double precision FROM kpi_linkage
        WHERE bucket >= (SELECT ((latest AT TIME ZONE zone)::date - 1)::timestamp AT TIME ZONE zone FROM city_clock)
          AND district IN (${district:sqlstring})) AS linkage,
       (SELECT sum(covered) / nullif(sum(bridges), 0)::double precision FROM kpi_bridge_coverage
        WHERE district IN (${district:sqlstring})) AS bridge_coverage

-- name: by_district
SELECT CASE '$language' WHEN 'zh' THEN facility.district_zh ELSE facility.district_en END AS district,
       count(DISTINCT alarm_list.id) FILTER (WHERE alarm_list.severity >= 3) AS severe,
       count(DISTINCT alarm_list.id) FILTER (WHERE alarm_list.severity < 3) AS slight
FROM alarm_list JOIN facility USING (device)
WHERE alarm_list.active AND NOT alarm_list.hushed AND facility.district IN (${district:sqlstring})
GROUP BY 1 ORDER BY 2 DESC
