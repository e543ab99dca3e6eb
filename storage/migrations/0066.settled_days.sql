-- Days that nothing changes any more are added up once, by place, instead of by whoever looks at a month.
-- depends: 0061.device_places

CREATE TABLE settled_view (
    name    text PRIMARY KEY,
    until   timestamptz NOT NULL DEFAULT '-infinity',
    undone  bigint NOT NULL DEFAULT 0
);
COMMENT ON TABLE settled_view IS
    'Views by the day whose older days stand in a table, where TimescaleDB keeps roll-ups: <name>_settled holds what '
    '<name>_made computes, for the days before until.';
COMMENT ON COLUMN settled_view.until IS 'Days that begin before are read from the table, others are computed.';
COMMENT ON COLUMN settled_view.undone IS 'How often until was taken back, so that who settles meanwhile notices.';

CREATE PROCEDURE unsettle(since timestamptz) LANGUAGE sql AS $$
    UPDATE settled_view SET until = least(until, since), undone = undone + 1
$$;
COMMENT ON PROCEDURE unsettle IS 'What is stored of days from here on may change: they are computed until they are settled again.';

CREATE FUNCTION device_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR EXISTS (
        SELECT FROM before JOIN after USING (id)
        WHERE (before.district, before.road, before.road_class) IS DISTINCT FROM (after.district, after.road, after.road_class)
    ) THEN
        CALL unsettle('-infinity');
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION device_changed IS 'A device counts where it is registered now, with all its past.';

CREATE TRIGGER device_moved AFTER UPDATE ON device
REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION device_changed();
CREATE TRIGGER device_removed AFTER DELETE ON device FOR EACH STATEMENT EXECUTE FUNCTION device_changed();

CREATE PROCEDURE settle_days(before timestamptz DEFAULT now() - interval '4 days') LANGUAGE plpgsql AS $$
DECLARE
    view record;
BEGIN
    FOR view IN SELECT name, until, undone FROM settled_view WHERE until < before ORDER BY name LOOP
        LOCK TABLE settled_view IN SHARE UPDATE EXCLUSIVE MODE;  -- one at a time
        EXECUTE format('DELETE FROM %I WHERE bucket >= $1', view.name || '_settled') USING view.until;
        EXECUTE format(
            'INSERT INTO %I SELECT * FROM %I WHERE bucket >= $1 AND bucket < $2', view.name || '_settled', view.name || '_made'
        ) USING view.until, before;
        UPDATE settled_view SET until = before WHERE name = view.name AND until = view.until AND undone = view.undone;
        IF FOUND THEN
            COMMIT;
        ELSE
            ROLLBACK;
        END IF;
    END LOOP;
END
$$;
COMMENT ON PROCEDURE settle_days IS
    'Stores what is not stored yet of the days that begin before this moment: by default so old that every reading that '
    'changes such a day, being more than two days late, is noted in late_day.';

CREATE OR REPLACE PROCEDURE rollup_catch_up(job integer, config jsonb) LANGUAGE plpgsql AS $$
DECLARE
    late record;
    level text;
    around interval;
    midnight timestamptz;
BEGIN
    -- Stored roll-ups of many devices are more rows than TimescaleDB changes in compressed chunks by default.
    PERFORM set_config('timescaledb.max_tuples_decompressed_per_dml_transaction', '0', false);
    -- Had the jobs stood still for longer than the regular refresh looks back, all that time counts as late.
    INSERT INTO late_day (kind, day)
    SELECT kind, missed::date FROM rollup_state,
        generate_series(looked_at - interval '1 day', now() - interval '2 days', interval '1 day') AS missed
    ON CONFLICT DO NOTHING;
    UPDATE rollup_state SET looked_at = now() WHERE filled;
    COMMIT;
    FOR late IN
        SELECT noted.kind, noted.day, noted.noted_at, state.levels,
               noted.day > (now() - make_interval(days => state.keep_days - 3))::date AS kept
        FROM late_day AS noted JOIN rollup_state AS state USING (kind) ORDER BY noted.kind, noted.day
    LOOP
        midnight := late.day::timestamp AT TIME ZONE 'UTC';
        IF late.kept THEN
            -- All that follows, not only this day: what was consumed in a silence stands where the device returned.
            CALL unsettle(midnight - interval '1 day');
            COMMIT;
        END IF;
        FOREACH level IN ARRAY CASE WHEN late.kept THEN late.levels ELSE '{}' END LOOP
            around := CASE level WHEN 'day' THEN interval '1 day' ELSE interval '0' END;
            CALL refresh_continuous_aggregate(
                format('rollup_%s_%s_live', level, late.kind)::regclass, midnight - around, midnight + interval '1 day' + around
            );
            -- The next level learns what has changed by this commit.
            COMMIT;
        END LOOP;
        -- Noted again meanwhile: the next round looks again.
        DELETE FROM late_day WHERE kind = late.kind AND day = late.day AND noted_at = late.noted_at;
        COMMIT;
    END LOOP;
    CALL settle_days();
END
$$;

CREATE FUNCTION counter_between(earlier double precision[], later double precision[]) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN later[1] >= earlier[2] THEN later[1] - earlier[2] WHEN earlier IS NOT NULL THEN later[1] END;
COMMENT ON FUNCTION counter_between IS
    'What a counter grew between two stretches, each its first value, last value and growth; a fall is a reset.';
