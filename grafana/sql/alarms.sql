-- name: standing
SELECT sum(active) AS active, sum(unacknowledged) AS unacknowledged, sum(stale) AS stale
FROM kpi_alarm_standing
WHERE district IN (${district:sqlstring})

-- name: load
SELECT $__timeGroup(raised_at, '10m') AS "time", count(*) AS raised FROM alarm_list
WHERE $__timeFilter(raised_at) AND district IN (${district:sqlstring})
GROUP BY 1 ORDER BY 1

-- name: days
SELECT day, CASE '$language' WHEN 'zh' THEN seat.district_zh ELSE seat.district_en END AS district, raised,
       per_10_minutes, peak_10_minutes, flood_share, critical, major, minor, notice
FROM kpi_alarm_load JOIN (SELECT DISTINCT district, district_en, district_zh FROM facility) AS seat USING (district)
WHERE $__timeFilter(bucket) AND district IN (${district:sqlstring})
ORDER BY day DESC, raised DESC LIMIT 200

-- name: top_ten
SELECT rule_id, sum(raised) AS raised, sum(raised) / sum(sum(raised)) OVER () AS share, sum(chattering) AS chattering
FROM kpi_alarm_nuisance
WHERE $__timeFilter(bucket) AND district IN (${district:sqlstring})
GROUP BY 1 ORDER BY 2 DESC LIMIT 10

-- name: bad_actors
SELECT name, device_id, rule_id, occurrences, chatter, raised_at, device FROM alarm_list
WHERE district IN (${district:sqlstring}) AND $__timeFilter(raised_at)
ORDER BY occurrences DESC, chatter DESC LIMIT 20

-- name: priorities
SELECT count(*) FILTER (WHERE severity >= 4) / nullif(count(*), 0)::double precision AS critical,
       count(*) FILTER (WHERE severity = 3) / nullif(count(*), 0)::double precision AS major,
       count(*) FILTER (WHERE severity <= 2) / nullif(count(*), 0)::double precision AS low
FROM alarm_list
WHERE $__timeFilter(raised_at) AND district IN (${district:sqlstring})
