-- The same results at less cost: the sun is asked once, and nothing is called for values that were not sent.
-- depends: 0021.rollup_books

CREATE FUNCTION sun_state(at timestamptz, lat double precision, lon double precision) RETURNS integer
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT AS $$
DECLARE
    days double precision := extract(epoch FROM at)::double precision / 86400 - 10957.5;
    anomaly double precision := radians(357.529 + 0.98560028 * days);
    longitude double precision :=
        radians(280.459 + 0.98564736 * days + 1.915 * sin(anomaly) + 0.020 * sin(2 * anomaly));
    tilt double precision := radians(23.439 - 0.00000036 * days);
    declination double precision := asin(sin(tilt) * sin(longitude));
    hour_angle double precision := radians(280.46061837 + 360.98564736629 * days + lon)
        - atan2(cos(tilt) * sin(longitude), cos(longitude));
    -- The cosine of the hour angle at which the sun's upper edge meets the horizon: 0.833 degrees below it.
    horizon double precision := (-0.014538 - sin(radians(lat)) * sin(declination)) / (cos(radians(lat)) * cos(declination));
    -- In a quarter of an hour the sun moves by 3.75 degrees.
    before boolean := cos(hour_angle - 0.0654498) < horizon;
    after boolean := cos(hour_angle + 0.0654498) < horizon;
BEGIN
    RETURN CASE WHEN before AND after THEN -1 WHEN before OR after THEN 0 ELSE 1 END;
END
$$;
COMMENT ON FUNCTION sun_state IS
    '-1: the sun''s upper edge, refraction included, has been below the horizon for 15 min and stays there as long; 1: it '
    'has been above and stays; 0: between. Low precision formulas of the Astronomical Almanac; within a minute of '
    'sunrise and sunset tables until 2050.';

-- Bound to sun_state here and now: TimescaleDB refreshes without our schema in its search path.
CREATE OR REPLACE FUNCTION dark(at timestamptz, lat double precision, lon double precision) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN sun_state(at, lat, lon) = -1;

CREATE OR REPLACE FUNCTION daylight(at timestamptz, lat double precision, lon double precision) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN sun_state(at, lat, lon) = 1;

DROP FUNCTION sun_down;

CREATE OR REPLACE FUNCTION counter_step(state double precision[], value double precision) RETURNS double precision[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT AS $$
BEGIN
    IF cardinality(state) = 0 THEN
        RETURN ARRAY[value, value, 0];
    END IF;
    state[3] := state[3] + CASE WHEN value >= state[2] THEN value - state[2] ELSE value END;
    state[2] := value;
    RETURN state;
END
$$;
CREATE FUNCTION unless_empty(state double precision[]) RETURNS double precision[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN nullif(state, '{}');
CREATE OR REPLACE AGGREGATE counter (double precision) (
    SFUNC = counter_step, STYPE = double precision[], INITCOND = '{}', FINALFUNC = unless_empty, PARALLEL = SAFE
);

CREATE OR REPLACE FUNCTION classes_step(
    state integer[], value double precision, start double precision, width double precision, number integer
) RETURNS integer[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT AS $$
DECLARE
    class integer := 1 + least(greatest(floor((value - start) / width), 0), number - 1)::integer;
BEGIN
    IF cardinality(state) = 0 THEN
        state := array_fill(0, ARRAY[number]);
    END IF;
    state[class] := state[class] + 1;
    RETURN state;
END
$$;
CREATE FUNCTION unless_empty(state integer[]) RETURNS integer[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN nullif(state, '{}');
CREATE OR REPLACE AGGREGATE classes (double precision, double precision, double precision, integer) (
    SFUNC = classes_step, STYPE = integer[], INITCOND = '{}', FINALFUNC = unless_empty, PARALLEL = SAFE
);

CREATE OR REPLACE FUNCTION classes_quantile(
    counts integer[], share double precision, start double precision, width double precision
) RETURNS double precision
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT AS $$
DECLARE
    wanted double precision := share * (SELECT sum(number) FROM unnest(counts) AS number);
    before double precision := 0;
    place integer := 0;
    number integer;
BEGIN
    FOREACH number IN ARRAY counts LOOP
        IF number > 0 AND before + number >= wanted THEN
            RETURN start + width * (place + (wanted - before) / number);
        END IF;
        before := before + number;
        place := place + 1;
    END LOOP;
    RETURN NULL;
END
$$;
