-- name: facts
SELECT facility.device_id, facility.name, facility.kind,
       CASE '$language' WHEN 'zh' THEN facility.district_zh ELSE facility.district_en END AS district, facility.road,
       facility.road_class, facility.component_class, facility.circuit, facility.gateway, facility.owner,
       facility.maintainer, device_lag.last_ts, device_lag.lag_s, device_lag.readings
FROM facility LEFT JOIN device_lag USING (device)
WHERE facility.device::text = '$device'

-- name: place
SELECT lat, lon, name, device_id, kind, 1 AS severity, '' AS rules FROM facility WHERE device::text = '$device'

-- name: measurements
SELECT "time", metric || ' ' || unit AS metric, value
FROM measured('$device'::integer, $__timeFrom()::timestamptz, $__timeTo()::timestamptz, '$__interval'::interval)
ORDER BY 1

-- name: limits
SELECT name, value, standard_ref, nullif(valid_from, '-infinity') AS valid_from,
       nullif(valid_until, 'infinity') AS valid_until
FROM device_limit
WHERE device = '$device'::integer
ORDER BY name, device_limit.valid_from

-- name: alarms
SELECT severity, raised_at, cleared_at, rule_id, active, acknowledged, occurrences FROM alarm_list
WHERE device = '$device'::integer
ORDER BY raised_at DESC LIMIT 100

-- name: cases
SELECT number, severity, opened_at, problem, CASE '$language' WHEN 'zh' THEN unit_zh ELSE unit_en END AS unit, state,
       fix_by, closed_at, outcome, rework
FROM case_list
WHERE device = '$device'::integer
ORDER BY opened_at DESC LIMIT 100
