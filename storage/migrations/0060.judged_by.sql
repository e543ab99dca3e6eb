-- Who judges a device whose readings wait: another partition takes over what the last one had not judged yet.
-- depends: 0059.scorecard

CREATE TABLE judged_by (
    device        integer PRIMARY KEY REFERENCES device (id) ON DELETE CASCADE,
    partition     text NOT NULL,
    judged_until  timestamptz,
    since         timestamptz,
    CHECK (num_nulls(judged_until, since) IN (0, 2))
);
COMMENT ON TABLE judged_by IS 'Devices of kinds with a bound for late readings: the partition that judges them.';
COMMENT ON COLUMN judged_by.judged_until IS
    'How far the partition before had judged the device, until the one that took over has caught up; as in waiting.';
COMMENT ON COLUMN judged_by.since IS 'No reading of the device that waits from then has an older time; as in waiting.';
CREATE INDEX judged_by_taken_over ON judged_by (partition) WHERE judged_until IS NOT NULL;
