-- name: bridge_hour
-- Each sensor on a bridge by the hour: mean, extremes and root mean square of what it measures, vehicles and how many of
-- them were heavier than the posted limit, by classes of 1 t.
SELECT made.bucket, made.device, made.strain_min, made.strain_max,
       made.strain_sum / nullif(made.strain_n, 0) AS strain_mean, sqrt(made.strain_squares / nullif(made.strain_n, 0)) AS strain_rms,
       made.deflection_min, made.deflection_max, made.deflection_sum / nullif(made.deflection_n, 0) AS deflection_mean,
       made.displacement_min, made.displacement_max, made.tilt_min, made.tilt_max,
       made.tilt_sum / nullif(made.tilt_n, 0) AS tilt_mean,
       sqrt(made.acceleration_squares / nullif(made.acceleration_rms_n, 0)) AS acceleration_rms, made.acceleration_peak_max,
       made.structure_temp_sum / nullif(made.structure_temp_n, 0) AS structure_temp_mean, made.wind_speed_max,
       made.gross_t_n AS vehicles, CASE WHEN made.gross_t_max >= gross_limit.value
           THEN classes_above(made.gross_classes, gross_limit.value, 0, 1) ELSE 0 END AS overloaded,
       made.gross_t_max
FROM rollup_hour_bridge AS made
LEFT JOIN device_limit AS gross_limit ON gross_limit.device = made.device AND gross_limit.name = 'gross_t'
    AND made.bucket >= gross_limit.since AND made.bucket < gross_limit.until

-- name: kpi_bridge_coverage
-- Coverage of bridges now: bridges with a sensor heard within a day by bridges with sensors in the registry, by district.
-- A bridge is what its sensors' attribute bridge names. Target: all.
SELECT district, count(*) AS bridges, count(*) FILTER (WHERE heard) AS covered,
       count(*) FILTER (WHERE heard) / count(*)::double precision AS coverage, 1.0 AS target
FROM (
    SELECT device.district, coalesce(device.attributes ->> 'bridge', device.device_id) AS bridge,
           coalesce(bool_or(status.last_received_at > city_clock.latest - interval '1 day'), false) AS heard
    FROM device
    CROSS JOIN city_clock
    LEFT JOIN device_status AS status ON status.device = device.id
    WHERE device.kind = 'bridge'
    GROUP BY 1, 2
) AS bridge
GROUP BY district
