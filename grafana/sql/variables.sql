-- name: district
SELECT DISTINCT district AS __value,
       CASE '$language' WHEN 'zh' THEN district_zh ELSE district_en END AS __text
FROM facility ORDER BY 2

-- name: grid
SELECT DISTINCT grid FROM facility WHERE district IN (${district:sqlstring}) ORDER BY 1

-- name: road
SELECT DISTINCT road FROM facility WHERE district IN (${district:sqlstring}) ORDER BY 1

-- name: kind
SELECT DISTINCT kind FROM facility ORDER BY 1

-- name: unit
SELECT unit_id AS __value, CASE '$language' WHEN 'zh' THEN name_zh ELSE name_en END AS __text
FROM unit_list ORDER BY 2

-- name: device
SELECT device::text AS __value, device_id || ' ' || name AS __text FROM facility
WHERE district IN (${district:sqlstring}) AND kind IN (${kind:sqlstring}) ORDER BY 2 LIMIT 5000

-- name: console
SELECT url FROM console_link
