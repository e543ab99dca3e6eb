-- How far collectors have come with what was sent to their partition.
-- depends: 0041.waiting

CREATE TABLE worked_off (
    partition  text PRIMARY KEY,
    until      timestamptz NOT NULL
);
COMMENT ON TABLE worked_off IS
    'What was sent to a partition before this moment is stored: behind the clock while nobody collects or a backlog lasts.';
