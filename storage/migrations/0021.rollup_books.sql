-- What roll-ups remember of themselves, and limits as tables for the views that compare with them.
-- depends: 0020.rollup_functions

CREATE TABLE rollup_state (
    kind         text PRIMARY KEY,
    fingerprint  text NOT NULL,
    since        timestamptz NOT NULL,
    levels       text[] NOT NULL,
    keep_days    integer NOT NULL,
    filled       boolean NOT NULL,
    looked_at    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE rollup_state IS 'The continuous aggregates of each kind, where TimescaleDB keeps them.';
COMMENT ON COLUMN rollup_state.fingerprint IS 'Of their definition; another one is built anew from the readings kept.';
COMMENT ON COLUMN rollup_state.since IS 'From here on they are built from readings; what is older stands in kept tables.';
COMMENT ON COLUMN rollup_state.levels IS 'Which there are, the finest first: each is made from the one before.';
COMMENT ON COLUMN rollup_state.keep_days IS 'For how long readings are kept; what is older is never built anew.';
COMMENT ON COLUMN rollup_state.looked_at IS 'When readings that came very late were last looked for.';

CREATE TABLE late_day (
    kind      text NOT NULL,
    day       date NOT NULL,
    noted_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (kind, day)
);
COMMENT ON TABLE late_day IS
    'Days (UTC) that got readings so late that the regular refresh no longer looks there; a job refreshes them.';

CREATE TABLE kind_limit (
    kind          text NOT NULL,
    name          text NOT NULL,
    attribute     text NOT NULL,
    fallback      text NOT NULL,
    word          text NOT NULL,
    valid_from    date NOT NULL,
    value         double precision NOT NULL,
    standard_ref  text NOT NULL,
    PRIMARY KEY (kind, name, word, valid_from)
);
COMMENT ON TABLE kind_limit IS 'Default limits as the kinds describe them; written by cityward migrate.';
COMMENT ON COLUMN kind_limit.attribute IS 'The device''s attribute that chooses by its word; empty: one value for all.';
COMMENT ON COLUMN kind_limit.fallback IS 'What a device counts as whose registry entry leaves the attribute out.';

CREATE PROCEDURE rollup_catch_up(job integer, config jsonb) LANGUAGE plpgsql AS $$
DECLARE
    late record;
    level text;
    around interval;
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
        FOREACH level IN ARRAY CASE WHEN late.kept THEN late.levels ELSE '{}' END LOOP
            around := CASE level WHEN 'day' THEN interval '1 day' ELSE interval '0' END;
            CALL refresh_continuous_aggregate(
                format('rollup_%s_%s_live', level, late.kind)::regclass,
                (late.day::timestamp AT TIME ZONE 'UTC') - around,
                (late.day::timestamp AT TIME ZONE 'UTC') + interval '1 day' + around
            );
            -- The next level learns what has changed by this commit.
            COMMIT;
        END LOOP;
        -- Noted again meanwhile: the next round looks again.
        DELETE FROM late_day WHERE kind = late.kind AND day = late.day AND noted_at = late.noted_at;
        COMMIT;
    END LOOP;
END
$$;
COMMENT ON PROCEDURE rollup_catch_up IS 'A job of TimescaleDB''s: refreshes the days that late_day names.';

CREATE TABLE view_state (
    only_row     boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    fingerprint  text NOT NULL,
    names        text[] NOT NULL
);
COMMENT ON TABLE view_state IS 'Which views are there, in the order in which they were made.';
