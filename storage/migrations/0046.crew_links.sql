-- Links that open a unit's page can be ended all at once.
-- depends: 0040.console

CREATE TABLE crew_link (
    unit        text PRIMARY KEY REFERENCES unit,
    -- Links, and sessions begun by them, of an earlier generation are over; the first is 1, without a row.
    generation  integer NOT NULL CHECK (generation > 1),
    revoked_at  timestamptz NOT NULL
);
COMMENT ON TABLE crew_link IS 'Units whose links were ended, and how often.';
