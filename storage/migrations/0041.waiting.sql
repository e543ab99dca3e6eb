-- Readings that wait for older ones of their device before rules see them.
-- depends: 0040.console

CREATE TABLE waiting (
    partition     text NOT NULL,
    kind          text NOT NULL,
    judged_until  timestamptz NOT NULL,
    since         timestamptz NOT NULL,
    PRIMARY KEY (partition, kind)
);
COMMENT ON TABLE waiting IS 'Kinds with a bound for late readings: how far each partition has judged them.';
COMMENT ON COLUMN waiting.judged_until IS
    'A reading that arrived before has been judged; one that arrived later waits, unless a newer one of its device, '
    'not repeated, arrived before.';
COMMENT ON COLUMN waiting.since IS 'No reading that waits has an older time of its own.';
