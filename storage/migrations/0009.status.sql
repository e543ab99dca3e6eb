-- What is known of each device: its last values, its firmware, whether it is connected.
-- depends: 0008.stuck

ALTER TABLE device_status
    ADD COLUMN quality smallint,
    ADD COLUMN latest jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN firmware text NOT NULL DEFAULT '',
    SET (fillfactor = 70);  -- every row is written again and again: room for it on its own page
COMMENT ON COLUMN device_status.quality IS 'Doubts about the newest reading: bits as in the tables of readings.';
COMMENT ON COLUMN device_status.latest IS
    'The last value of each metric, late readings left out; also csq and rsrp that were sent beside the metrics.';
COMMENT ON COLUMN device_status.firmware IS 'As the device names it; empty where it has not.';

CREATE TABLE device_connection (
    device  integer PRIMARY KEY REFERENCES device ON DELETE CASCADE,
    online  boolean NOT NULL,
    since   timestamptz NOT NULL
);
COMMENT ON TABLE device_connection IS
    'Whether a device is connected, as it or its last will said on its topic status; devices that never did are missing.';

-- Many devices are read as one text in which this character separates them.
ALTER TABLE device ADD CONSTRAINT device_words_hold_no_separator CHECK (strpos(
    device_id || kind || name || district || grid || road || road_class || component_class || circuit || cabinet
    || gateway || coalesce(supervisor, '') || coalesce(owner, '') || coalesce(maintainer, ''), chr(30)) = 0);
