-- What roll-ups compute with: the sun, counters that may be reset, values counted by class.
-- depends: 0007.credentials

CREATE FUNCTION sun_down(at timestamptz, lat double precision, lon double precision) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT AS $$
DECLARE
    days double precision := extract(epoch FROM at)::double precision / 86400 - 10957.5;
    anomaly double precision := radians(357.529 + 0.98560028 * days);
    longitude double precision :=
        radians(280.459 + 0.98564736 * days + 1.915 * sin(anomaly) + 0.020 * sin(2 * anomaly));
    tilt double precision := radians(23.439 - 0.00000036 * days);
    declination double precision := asin(sin(tilt) * sin(longitude));
    ascension double precision := atan2(cos(tilt) * sin(longitude), cos(longitude));
    hour_angle double precision := radians(280.46061837 + 360.98564736629 * days + lon) - ascension;
BEGIN
    RETURN sin(radians(lat)) * sin(declination) + cos(radians(lat)) * cos(declination) * cos(hour_angle)
        < -0.014538;
END
$$;
COMMENT ON FUNCTION sun_down IS
    'Whether the sun''s upper edge is below the horizon: its middle 0.833 degrees below, refraction included. Low '
    'precision formulas of the Astronomical Almanac; within a minute of sunrise and sunset tables until 2050.';

-- Bound to sun_down here and now: TimescaleDB refreshes without our schema in its search path.
CREATE FUNCTION dark(at timestamptz, lat double precision, lon double precision) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN sun_down(at - interval '15 minutes', lat, lon) AND sun_down(at + interval '15 minutes', lat, lon);
COMMENT ON FUNCTION dark IS 'The sun has been down for 15 min and stays down as long: a street lamp must burn.';

CREATE FUNCTION daylight(at timestamptz, lat double precision, lon double precision) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN NOT sun_down(at - interval '15 minutes', lat, lon) AND NOT sun_down(at + interval '15 minutes', lat, lon);
COMMENT ON FUNCTION daylight IS 'The sun has been up for 15 min and stays up as long: no street lamp should burn.';

CREATE FUNCTION dark_minutes(day date, zone text, lat double precision, lon double precision) RETURNS integer
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    quarter CONSTANT interval := interval '15 minutes';
    first CONSTANT timestamptz := (day::timestamp AT TIME ZONE zone) + quarter / 2;
    slots CONSTANT integer := extract(epoch FROM (day + 1)::timestamp AT TIME ZONE zone - day::timestamp AT TIME ZONE zone) / 900;
    noon CONSTANT integer := slots / 2;
    low integer;
    high integer;
    middle integer;
    found integer := 0;
BEGIN
    IF NOT dark(first, lat, lon) OR NOT dark(first + (slots - 1) * quarter, lat, lon) OR dark(first + noon * quarter, lat, lon)
    THEN
        FOR slot IN 0 .. slots - 1 LOOP
            found := found + dark(first + slot * quarter, lat, lon)::integer;
        END LOOP;
        RETURN 15 * found;
    END IF;
    -- The usual day: dark, light, dark. Where it changes is found by halving.
    low := 0;
    high := noon;
    WHILE high - low > 1 LOOP
        middle := (low + high) / 2;
        IF dark(first + middle * quarter, lat, lon) THEN low := middle; ELSE high := middle; END IF;
    END LOOP;
    found := high;
    low := noon;
    high := slots - 1;
    WHILE high - low > 1 LOOP
        middle := (low + high) / 2;
        IF dark(first + middle * quarter, lat, lon) THEN high := middle; ELSE low := middle; END IF;
    END LOOP;
    RETURN 15 * (found + slots - high);
END
$$;
COMMENT ON FUNCTION dark_minutes IS
    'Minutes of a local day in which a lamp must burn: quarters of an hour whose middle is dark.';

