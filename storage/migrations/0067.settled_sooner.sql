-- Days settle two days sooner: boards compute four instead of six.
-- depends: 0066.settled_days

CREATE OR REPLACE PROCEDURE settle_days(before timestamptz DEFAULT now() - interval '4 days') LANGUAGE plpgsql AS $$
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
