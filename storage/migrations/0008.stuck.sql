-- News of alarms that cannot become a case yet: kept, tried again, in nobody's way.
-- depends: 0007.credentials

ALTER TABLE alarm_event
    ADD COLUMN stuck_since timestamptz,
    ADD COLUMN tried_at timestamptz,
    ADD COLUMN stuck_because text,
    ADD CONSTRAINT alarm_event_stuck_for_a_reason CHECK (num_nulls(stuck_since, tried_at, stuck_because) IN (0, 3));
COMMENT ON COLUMN alarm_event.stuck_because IS
    'Why dispatch could not take it up when it last tried, at tried_at; later news of the same alarm wait behind it.';
CREATE INDEX alarm_event_stuck ON alarm_event (alarm_id, id) WHERE handled_at IS NULL AND stuck_since IS NOT NULL;
