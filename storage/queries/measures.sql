-- name: lit_rate
-- Lamps that burn by group, by their last report within an hour before the moment asked for; one that sends no level
-- burns fully. Bit 24 is frozen, repeated.
SELECT grp, count(*)::float8 AS lamps, count(power)::float8 AS known, count(*) FILTER (WHERE lit)::float8 AS lit,
       count(*) FILTER (WHERE lit) / count(*)::float8 AS lit_rate_strict,
       count(*) FILTER (WHERE lit) / nullif(count(power), 0)::float8 AS lit_rate_known
FROM (
    SELECT member.grp, report.power, report.power >= member.share * member.rated * report.dim / 100 AS lit
    FROM unnest(%(devices)s::integer[], %(groups)s::integer[], %(rated_power)s::float8[],
                %(limit_power_lit)s::float8[]) AS member (device, grp, rated, share)
    CROSS JOIN LATERAL (
        SELECT (array_agg(active_power ORDER BY ts DESC) FILTER (WHERE active_power IS NOT NULL))[1] AS power,
               greatest(coalesce((array_agg(dim_level ORDER BY ts DESC) FILTER (WHERE dim_level IS NOT NULL))[1], 100), 1)
                   AS dim,
               (array_agg(dim_command ORDER BY ts DESC) FILTER (WHERE dim_command IS NOT NULL))[1] AS command
        FROM reading_streetlight AS reading
        WHERE reading.device = member.device AND reading.quality & 24 = 0
          AND reading.ts >= to_timestamp(%(at)s / 1e6) - interval '1 hour' AND reading.ts < to_timestamp(%(at)s / 1e6)
    ) AS report
    WHERE report.command IS DISTINCT FROM 0
) AS lamp
GROUP BY grp

-- name: intact_rate
-- Facilities without an open case of a fault of their own by group, at the moment asked for; as kpi_intact_rate_day.
SELECT grp, count(*)::float8 AS facilities, count(*) FILTER (WHERE faulty)::float8 AS faulty,
       count(*) FILTER (WHERE NOT faulty) / count(*)::float8 AS intact_rate
FROM (
    SELECT member.grp, EXISTS (
        SELECT FROM dispatch_case
        WHERE dispatch_case.device = member.device AND breaks_facility(problem) AND opened_at <= to_timestamp(%(at)s / 1e6)
          AND (closed_at IS NULL OR closed_at > to_timestamp(%(at)s / 1e6))) AS faulty
    FROM unnest(%(devices)s::integer[], %(groups)s::integer[]) AS member (device, grp)
) AS facility
GROUP BY grp

-- name: night_compliance
-- Nights of meters that watch an area within their limit by group, as kpi_night_compliance counts them.
SELECT grp, count(*)::float8 AS valid_nights, count(*) FILTER (WHERE made.night_ok)::float8 AS compliant_nights,
       count(*) FILTER (WHERE made.night_ok) / count(*)::float8 AS night_compliance
FROM unnest(%(devices)s::integer[], %(groups)s::integer[]) AS member (device, grp)
JOIN noise_area_day AS made ON made.device = member.device
WHERE made.night_ok IS NOT NULL AND made.day BETWEEN %(first_night)s::date AND %(last_night)s
GROUP BY grp

-- name: area_noise_mean
-- The mean of the valid day levels of meters that watch an area by group, as kpi_area_noise has it.
SELECT grp, count(*)::float8 AS points, avg(made.ld) AS day_mean
FROM unnest(%(devices)s::integer[], %(groups)s::integer[]) AS member (device, grp)
JOIN noise_area_day AS made ON made.device = member.device
WHERE made.vdr_day >= 0.75 AND made.day = %(day)s::date
GROUP BY grp
