-- name: noise_hour
-- Each noise meter by the hour: LAeq as energy mean of the valid minutes, L10, L50 and L90 of the one-minute levels by
-- classes of 0.5 dB (within 0.5 dB of the exact percentile), the valid data rate (VDR, HJ 906-2017; valid from 75 %), and
-- whether the hour is of the night, by its beginning.
SELECT made.bucket, made.device, decibels(made.laeq_energy, made.laeq_valid_n) AS laeq,
       classes_quantile(made.laeq_classes, 0.9, 30, 0.5) AS l10,
       classes_quantile(made.laeq_classes, 0.5, 30, 0.5) AS l50,
       classes_quantile(made.laeq_classes, 0.1, 30, 0.5) AS l90, made.lmax_max AS lmax, made.lmin_min AS lmin,
       made.laeq_valid_minutes / 60.0::double precision AS vdr, made.laeq_valid_minutes >= 45 AS valid,
       CASE WHEN city_clock.night_start > city_clock.night_end
           THEN (made.bucket AT TIME ZONE city_clock.zone)::time >= city_clock.night_start
             OR (made.bucket AT TIME ZONE city_clock.zone)::time < city_clock.night_end
           ELSE (made.bucket AT TIME ZONE city_clock.zone)::time >= city_clock.night_start
            AND (made.bucket AT TIME ZONE city_clock.zone)::time < city_clock.night_end END AS night,
       made.laeq_energy, made.laeq_valid_n, made.laeq_valid_minutes
FROM rollup_hour_noise AS made CROSS JOIN city_clock

-- name: rollup_noise_district
-- Noise meters by the hour and district: how many sent something, and their minutes with a valid level.
SELECT made.bucket, device.district, count(*) AS meters, sum(made.laeq_valid_minutes) AS valid_minutes
FROM rollup_hour_noise AS made JOIN device ON device.id = made.device
GROUP BY 1, 2

-- name: noise_level
-- Each noise meter by the day and the night that follows it (by default 06:00 to 22:00 and 22:00 to 06:00), whatever its
-- limits: Ld and Ln as energy means, Ldn = 10 lg((d 10^(Ld/10) + n 10^((Ln+10)/10)) / (d + n)) with the hours d and n of
-- day and night (16 and 8), the night 10 dB louder; VDR of both.
SELECT bucket, day, device, ld, ln,
       10 * log(((24 - night_hours) * power(10, ld / 10) + night_hours * power(10, (ln + 10) / 10)) / 24) AS ldn,
       lmax_night, vdr_day, vdr_night
FROM (
    SELECT half.bucket, half.day, made.device, hours.night AS night_hours,
           decibels(sum(energy_day), sum(n_day)) AS ld, decibels(sum(energy_night), sum(n_night)) AS ln,
           max(lmax_night) AS lmax_night, coalesce(sum(minutes_day), 0) / ((24 - hours.night) * 60) AS vdr_day,
           coalesce(sum(minutes_night), 0) / (hours.night * 60) AS vdr_night
    FROM city_clock
    CROSS JOIN LATERAL (
        SELECT extract(epoch FROM city_clock.night_end - city_clock.night_start)::double precision / 3600
               + CASE WHEN city_clock.night_start > city_clock.night_end THEN 24 ELSE 0 END
    ) AS hours (night)
    CROSS JOIN rollup_day_noise AS made
    CROSS JOIN LATERAL (VALUES
        (made.bucket, made.day, made.laeq_energy_day, made.laeq_valid_n_day, made.laeq_valid_minutes_day,
         made.laeq_energy_late, made.laeq_valid_n_late, made.laeq_valid_minutes_late, made.lmax_max_late),
        ((made.day - 1)::timestamp AT TIME ZONE city_clock.zone, made.day - 1, NULL, NULL, NULL,
         made.laeq_energy_early, made.laeq_valid_n_early, made.laeq_valid_minutes_early, made.lmax_max_early)
    ) AS half (bucket, day, energy_day, n_day, minutes_day, energy_night, n_night, minutes_night, lmax_night)
    -- Nobody asks for a part of a day that has been settled.
    WHERE made.bucket >= coalesce((SELECT until FROM settled_view WHERE name = 'noise_level'), '-infinity')
      AND coalesce(half.minutes_day, half.minutes_night) IS NOT NULL
    GROUP BY half.bucket, half.day, made.device, hours.night
) AS part

-- name: noise_day
-- Each noise meter by the day and the night that follows it, as noise_level has them, against the limits of GB 3096-2008
-- by zone. A part is valid with 75 % of its minutes; an invalid one has no verdict.
SELECT part.bucket, part.day, part.device, part.ld, part.ln, part.ldn, part.lmax_night, part.vdr_day, part.vdr_night,
       day_limit.value AS day_limit, night_limit.value AS night_limit,
       CASE WHEN part.vdr_day >= 0.75 THEN part.ld <= day_limit.value END AS day_ok,
       CASE WHEN part.vdr_night >= 0.75 THEN part.ln <= night_limit.value END AS night_ok
FROM noise_level AS part
LEFT JOIN device_limit AS day_limit ON day_limit.device = part.device AND day_limit.name = 'day'
    AND part.day >= day_limit.valid_from AND part.day < day_limit.valid_until
LEFT JOIN device_limit AS night_limit ON night_limit.device = part.device AND night_limit.name = 'night'
    AND part.day >= night_limit.valid_from AND part.day < night_limit.valid_until

-- name: noise_area_day
-- Days and nights of the meters that watch an area, not a building site or another source of its own.
SELECT noise_day.*, device.district FROM noise_day JOIN device ON device.id = noise_day.device
WHERE coalesce(device.attributes ->> 'site', 'area') = 'area'

-- name: kpi_area_noise
-- Area noise by day of the city and of its districts (district NULL: the city): arithmetic mean of the valid Ld of all
-- meters that watch an area, as HJ 640-2012 averages points. Target: below 60 dB(A).
SELECT bucket, day, district, count(*) AS points, avg(ld) AS mean_ld, 60.0 AS target
FROM noise_area_day
WHERE vdr_day >= 0.75
GROUP BY GROUPING SETS ((bucket, day), (bucket, day, district))

-- name: kpi_night_compliance
-- Night compliance (夜间达标率) by month of the city and of its districts (district NULL: the city): point-nights whose Ln
-- keeps the zone's limit by valid point-nights, of meters that watch an area; a night is of the month of its evening.
-- Target: 75 %.
SELECT date_trunc('month', day)::date AS month, district, count(*) AS point_nights,
       count(*) FILTER (WHERE night_ok) AS compliant,
       count(*) FILTER (WHERE night_ok) / count(*)::double precision AS compliance, 0.75 AS target
FROM noise_area_day
WHERE night_ok IS NOT NULL
GROUP BY GROUPING SETS ((1), (1, district))
