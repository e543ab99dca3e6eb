-- name: kpi_intact_rate
-- Intact rate (设施完好率) now, by kind and district: facilities without an open case of a fault of the facility itself, by
-- all; a silent or weak instrument is no broken facility. Target for road lighting 95 % (provincial lighting practice).
SELECT device.kind, device.district, count(*) AS facilities, count(*) - count(fault.device) AS intact,
       (count(*) - count(fault.device)) / count(*)::double precision AS intact_rate, 0.95 AS target
FROM device
LEFT JOIN (
    SELECT DISTINCT device FROM dispatch_case
    WHERE open AND breaks_facility(problem)
) AS fault ON fault.device = device.id
WHERE device.kind <> 'group'
GROUP BY device.kind, device.district

-- name: kpi_intact_rate_day
-- Intact rate (设施完好率) at the end of each local day, by kind and district, counted as now.
SELECT (date.day + 1)::timestamp AT TIME ZONE date.zone AS bucket, date.day, facility.kind, facility.district,
       sum(facility.facilities)::bigint AS facilities,
       sum(facility.facilities)::bigint - coalesce(max(broken.facilities), 0) AS intact,
       1 - coalesce(max(broken.facilities), 0) / sum(facility.facilities)::double precision AS intact_rate, 0.95 AS target
FROM (
    SELECT first_day + number AS day, city_clock.zone
    FROM city_clock
    CROSS JOIN LATERAL (SELECT (min(registered_at) AT TIME ZONE city_clock.zone)::date AS first_day FROM device) AS first
    CROSS JOIN generate_series(0, (city_clock.latest AT TIME ZONE city_clock.zone)::date - first_day) AS number
) AS date
JOIN (
    SELECT device.kind, device.district, (device.registered_at AT TIME ZONE city_clock.zone)::date AS since,
           count(*) AS facilities
    FROM device CROSS JOIN city_clock WHERE device.kind <> 'group' GROUP BY 1, 2, 3
) AS facility ON facility.since <= date.day
LEFT JOIN LATERAL (
    SELECT count(DISTINCT device.id) AS facilities
    FROM dispatch_case JOIN device ON device.id = dispatch_case.device
    WHERE device.kind = facility.kind AND device.district = facility.district
      AND breaks_facility(dispatch_case.problem)
      AND dispatch_case.opened_at < (date.day + 1)::timestamp AT TIME ZONE date.zone
      AND coalesce(dispatch_case.closed_at, 'infinity') >= (date.day + 1)::timestamp AT TIME ZONE date.zone
) AS broken ON true
GROUP BY date.day, date.zone, facility.kind, facility.district

-- name: kpi_cases
-- Cases by unit, district, grid and the month of their deadline, as urban management appraises units. Should handle:
-- deadline in the month; left out are those not yet filed, cancelled, carried by another, or recovered by themselves.
-- Handled rate (处置率), handled in time (按期处置率), overdue and not handled (超期待处置率), with more time granted (延期率)
-- by should handle; closed (结案率) and rework (返工率) by should close: work was reported at least once. As they stand
-- now; a month that was closed keeps its own counts (cityward reports month).
SELECT month, unit, district, grid, should_handle, handled, handled_in_time, should_close, closed, reworked, overdue,
       delayed,
       handled / should_handle::double precision AS handled_rate,
       handled_in_time / should_handle::double precision AS on_time_rate,
       closed / nullif(should_close, 0)::double precision AS closed_rate,
       reworked / nullif(should_close, 0)::double precision AS rework_rate,
       overdue / should_handle::double precision AS overdue_rate,
       delayed / should_handle::double precision AS delay_rate
FROM (
    SELECT date_trunc('month', dispatch_case.fix_by AT TIME ZONE city_clock.zone)::date AS month, dispatch_case.unit,
           dispatch_case.district, device.grid, count(*) AS should_handle,
           count(dispatch_case.done_at) AS handled,
           count(*) FILTER (WHERE dispatch_case.done_at <= dispatch_case.fix_by) AS handled_in_time,
           count(*) FILTER (WHERE dispatch_case.done_at IS NOT NULL OR dispatch_case.rework > 0) AS should_close,
           count(dispatch_case.closed_at) AS closed, count(*) FILTER (WHERE dispatch_case.rework > 0) AS reworked,
           count(*) FILTER (WHERE dispatch_case.done_at IS NULL
                              AND dispatch_case.fix_by < coalesce(dispatch_case.paused_at, city_clock.latest)) AS overdue,
           count(*) FILTER (WHERE dispatch_case.delays > 0) AS delayed
    FROM dispatch_case JOIN device ON device.id = dispatch_case.device CROSS JOIN city_clock
    WHERE dispatch_case.state NOT IN ('reported', 'cancelled', 'merged')
      AND coalesce(dispatch_case.outcome, '') NOT IN ('with_parent', 'self_recovered')
    GROUP BY 1, 2, 3, 4
) AS counted
