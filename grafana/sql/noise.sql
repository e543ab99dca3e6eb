-- name: now
SELECT count(DISTINCT facility.device) AS meters,
       count(DISTINCT alarm_list.device) FILTER (WHERE alarm_list.rule_id = 'NO-01') AS by_day,
       count(DISTINCT alarm_list.device) FILTER (WHERE alarm_list.rule_id IN ('NO-02', 'NO-03')) AS by_night,
       count(DISTINCT alarm_list.device) FILTER (WHERE alarm_list.rule_id = 'NO-04') AS construction,
       count(DISTINCT alarm_list.device) FILTER (WHERE alarm_list.rule_id = 'NO-06') AS invalid
FROM facility LEFT JOIN alarm_list ON alarm_list.device = facility.device AND alarm_list.active
WHERE facility.kind = 'noise' AND facility.district IN (${district:sqlstring})

-- name: levels
SELECT made.bucket AS "time", facility.name AS metric, made.laeq AS value
FROM noise_hour AS made JOIN facility USING (device)
WHERE $__timeFilter(made.bucket) AND facility.district IN (${district:sqlstring})
  AND made.device = ANY (ARRAY(SELECT loudest.device FROM noise_level AS loudest WHERE $__timeFilter(loudest.bucket)
                                 GROUP BY 1 ORDER BY max(greatest(loudest.ld, loudest.ln)) DESC NULLS LAST LIMIT 8))
ORDER BY 1

-- name: area
SELECT bucket AS "time", mean_ld, target FROM kpi_area_noise
WHERE $__timeFilter(bucket) AND district IS NULL
ORDER BY 1

-- name: compliance
SELECT month, CASE '$language' WHEN 'zh' THEN coalesce(facility.district_zh, '全市')
                               ELSE coalesce(facility.district_en, 'city') END AS district,
       kpi.point_nights, kpi.compliance, kpi.target
FROM kpi_night_compliance AS kpi
LEFT JOIN (SELECT DISTINCT district, district_en, district_zh FROM facility) AS facility USING (district)
ORDER BY month DESC, kpi.district NULLS FIRST LIMIT 60

-- name: points
SELECT facility.name, facility.road, made.day, made.ld, made.day_limit, made.day_ok, made.ln, made.night_limit,
       made.night_ok, made.ldn, made.vdr_day, made.vdr_night, facility.device
FROM noise_day AS made JOIN facility USING (device)
WHERE $__timeFilter(made.bucket) AND facility.district IN (${district:sqlstring})
ORDER BY made.day DESC, made.ln - made.night_limit DESC NULLS LAST LIMIT 200

-- name: vdr
SELECT bucket AS "time", sum(valid_minutes) / (60.0::double precision * sum(meters)) AS vdr
FROM rollup_noise_district
WHERE $__timeFilter(bucket) AND district IN (${district:sqlstring})
GROUP BY 1 ORDER BY 1