CREATE FUNCTION counter_step(state double precision[], value double precision) RETURNS double precision[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN value IS NULL THEN state
                WHEN state IS NULL THEN ARRAY[value, value, 0]
                ELSE ARRAY[state[1], value, state[3] + CASE WHEN value >= state[2] THEN value - state[2] ELSE value END]
           END
$$;
CREATE AGGREGATE counter (double precision) (SFUNC = counter_step, STYPE = double precision[], PARALLEL = SAFE);
COMMENT ON AGGREGATE counter (double precision) IS
    'Of a counter''s values in the order of time: first, last and growth; a fall is a reset, after which it counts from 0.';

CREATE FUNCTION counter_link(state double precision[], later double precision[]) RETURNS double precision[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN later IS NULL THEN state
                WHEN state IS NULL THEN later
                ELSE ARRAY[state[1], later[2], state[3] + later[3]
                           + CASE WHEN later[1] >= state[2] THEN later[1] - state[2] ELSE later[1] END]
           END
$$;
CREATE AGGREGATE counter_chain (double precision[]) (
    SFUNC = counter_link, STYPE = double precision[], PARALLEL = SAFE
);
COMMENT ON AGGREGATE counter_chain (double precision[]) IS
    'Joins stretches of a counter in the order of time, as if counter had seen all their values.';

CREATE FUNCTION classes_step(
    state integer[], value double precision, start double precision, width double precision, number integer
) RETURNS integer[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    class integer;
BEGIN
    IF value IS NULL THEN
        RETURN state;
    END IF;
    IF state IS NULL THEN
        state := array_fill(0, ARRAY[number]);
    END IF;
    class := 1 + least(greatest(floor((value - start) / width), 0), number - 1)::integer;
    state[class] := state[class] + 1;
    RETURN state;
END
$$;
CREATE AGGREGATE classes (double precision, double precision, double precision, integer) (
    SFUNC = classes_step, STYPE = integer[], PARALLEL = SAFE
);
COMMENT ON AGGREGATE classes (double precision, double precision, double precision, integer) IS
    'How many values lie in each class: value, start of the first class, width, number of classes.';

CREATE FUNCTION classes_add(state integer[], other integer[]) RETURNS integer[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN state IS NULL THEN other
                WHEN other IS NULL THEN state
                ELSE ARRAY(SELECT a + b FROM unnest(state, other) WITH ORDINALITY AS both_ (a, b, place) ORDER BY place)
           END
$$;
CREATE AGGREGATE classes_sum (integer[]) (
    SFUNC = classes_add, STYPE = integer[], COMBINEFUNC = classes_add, PARALLEL = SAFE
);
COMMENT ON AGGREGATE classes_sum (integer[]) IS 'Adds counts by class, class by class.';

CREATE FUNCTION classes_quantile(
    counts integer[], share double precision, start double precision, width double precision
) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT start + width * (place - 1 + (wanted - before) / number)
    FROM (
        SELECT place, number, sum(number) OVER (ORDER BY place) - number AS before,
               share * sum(number) OVER () AS wanted
        FROM unnest(counts) WITH ORDINALITY AS class (number, place)
    ) AS counted
    WHERE number > 0 AND before + number >= wanted
    ORDER BY place LIMIT 1
$$;
COMMENT ON FUNCTION classes_quantile IS
    'The value below which this share of the counted values lies, as evenly spread within its class: at most one '
    'class''s width from the exact quantile.';

CREATE FUNCTION classes_above(counts integer[], value double precision, start double precision, width double precision)
RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(sum(number), 0)::bigint FROM unnest(counts) WITH ORDINALITY AS class (number, place)
    WHERE start + width * (place - 1) >= value
$$;
COMMENT ON FUNCTION classes_above IS 'How many of the counted values lie in classes that begin at this value or above.';

CREATE FUNCTION decibels(energy double precision, readings double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT 10 * log(nullif(energy, 0) / nullif(readings, 0))
$$;
COMMENT ON FUNCTION decibels IS 'An equivalent level: 10 lg of the mean energy (GB 3096-2008).';
