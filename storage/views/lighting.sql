-- name: lamp_day
-- Minutes of each lamp by local day: dark and known, of them lit, burning by daylight; kWh by its meter within the day and
-- over the midnight before it, and apart from these, on the day of its return, what its meter counted while it was silent
-- for a whole day or more. A lamp that sent nothing has no row.
SELECT made.bucket, made.day, made.device, made.dark_minutes, made.lit_minutes, made.day_burning_minutes,
       made.energy_counter[3] + coalesce(counter_between(yesterday.energy_counter, made.energy_counter), 0) AS energy_kwh,
       counter_between(earlier.energy_counter, made.energy_counter) AS silent_kwh,
       made.active_power_sum / nullif(made.active_power_n, 0) AS active_power_mean, made.leakage_ma_max
FROM rollup_day_streetlight AS made
CROSS JOIN city_clock
JOIN device ON device.id = made.device
LEFT JOIN rollup_day_streetlight AS yesterday
    ON yesterday.device = made.device
   AND yesterday.bucket = (made.day - 1)::timestamp AT TIME ZONE city_clock.zone
LEFT JOIN LATERAL (
    SELECT before.energy_counter FROM rollup_day_streetlight AS before
    WHERE yesterday.energy_counter IS NULL AND before.device = made.device
      AND before.bucket < made.bucket
      AND before.bucket >= device.registered_at - interval '1 day'
      AND before.energy_counter IS NOT NULL
    ORDER BY before.bucket DESC LIMIT 1
) AS earlier ON true

-- name: kpi_energy_road
-- Energy of each road's lamps by local day, kWh, as their own meters counted it within the day and over the midnight
-- before it. What a meter counted while its lamp was silent for a whole day or more, since its registration, belongs to no
-- day: it stands apart, on the day of the return. Both together are what the meters read.
SELECT bucket, (bucket AT TIME ZONE city_clock.zone)::date AS day, district, road_class, road, energy_kwh, silent_kwh
FROM city_clock
CROSS JOIN (
    SELECT made.bucket, device.district, device.road_class, device.road, sum(made.energy_kwh) AS energy_kwh,
           sum(CASE WHEN made.returned IS NULL THEN 0 ELSE coalesce(counter_between(coalesce(made.before, (
               SELECT past.energy_counter FROM rollup_day_streetlight AS past
               WHERE past.device = made.device AND past.bucket < made.bucket AND past.energy_counter IS NOT NULL
                 AND past.bucket >= device.registered_at - interval '1 day'
               ORDER BY past.bucket DESC LIMIT 1
           )), made.returned), 0) END) AS silent_kwh
    FROM (
        -- Days have 23 to 25 hours. Counters go on only where a silence has ended: numbers sort faster.
        SELECT device, bucket, energy_counter[3] + CASE WHEN bucket - lag(bucket) OVER days <= interval '25 hours'
                   THEN counter_between(lag(energy_counter) OVER days, energy_counter) ELSE 0 END AS energy_kwh,
               CASE WHEN bucket - lag(bucket) OVER days <= interval '25 hours' THEN NULL
                    ELSE lag(energy_counter) OVER days END AS before,
               CASE WHEN bucket - lag(bucket) OVER days <= interval '25 hours' THEN NULL
                    ELSE energy_counter END AS returned
        FROM rollup_day_streetlight
        -- Nobody asks for the yesterday of a day that has been settled.
        WHERE energy_counter IS NOT NULL AND bucket >= coalesce(
            (SELECT until FROM settled_view WHERE name = 'kpi_energy_road'), '-infinity') - interval '25 hours'
        WINDOW days AS (PARTITION BY device ORDER BY bucket)
    ) AS made
    JOIN device ON device.id = made.device
    GROUP BY 1, 2, 3, 4
) AS road

-- name: rollup_road
-- Minutes of the dark by local day and road, added up over its lamps: known, and of them lit.
SELECT made.bucket, device.district, device.road_class, device.road, sum(made.dark_minutes) AS dark_minutes,
       sum(made.lit_minutes) AS lit_minutes
FROM rollup_day_streetlight AS made JOIN device ON device.id = made.device
GROUP BY 1, 2, 3, 4

