-- Quarantine as a tool: messages are tried again, or given up with a reason.
-- depends: 0004.cases

ALTER TABLE quarantine
    ADD COLUMN part integer NOT NULL DEFAULT -1,
    ADD COLUMN attempts integer NOT NULL DEFAULT 0,
    ADD COLUMN stored integer NOT NULL DEFAULT 0,
    ADD COLUMN duplicate integer NOT NULL DEFAULT 0,
    ADD COLUMN replay_partition text,
    ADD COLUMN replay_requested_at timestamptz,
    ADD COLUMN replay_requested_by text,
    ADD COLUMN resolved_at timestamptz,
    ADD COLUMN resolution text CHECK (resolution IN ('replayed', 'dropped')),
    ADD COLUMN resolved_by text,
    ADD COLUMN reason text NOT NULL DEFAULT '',
    ADD CONSTRAINT quarantine_asked_by_somebody
        CHECK (num_nulls(replay_partition, replay_requested_at, replay_requested_by) IN (0, 3)),
    ADD CONSTRAINT quarantine_resolved_by_somebody
        CHECK (num_nulls(resolved_at, resolution, resolved_by) IN (0, 3)),
    ADD CONSTRAINT quarantine_dropped_for_a_reason CHECK (resolution IS DISTINCT FROM 'dropped' OR reason <> ''),
    ADD CONSTRAINT quarantine_resolved_is_not_waiting CHECK (resolved_at IS NULL OR replay_partition IS NULL);
COMMENT ON COLUMN quarantine.part IS 'Which reading of the message was refused, from 0; -1: the message as a whole.';
COMMENT ON COLUMN quarantine.attempts IS 'How often it has been tried again; code and detail are of the last time.';
COMMENT ON COLUMN quarantine.stored IS 'How many readings trying again has stored; duplicate: how many were there already.';
COMMENT ON COLUMN quarantine.replay_partition IS 'Set: its collector is to try this again. The one that has the topic now.';
CREATE INDEX quarantine_waiting ON quarantine (replay_partition, id) WHERE replay_partition IS NOT NULL;
CREATE INDEX quarantine_tried_again ON quarantine (id) WHERE attempts > 0;
CREATE INDEX quarantine_unresolved ON quarantine (code, id) WHERE resolved_at IS NULL;
