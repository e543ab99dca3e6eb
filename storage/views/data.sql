-- name: kpi_data
-- How much came in by kind, district and local day: devices registered and heard, readings stored and doubtful, and the
-- share of the readings due by the kind's interval, a device that sends more than due counting as full.
SELECT bucket, day, kind, district, sum(devices)::bigint AS devices, sum(heard)::bigint AS heard,
       sum(readings)::bigint AS readings, sum(late)::bigint AS late, sum(implausible)::bigint AS implausible,
       sum(frozen)::bigint AS frozen, sum(repeated)::bigint AS repeated, sum(skewed)::bigint AS skewed,
       least(sum(on_time) / nullif(sum(due), 0), 1) AS completeness
FROM (
    SELECT date.day::timestamp AT TIME ZONE date.zone AS bucket, date.day, registered.kind, registered.district,
           registered.devices, 0 AS heard, 0 AS readings, 0 AS late, 0 AS implausible, 0 AS frozen, 0 AS repeated,
           0 AS skewed, 0 AS on_time, registered.devices * registered.readings_due AS due
    FROM (
        SELECT first_day + number AS day, city_clock.zone
        FROM city_clock
        CROSS JOIN LATERAL (
            SELECT (min(registered_at) AT TIME ZONE city_clock.zone)::date AS first_day FROM device
        ) AS first
        CROSS JOIN generate_series(0, (city_clock.latest AT TIME ZONE city_clock.zone)::date - first_day) AS number
    ) AS date
    JOIN (
        SELECT device.kind, device.district, (device.registered_at AT TIME ZONE city_clock.zone)::date AS since,
               kind_interval.readings_due, count(*) AS devices
        FROM device JOIN kind_interval ON kind_interval.kind = device.kind CROSS JOIN city_clock
        GROUP BY 1, 2, 3, 4
    ) AS registered ON registered.since <= date.day
    UNION ALL
    SELECT bucket, (bucket AT TIME ZONE zone)::date, kind, district, 0, heard, readings, late_n, implausible_n, frozen_n,
           repeated_n, skewed_n, on_time, 0
    FROM city_clock CROSS JOIN rollup_district
) AS counted
GROUP BY bucket, day, kind, district

-- name: kpi_ledger
-- The fates of all messages by local day of arrival: received = stored + duplicate + quarantined, always.
SELECT (date_trunc('day', ledger.minute AT TIME ZONE city_clock.zone) AT TIME ZONE city_clock.zone) AS bucket,
       (ledger.minute AT TIME ZONE city_clock.zone)::date AS day, sum(received)::bigint AS received,
       sum(stored)::bigint AS stored, sum(duplicate)::bigint AS duplicate, sum(quarantined)::bigint AS quarantined,
       sum(received) = sum(stored + duplicate + quarantined) AS balanced
FROM ledger CROSS JOIN city_clock
GROUP BY 1, 2
