-- name: manhole_day
-- Each cover by local day: openings as the device reported them, largest tilt, highest water, lowest battery.
SELECT made.bucket, made.day, made.device, made.openings, made.tilt_max, made.water_level_max, made.water_distance_min,
       made.immersed_n > 0 AS immersed, made.ch4_max, made.h2s_max, made.battery_v_min, made.battery_pct_min,
       made.rsrp_sum / nullif(made.rsrp_n, 0) AS rsrp_mean
FROM rollup_day_manhole AS made
