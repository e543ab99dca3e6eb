-- What the broker keeps for partitions, also for those that are no more: a session keeps every topic it was ever given.
-- depends: 0042.worked_off

CREATE TABLE partition_session (
    partition  text PRIMARY KEY,
    topics     text[] NOT NULL CHECK (cardinality(topics) > 0),
    since      timestamptz
);
COMMENT ON TABLE partition_session IS 'The sessions of partitions at the broker, until they are forgotten.';
COMMENT ON COLUMN partition_session.topics IS
    'All topic filters that the session was ever asked for, as in the settings: it may get what is sent to them.';
COMMENT ON COLUMN partition_session.since IS
    'What was sent later is kept for the partition; null until the broker has granted the topics.';
