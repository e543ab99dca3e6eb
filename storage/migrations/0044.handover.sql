-- What one shift tells the next.
-- depends: 0040.console

CREATE TABLE handover (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL,
    since   timestamptz NOT NULL CHECK (since <= at),
    actor   text NOT NULL CHECK (actor <> ''),
    note    text NOT NULL CHECK (note <> ''),
    totals  jsonb NOT NULL
);
COMMENT ON TABLE handover IS 'Append-only: the note with which a shift was handed over, and how the desk stood then.';
COMMENT ON COLUMN handover.since IS 'When the shift began: the hand-over before it, or what the operator said.';
CREATE INDEX handover_at ON handover (at DESC);
