-- What counts as a facility that is not intact: one definition, for views and for the nightly figure.
-- depends: 0051.month_close

CREATE FUNCTION breaks_facility(problem text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT problem <> ALL ('{device_offline,low_battery,sensor_fault,suspicious_data}'::text[])
$$;
COMMENT ON FUNCTION breaks_facility IS
    'Whether a case of this problem means that the facility is not intact (设施完好率): a silent, weak or doubtful '
    'instrument is no broken facility. Project default, target 95 % by working plans of three cities.';
