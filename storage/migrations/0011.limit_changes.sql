-- What a device's own limits change to, and when.
-- depends: 0010.windows

ALTER TABLE device ADD COLUMN limit_changes jsonb NOT NULL DEFAULT '{}';
COMMENT ON COLUMN device.limit_changes IS
    'By limit its changes in order: value, valid_from (local date), standard_ref; limits holds the value before them.';
