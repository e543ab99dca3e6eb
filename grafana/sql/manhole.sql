-- name: now
SELECT count(DISTINCT facility.device) AS covers,
       count(DISTINCT alarm_list.device) FILTER (WHERE alarm_list.rule_id IN ('MH-01', 'MH-02')) AS open,
       count(DISTINCT alarm_list.device) FILTER (WHERE alarm_list.rule_id IN ('MH-05', 'MH-06')) AS water,
       count(DISTINCT alarm_list.device) FILTER (WHERE alarm_list.rule_id = 'MH-09') AS silent,
       count(DISTINCT alarm_list.device) FILTER (WHERE alarm_list.rule_id = 'MH-08') AS battery
FROM facility LEFT JOIN alarm_list ON alarm_list.device = facility.device AND alarm_list.active
WHERE facility.kind = 'manhole' AND facility.district IN (${district:sqlstring}) AND facility.road IN (${road:sqlstring})

-- name: map
SELECT facility.lat, facility.lon, coalesce(max(alarm_list.severity), 0) AS severity, facility.name, facility.device_id,
       facility.kind, string_agg(DISTINCT alarm_list.rule_id, ', ') AS rules
FROM facility LEFT JOIN alarm_list ON alarm_list.device = facility.device AND alarm_list.active
WHERE facility.kind = 'manhole' AND facility.district IN (${district:sqlstring}) AND facility.road IN (${road:sqlstring})
GROUP BY facility.lat, facility.lon, facility.name, facility.device_id, facility.kind
ORDER BY severity LIMIT 5000

-- name: openings
SELECT bucket AS "time", sum(openings) AS openings, sum(tilted) AS tilted FROM rollup_manhole_road
WHERE $__timeFilter(bucket) AND district IN (${district:sqlstring}) AND road IN (${road:sqlstring})
GROUP BY 1 ORDER BY 1

-- name: water
SELECT made.bucket AS "time", facility.name AS metric, max(made.water_level_max) AS value
FROM rollup_hour_manhole AS made JOIN facility USING (device)
WHERE $__timeFilter(made.bucket) AND facility.district IN (${district:sqlstring}) AND facility.road IN (${road:sqlstring})
  AND made.device = ANY (ARRAY(SELECT highest.device FROM manhole_day AS highest WHERE $__timeFilter(highest.bucket)
                                 GROUP BY 1 ORDER BY max(highest.water_level_max) DESC NULLS LAST LIMIT 10))
GROUP BY 1, 2 ORDER BY 1

-- name: open_covers
SELECT alarm_list.severity, alarm_list.raised_at, alarm_list.rule_id, alarm_list.name, alarm_list.road,
       alarm_list.acknowledged, alarm_list.occurrences, case_list.number,
       CASE '$language' WHEN 'zh' THEN case_list.unit_zh ELSE case_list.unit_en END AS unit, case_list.state, alarm_list.device
FROM alarm_list
LEFT JOIN case_list ON case_list.number = alarm_list.case_number
WHERE alarm_list.kind = 'manhole' AND alarm_list.active
  AND alarm_list.district IN (${district:sqlstring}) AND alarm_list.road IN (${road:sqlstring})
ORDER BY alarm_list.severity DESC, alarm_list.raised_at LIMIT 100

-- name: batteries
SELECT facility.name, facility.road, min(made.battery_pct_min) AS battery_pct, min(made.battery_v_min) AS battery_v,
       avg(made.rsrp_mean) AS rsrp, facility.device
FROM manhole_day AS made JOIN facility USING (device)
WHERE made.bucket >= $__timeTo()::timestamptz - interval '3 days' AND made.bucket <= $__timeTo()
  AND facility.district IN (${district:sqlstring}) AND facility.road IN (${road:sqlstring})
GROUP BY facility.name, facility.road, facility.device
ORDER BY battery_pct NULLS LAST LIMIT 20
