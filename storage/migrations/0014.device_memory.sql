-- What facilities learn when they have been mended: a cover's tilt at rest.
-- depends: 0004.cases

CREATE TABLE device_memory (
    case_id    bigint NOT NULL REFERENCES dispatch_case,
    device     integer NOT NULL REFERENCES device ON DELETE CASCADE,
    attribute  text NOT NULL,
    installed  jsonb,
    measured   double precision NOT NULL,
    learnt     boolean NOT NULL,
    ts         timestamptz NOT NULL,
    at         timestamptz NOT NULL,
    PRIMARY KEY (case_id, attribute)
);
COMMENT ON TABLE device_memory IS 'What was measured after each case closed, for attributes that are learnt from a metric.';
COMMENT ON COLUMN device_memory.installed IS
    'What the registry said then; once a person changes it there, what was learnt before no longer counts.';
COMMENT ON COLUMN device_memory.learnt IS 'Whether it counts; false where it lay too far from what was installed.';
COMMENT ON COLUMN device_memory.ts IS 'Event time of the reading.';
CREATE INDEX device_memory_device ON device_memory (device, attribute, at);

CREATE VIEW device_learnt AS
SELECT device, jsonb_object_agg(attribute, measured) AS attributes
FROM (
    SELECT DISTINCT ON (memory.device, memory.attribute) memory.device, memory.attribute, memory.measured
    FROM device_memory AS memory JOIN device ON device.id = memory.device
    WHERE memory.learnt AND memory.installed IS NOT DISTINCT FROM device.attributes -> memory.attribute
    ORDER BY memory.device, memory.attribute, memory.at DESC, memory.case_id DESC
) AS newest
GROUP BY device;
COMMENT ON VIEW device_learnt IS 'What each device has learnt and still counts, in place of what the registry says.';
