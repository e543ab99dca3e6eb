-- name: now
SELECT count(DISTINCT facility.device) AS restaurants,
       count(DISTINCT alarm_list.device) FILTER (WHERE alarm_list.rule_id IN ('FU-01', 'FU-02')) AS over_limit,
       count(DISTINCT alarm_list.device) FILTER (WHERE alarm_list.rule_id = 'FU-03') AS purifier_off,
       count(DISTINCT alarm_list.device) FILTER (WHERE alarm_list.rule_id = 'FU-06') AS suspicious,
       count(DISTINCT alarm_list.device) FILTER (WHERE alarm_list.rule_id = 'FU-07') AS cleaning_due
FROM facility LEFT JOIN alarm_list ON alarm_list.device = facility.device AND alarm_list.active
WHERE facility.kind = 'fume' AND facility.district IN (${district:sqlstring})

-- name: linkage
SELECT bucket AS "time", sum(linked_minutes) / nullif(sum(fan_minutes), 0)::double precision AS linkage
FROM kpi_linkage
WHERE $__timeFilter(bucket) AND district IN (${district:sqlstring})
GROUP BY 1 ORDER BY 1

-- name: exceedance
SELECT bucket AS "time", sum(hours_over) / sum(hours)::double precision AS exceedance FROM kpi_fume_exceedance
WHERE $__timeFilter(bucket) AND district IN (${district:sqlstring})
GROUP BY 1 ORDER BY 1

-- name: highest
SELECT made.bucket AS "time", facility.name AS metric, made.fume_mean AS value
FROM fume_hour AS made JOIN facility USING (device)
WHERE $__timeFilter(made.bucket) AND facility.district IN (${district:sqlstring})
  AND made.device = ANY (ARRAY(SELECT highest.device FROM fume_day AS highest WHERE $__timeFilter(highest.bucket)
                                 GROUP BY 1 ORDER BY max(highest.fume_mean) DESC NULLS LAST LIMIT 8))
ORDER BY 1

-- name: restaurants
SELECT facility.name, facility.road, sum(made.fan_minutes) / 60.0 AS fan_h, sum(made.purifier_minutes) / 60.0 AS purifier_h,
       sum(made.linked_minutes) / nullif(sum(made.fan_minutes), 0)::double precision AS linkage,
       max(made.fume_max) AS fume_max, facility.device
FROM fume_day AS made JOIN facility USING (device)
WHERE $__timeFilter(made.bucket) AND facility.district IN (${district:sqlstring})
GROUP BY facility.name, facility.road, facility.device
ORDER BY linkage NULLS LAST LIMIT 100
