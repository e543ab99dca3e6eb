-- name: now
SELECT count(DISTINCT facility.device) AS lamps,
       count(DISTINCT alarm_list.device) FILTER (WHERE alarm_list.rule_id = 'SL-01') AS dark,
       count(DISTINCT alarm_list.device) FILTER (WHERE alarm_list.rule_id = 'SL-03') AS day_burners,
       count(DISTINCT alarm_list.device) FILTER (WHERE alarm_list.rule_id = 'SL-04') AS leaking,
       count(DISTINCT alarm_list.device) FILTER (WHERE alarm_list.rule_id = 'SL-07') AS silent
FROM facility LEFT JOIN alarm_list ON alarm_list.device = facility.device AND alarm_list.active
WHERE facility.kind = 'streetlight' AND facility.district IN (${district:sqlstring})
  AND facility.road IN (${road:sqlstring})

-- name: lit_rate
SELECT bucket AS "time", sum(lit_minutes) / nullif(sum(known_minutes), 0)::double precision AS known,
       sum(lit_minutes) / nullif(sum(expected_minutes), 0)::double precision AS strict, max(target) AS target
FROM kpi_lit_rate_road
WHERE $__timeFilter(bucket) AND district IN (${district:sqlstring}) AND road IN (${road:sqlstring})
GROUP BY 1 ORDER BY 1

-- name: roads
SELECT road, road_class, max(lamps) AS lamps, sum(lit_minutes) / nullif(sum(known_minutes), 0)::double precision AS known,
       sum(lit_minutes) / nullif(sum(expected_minutes), 0)::double precision AS strict, max(target) AS target
FROM kpi_lit_rate_road
WHERE $__timeFilter(bucket) AND district IN (${district:sqlstring}) AND road IN (${road:sqlstring})
GROUP BY road, road_class
ORDER BY strict NULLS FIRST LIMIT 100

-- name: map
SELECT facility.lat, facility.lon, max(alarm_list.severity) AS severity, facility.name, facility.device_id,
       facility.kind, string_agg(DISTINCT alarm_list.rule_id, ', ') AS rules
FROM alarm_list JOIN facility USING (device)
WHERE alarm_list.active AND facility.kind = 'streetlight' AND facility.district IN (${district:sqlstring})
  AND facility.road IN (${road:sqlstring})
GROUP BY facility.lat, facility.lon, facility.name, facility.device_id, facility.kind
ORDER BY severity LIMIT 5000

-- name: energy
SELECT bucket AS "time", sum(energy_kwh) AS energy, sum(silent_kwh) AS silent
FROM kpi_energy_road
WHERE $__timeFilter(bucket) AND district IN (${district:sqlstring}) AND road IN (${road:sqlstring})
GROUP BY 1 ORDER BY 1

-- name: faults
SELECT alarm_list.severity, alarm_list.raised_at, alarm_list.rule_id, alarm_list.name, alarm_list.road,
       alarm_list.acknowledged, alarm_list.occurrences, facility.circuit,
       facility.cabinet, alarm_list.hushed, alarm_list.device
FROM alarm_list JOIN facility USING (device)
WHERE alarm_list.active AND alarm_list.kind IN ('streetlight', 'group') AND alarm_list.rule_id LIKE 'SL-%'
  AND alarm_list.district IN (${district:sqlstring}) AND alarm_list.road IN (${road:sqlstring})
ORDER BY alarm_list.severity DESC, alarm_list.raised_at LIMIT 200
