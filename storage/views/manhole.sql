-- name: manhole_day
-- Each cover by local day: openings as the device reported them, largest tilt, highest water, lowest battery.
SELECT made.bucket, made.day, made.device, made.openings, made.tilt_max, made.water_level_max, made.water_distance_min,
       made.immersed_n > 0 AS immersed, made.ch4_max, made.h2s_max, made.battery_v_min, made.battery_pct_min,
       made.rsrp_sum / nullif(made.rsrp_n, 0) AS rsrp_mean
FROM rollup_day_manhole AS made

-- name: rollup_manhole_road
-- Covers by local day and road: openings as the devices reported them, and covers that were tilted by 10 degrees or
-- more.
SELECT made.bucket, device.district, device.road, sum(made.openings) AS openings,
       count(*) FILTER (WHERE made.tilt_max >= 10) AS tilted
FROM rollup_day_manhole AS made JOIN device ON device.id = made.device
GROUP BY 1, 2, 3
