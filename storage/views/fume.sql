-- name: fume_hour
-- Each restaurant by the hour: mean fume concentration while the fan runs against the limit in force, minutes of fan and
-- purifier. A warning, not evidence: GB 18483-2001 converts what a laboratory measures.
SELECT made.bucket, made.device, made.cooking_fume / nullif(made.cooking_fume_n, 0) AS fume_mean,
       made.fume_max, made.cooking_fume_n, fume_limit.value AS fume_limit,
       made.cooking_fume / nullif(made.cooking_fume_n, 0) > fume_limit.value AS exceeded,
       made.fan_minutes, made.purifier_minutes, made.linked_minutes
FROM rollup_hour_fume AS made
LEFT JOIN device_limit AS fume_limit ON fume_limit.device = made.device AND fume_limit.name = 'fume'
    AND made.bucket >= fume_limit.since AND made.bucket < fume_limit.until

-- name: fume_day
-- Each restaurant by local day: linkage rate (联动率) = minutes in which fan and purifier ran together by minutes in which
-- the fan ran, mean concentration while the fan ran.
SELECT made.bucket, made.day, made.device, made.fan_minutes, made.purifier_minutes, made.linked_minutes,
       made.linked_minutes / nullif(made.fan_minutes, 0)::double precision AS linkage,
       made.cooking_fume / nullif(made.cooking_fume_n, 0) AS fume_mean, made.fume_max
FROM rollup_day_fume AS made

-- name: kpi_linkage
-- Linkage rate (联动率) by district and local day, over all minutes of all fans, and restaurants below 90 % (project
-- default).
SELECT made.bucket, made.day, device.district, count(*) AS restaurants, sum(made.fan_minutes) AS fan_minutes,
       sum(made.linked_minutes) AS linked_minutes,
       sum(made.linked_minutes) / sum(made.fan_minutes)::double precision AS linkage,
       count(*) FILTER (WHERE made.linkage < 0.9) AS below, 0.9 AS target
FROM fume_day AS made JOIN device ON device.id = made.device
WHERE made.fan_minutes > 0
GROUP BY made.bucket, made.day, device.district

-- name: kpi_fume_exceedance
-- Exceedance (超标率) by district and local day: restaurant-hours whose mean concentration is over the limit by
-- restaurant-hours in which the fan ran.
SELECT made.bucket, made.day, device.district, sum(counted.hours)::bigint AS hours,
       sum(counted.hours_over)::bigint AS hours_over,
       sum(counted.hours_over) / sum(counted.hours)::double precision AS exceedance
FROM rollup_day_fume AS made
JOIN device ON device.id = made.device
JOIN device_limit AS fume_limit ON fume_limit.device = made.device AND fume_limit.name = 'fume'
    AND made.day >= fume_limit.valid_from AND made.day < fume_limit.valid_until
-- Counted within each day first: one row of a day instead of one of an hour is held against the rest.
CROSS JOIN LATERAL (
    SELECT count(*) AS hours, count(*) FILTER (WHERE mean > fume_limit.value) AS hours_over
    FROM unnest(made.cooking_fume_hours) AS hour (mean)
) AS counted
WHERE made.cooking_fume_hours IS NOT NULL AND fume_limit.value IS NOT NULL
GROUP BY made.bucket, made.day, device.district
