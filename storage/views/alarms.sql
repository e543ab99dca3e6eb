-- name: kpi_alarm_load
-- Alarm load of each district, its operator's seat, by local day, against EEMUA 191 and ISA-18.2: alarms raised, their
-- mean by 10 min (target: at most 1), the largest number within 10 min by the clock, the share of such stretches with more than 10
-- (floods; target: below 1 %), and severities (target: 80 % low, 15 % medium, 5 % high).
SELECT day::timestamp AT TIME ZONE zone AS bucket, day, district, sum(raised)::bigint AS raised,
       sum(raised) / 144::double precision AS per_10_minutes, max(raised) AS peak_10_minutes,
       count(*) FILTER (WHERE raised > 10) / 144::double precision AS flood_share,
       sum(critical)::bigint AS critical, sum(major)::bigint AS major, sum(minor)::bigint AS minor,
       sum(notice)::bigint AS notice
FROM (
    SELECT (event.at AT TIME ZONE city_clock.zone)::date AS day, city_clock.zone, device.district,
           date_bin('10 minutes', event.at, TIMESTAMPTZ '2000-01-01 00:00:00+00') AS stretch, count(*) AS raised,
           count(*) FILTER (WHERE event.severity = 4) AS critical, count(*) FILTER (WHERE event.severity = 3) AS major,
           count(*) FILTER (WHERE event.severity = 2) AS minor, count(*) FILTER (WHERE event.severity = 1) AS notice
    FROM alarm_event AS event
    JOIN alarm ON alarm.id = event.alarm_id
    JOIN device ON device.id = alarm.device
    CROSS JOIN city_clock
    WHERE event.event = 'raised'
    GROUP BY 1, 2, 3, 4
) AS stretch
GROUP BY day, zone, district

-- name: kpi_alarm_nuisance
-- Rules by how often they cried, by district and local day: raised, and raised three times or more within the day for the same device
-- (chattering; ISA-18.2 asks for none). The top of this list are the ten most frequent (target: below 5 % of all).
SELECT day::timestamp AT TIME ZONE zone AS bucket, day, district, rule_id, sum(raised)::bigint AS raised,
       count(*) AS devices, count(*) FILTER (WHERE raised >= 3) AS chattering
FROM (
    SELECT (event.at AT TIME ZONE city_clock.zone)::date AS day, city_clock.zone, device.district, alarm.rule_id,
           alarm.device, count(*) AS raised
    FROM alarm_event AS event
    JOIN alarm ON alarm.id = event.alarm_id
    JOIN device ON device.id = alarm.device
    CROSS JOIN city_clock
    WHERE event.event = 'raised'
    GROUP BY 1, 2, 3, 4, 5
) AS of_device
GROUP BY day, zone, district, rule_id

-- name: kpi_alarm_standing
-- Alarms that stand now, by district and severity: those shelved, suppressed by design or out of service, and of the others
-- those active for more than 24 h (stale; EEMUA 191 asks for fewer than five).
SELECT device.district, alarm.severity, count(*) AS active, count(*) FILTER (WHERE NOT alarm.acknowledged) AS unacknowledged,
       count(*) FILTER (WHERE alarm.hushed) AS hushed,
       count(*) FILTER (WHERE NOT alarm.hushed AND alarm.raised_at < city_clock.latest - interval '24 hours') AS stale
FROM alarm JOIN device ON device.id = alarm.device CROSS JOIN city_clock
WHERE alarm.active
GROUP BY device.district, alarm.severity
