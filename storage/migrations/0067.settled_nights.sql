-- A night counts on its evening, so what arrives late may change the day before.
-- depends: 0066.settled_days

CREATE OR REPLACE PROCEDURE unsettle(since timestamptz) LANGUAGE sql AS $$
    UPDATE settled_view SET until = least(until, since - interval '1 day'), undone = undone + 1
$$;
COMMENT ON PROCEDURE unsettle IS
    'What is stored of days from here on, and of the night before, may change: it is computed until it is settled again.';