-- name: kpi_lit_rate_road
-- Lit rate (亮灯率) of each road by local day: lamp-minutes burning by lamp-minutes in which lamps must burn, the sun down
-- for 15 min at either end. Known: of the minutes whose state is known. Strict: silent lamps count as dark. Burning is
-- 70 % of the expected power or more. Lamps with a timetable are counted by the sun too: hours in which they are dark by
-- plan lower the rate. Targets by provincial lighting practice: main roads 98 %, others 96 %.
SELECT bucket, day, district, road_class, road, sum(lamps)::bigint AS lamps,
       greatest(sum(expected_minutes), sum(known_minutes))::bigint AS expected_minutes,
       sum(known_minutes)::bigint AS known_minutes, sum(lit_minutes)::bigint AS lit_minutes,
       sum(lit_minutes) / nullif(sum(known_minutes), 0)::double precision AS lit_rate_known,
       sum(lit_minutes) / nullif(greatest(sum(expected_minutes), sum(known_minutes)), 0)::double precision
           AS lit_rate_strict,
       CASE WHEN road_class IN ('express', 'main') THEN 0.98 ELSE 0.96 END AS target
FROM (
    SELECT night.day::timestamp AT TIME ZONE night.zone AS bucket, night.day, lamp.district, lamp.road_class, lamp.road,
           lamp.lamps, lamp.lamps * night.minutes AS expected_minutes, 0 AS known_minutes, 0 AS lit_minutes
    FROM (
        -- Grouped, so that the sun is asked once for a day and a tenth of a degree.
        SELECT date.day, city_clock.zone, cell.lat, cell.lon,
               dark_minutes(date.day, city_clock.zone, cell.lat, cell.lon) AS minutes
        FROM city_clock
        CROSS JOIN (
            SELECT DISTINCT round(lat::numeric, 1)::double precision AS lat, round(lon::numeric, 1)::double precision AS lon
            FROM device WHERE kind = 'streetlight'
        ) AS cell
        CROSS JOIN LATERAL (
            SELECT first_day + number AS day
            FROM (
                SELECT (min(registered_at) AT TIME ZONE city_clock.zone)::date AS first_day FROM device
                WHERE kind = 'streetlight'
            ) AS first
            CROSS JOIN generate_series(0, (city_clock.latest AT TIME ZONE city_clock.zone)::date - first_day) AS number
        ) AS date
        GROUP BY date.day, city_clock.zone, cell.lat, cell.lon
    ) AS night
    JOIN (
        SELECT round(device.lat::numeric, 1)::double precision AS lat, round(device.lon::numeric, 1)::double precision AS lon,
               (device.registered_at AT TIME ZONE city_clock.zone)::date AS since, device.district, device.road_class,
               device.road, count(*) AS lamps
        FROM device CROSS JOIN city_clock WHERE device.kind = 'streetlight'
        GROUP BY 1, 2, 3, 4, 5, 6
    ) AS lamp ON lamp.lat = night.lat AND lamp.lon = night.lon AND lamp.since <= night.day
    UNION ALL
    SELECT known.bucket, (known.bucket AT TIME ZONE city_clock.zone)::date, known.district, known.road_class, known.road,
           0, 0, known.dark_minutes, known.lit_minutes
    FROM city_clock CROSS JOIN rollup_road AS known
) AS minutes
GROUP BY bucket, day, district, road_class, road

-- name: kpi_lit_rate_class
-- Lit rate (亮灯率) by class of road and local day, as for each road.
SELECT bucket, day, road_class, sum(lamps)::bigint AS lamps, sum(expected_minutes)::bigint AS expected_minutes,
       sum(known_minutes)::bigint AS known_minutes, sum(lit_minutes)::bigint AS lit_minutes,
       sum(lit_minutes) / nullif(sum(known_minutes), 0)::double precision AS lit_rate_known,
       sum(lit_minutes) / nullif(sum(expected_minutes), 0)::double precision AS lit_rate_strict, max(target) AS target
FROM kpi_lit_rate_road GROUP BY bucket, day, road_class

-- name: kpi_lit_rate_district
-- Lit rate (亮灯率) by district and local day, as for each road; target 98 %.
SELECT bucket, day, district, sum(lamps)::bigint AS lamps, sum(expected_minutes)::bigint AS expected_minutes,
       sum(known_minutes)::bigint AS known_minutes, sum(lit_minutes)::bigint AS lit_minutes,
       sum(lit_minutes) / nullif(sum(known_minutes), 0)::double precision AS lit_rate_known,
       sum(lit_minutes) / nullif(sum(expected_minutes), 0)::double precision AS lit_rate_strict, 0.98 AS target
FROM kpi_lit_rate_road GROUP BY bucket, day, district
