-- How far readings are to be believed: lags of devices, and what is missing of their sequence numbers.
-- depends: 0005.quarantine

ALTER TABLE device_status ADD COLUMN lag interval;
COMMENT ON COLUMN device_status.lag IS
    'Arrival minus device time of the reading that was new last: its way and its clock; negative: the clock is ahead.';

-- The view "reading" over all kinds is made from their descriptions, after the migrations.
SET LOCAL check_function_bodies = off;

CREATE FUNCTION sequence_step(of_device integer, since timestamptz, until timestamptz)
RETURNS TABLE (run bigint, seq integer, ts timestamptz, inside boolean, seq_before integer, ts_before timestamptz)
LANGUAGE sql STABLE AS $$
    WITH counted AS (
        (SELECT reading.ts, reading.seq, false AS inside FROM reading
         WHERE reading.kind = (SELECT device.kind FROM device WHERE device.id = of_device)
           AND reading.device = of_device AND reading.ts < since AND reading.seq IS NOT NULL
         ORDER BY reading.ts DESC LIMIT 1)
        UNION ALL
        SELECT reading.ts, reading.seq, true FROM reading
        WHERE reading.kind = (SELECT device.kind FROM device WHERE device.id = of_device)
          AND reading.device = of_device AND reading.ts >= since AND reading.ts < until AND reading.seq IS NOT NULL
    ), stepped AS (
        SELECT *, coalesce(2 * counted.seq::bigint < lag(counted.seq) OVER (ORDER BY counted.ts), false) AS restarted
        FROM counted
    ), runs AS (
        SELECT *, count(*) FILTER (WHERE restarted) OVER (ORDER BY stepped.ts) AS run FROM stepped
    ), numbers AS (
        SELECT runs.run, runs.seq, min(runs.ts) AS ts, bool_and(runs.inside) AS inside FROM runs
        WHERE runs.run > 0 OR runs.seq >= coalesce((SELECT counted.seq FROM counted WHERE NOT counted.inside), runs.seq)
        GROUP BY runs.run, runs.seq
    )
    SELECT numbers.run, numbers.seq, numbers.ts, numbers.inside,
           lag(numbers.seq) OVER in_run, lag(numbers.ts) OVER in_run
    FROM numbers WINDOW in_run AS (PARTITION BY numbers.run ORDER BY numbers.seq)
$$;
COMMENT ON FUNCTION sequence_step IS
    'A device''s sequence numbers in a stretch of time, each beside the one before it, beginning with the last reading '
    'before the stretch (not inside). A fall below half of the number before is a restart and begins a new run; a '
    'smaller one is a reading out of order.';

CREATE FUNCTION device_stretch(of_device integer, since timestamptz, until timestamptz)
RETURNS TABLE (readings bigint, late bigint, frozen bigint, repeated bigint, skewed bigint, numbers bigint,
               first_seq integer, last_seq integer, missing bigint, restarts bigint, completeness double precision)
LANGUAGE sql STABLE AS $$
    SELECT stored.readings, stored.late, stored.frozen, stored.repeated, stored.skewed, steps.numbers,
           stored.first_seq, stored.last_seq, steps.missing, steps.restarts,
           steps.numbers / nullif(steps.numbers + steps.missing, 0)::double precision
    FROM (
        SELECT count(*) AS readings,
               -- The bits of a reading's quality: late 1, frozen 8, repeated 16, skewed 32.
               count(*) FILTER (WHERE quality & 1 <> 0) AS late, count(*) FILTER (WHERE quality & 8 <> 0) AS frozen,
               count(*) FILTER (WHERE quality & 16 <> 0) AS repeated,
               count(*) FILTER (WHERE quality & 32 <> 0) AS skewed,
               (array_agg(seq ORDER BY ts) FILTER (WHERE seq IS NOT NULL))[1] AS first_seq,
               (array_agg(seq ORDER BY ts DESC) FILTER (WHERE seq IS NOT NULL))[1] AS last_seq
        FROM reading
        WHERE kind = (SELECT device.kind FROM device WHERE device.id = of_device)
          AND device = of_device AND ts >= since AND ts < until
    ) AS stored, (
        SELECT count(*) FILTER (WHERE inside) AS numbers, coalesce(sum(seq - seq_before - 1), 0)::bigint AS missing,
               coalesce(max(run), 0) AS restarts
        FROM sequence_step(of_device, since, until)
    ) AS steps
$$;
COMMENT ON FUNCTION device_stretch IS
    'What came of a device in a stretch of time: readings, how many of them are doubtful, its sequence numbers '
    '(distinct within a run), how many are missing, and their share; null where it sends none.';
