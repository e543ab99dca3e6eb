-- name: now
SELECT (SELECT sum(bridges) FROM kpi_bridge_coverage WHERE district IN (${district:sqlstring})) AS bridges,
       (SELECT sum(covered) / nullif(sum(bridges), 0)::double precision FROM kpi_bridge_coverage
        WHERE district IN (${district:sqlstring})) AS coverage,
       count(*) FILTER (WHERE severity = 4) AS red, count(*) FILTER (WHERE severity = 3) AS orange,
       count(*) FILTER (WHERE severity = 2) AS yellow
FROM alarm_list
WHERE active AND kind IN ('bridge', 'group') AND rule_id LIKE 'BR-%' AND district IN (${district:sqlstring})

-- name: strain
SELECT made.bucket AS "time", facility.name AS metric, made.strain_max AS value
FROM bridge_hour AS made JOIN facility USING (device)
WHERE $__timeFilter(made.bucket) AND facility.district IN (${district:sqlstring})
  AND made.device = ANY (ARRAY(SELECT highest.device FROM rollup_day_bridge AS highest WHERE $__timeFilter(highest.bucket)
                                 GROUP BY 1 ORDER BY max(abs(highest.strain_max)) DESC NULLS LAST LIMIT 8))
  AND made.strain_max IS NOT NULL
ORDER BY 1

-- name: vehicles
SELECT made.bucket AS "time", sum(made.vehicles) AS vehicles, sum(made.overloaded) AS overloaded
FROM bridge_hour AS made JOIN facility USING (device)
WHERE $__timeFilter(made.bucket) AND made.vehicles > 0 AND facility.district IN (${district:sqlstring})
GROUP BY 1 ORDER BY 1

-- name: heaviest
SELECT facility.name, facility.road, max(made.gross_t_max) AS gross_t, sum(made.overloaded) AS overloaded,
       sum(made.vehicles) AS vehicles, facility.device
FROM bridge_hour AS made JOIN facility USING (device)
WHERE $__timeFilter(made.bucket) AND made.vehicles > 0 AND facility.district IN (${district:sqlstring})
GROUP BY facility.name, facility.road, facility.device
ORDER BY gross_t DESC LIMIT 20

-- name: wind
SELECT made.bucket AS "time", max(made.wind_speed_max) AS wind
FROM rollup_hour_bridge AS made JOIN facility USING (device)
WHERE $__timeFilter(made.bucket) AND made.wind_speed_max IS NOT NULL AND facility.district IN (${district:sqlstring})
GROUP BY 1 ORDER BY 1

-- name: vibration
SELECT made.bucket AS "time", facility.name AS metric, made.acceleration_rms AS value
FROM bridge_hour AS made JOIN facility USING (device)
WHERE $__timeFilter(made.bucket) AND facility.district IN (${district:sqlstring})
  AND made.device = ANY (ARRAY(SELECT highest.device FROM rollup_day_bridge AS highest WHERE $__timeFilter(highest.bucket)
                                 GROUP BY 1 ORDER BY max(highest.acceleration_peak_max) DESC NULLS LAST LIMIT 8))
  AND made.acceleration_rms IS NOT NULL
ORDER BY 1

-- name: alarms
SELECT severity, raised_at, rule_id, name, road, acknowledged, occurrences, device
FROM alarm_list
WHERE active AND rule_id LIKE 'BR-%' AND district IN (${district:sqlstring})
ORDER BY severity DESC, raised_at DESC LIMIT 100
