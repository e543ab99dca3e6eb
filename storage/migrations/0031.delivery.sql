-- Messages that wait for each other, go together, or are not worth sending twice.
-- depends: 0030.case_life

ALTER TABLE notification
    ADD COLUMN case_id bigint REFERENCES dispatch_case,
    ADD COLUMN event text NOT NULL DEFAULT '',
    ADD COLUMN detail text NOT NULL DEFAULT '',
    ADD COLUMN severity smallint NOT NULL DEFAULT 4,
    ADD COLUMN carried_by bigint REFERENCES notification,
    DROP CONSTRAINT notification_state_check,
    ADD CONSTRAINT notification_state CHECK (state IN ('pending', 'delivered', 'failed', 'dropped'));
UPDATE notification SET case_id = case_event.case_id, event = case_event.event
FROM case_event WHERE case_event.id = notification.case_event_id;
ALTER TABLE notification ALTER COLUMN case_id SET NOT NULL;
COMMENT ON COLUMN notification.carried_by IS 'The notification in whose message this one goes; itself where it is the first.';
COMMENT ON COLUMN notification.detail IS 'The colour of a sheet, the step up the chain.';
CREATE INDEX notification_pending_target ON notification (channel, target, event) WHERE state = 'pending';
CREATE INDEX notification_pending_case ON notification (case_id, id) WHERE state = 'pending';
CREATE INDEX notification_sent ON notification (channel, target, delivered_at) WHERE state = 'delivered';
