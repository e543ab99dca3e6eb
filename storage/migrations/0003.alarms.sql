-- The memory of what is wrong (ISA-18.2): active and acknowledged are two memories, the state is derived.
-- depends: 0002.ingest

CREATE TABLE alarm (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rule_id       text NOT NULL,
    rule_version  text NOT NULL,
    device        integer NOT NULL REFERENCES device,
    severity      smallint NOT NULL CHECK (severity BETWEEN 1 AND 4),
    active        boolean NOT NULL,
    acknowledged  boolean NOT NULL,
    raised_at     timestamptz NOT NULL,
    cleared_at    timestamptz,
    occurrences   integer NOT NULL DEFAULT 1
);
COMMENT ON COLUMN alarm.severity IS '4 critical, 3 major, 2 minor, 1 notice.';
COMMENT ON COLUMN alarm.raised_at IS 'Event time of the latest occurrence.';
-- One open alarm per rule and device: open until it is both back to normal and acknowledged.
CREATE UNIQUE INDEX alarm_open ON alarm (rule_id, device) WHERE active OR NOT acknowledged;
CREATE INDEX alarm_device ON alarm (device);

CREATE TABLE alarm_event (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alarm_id    bigint NOT NULL REFERENCES alarm,
    event       text NOT NULL,
    severity    smallint NOT NULL,
    at          timestamptz NOT NULL,
    seen_at     timestamptz NOT NULL,
    actor       text NOT NULL,
    detail      jsonb NOT NULL,
    handled_at  timestamptz
);
COMMENT ON TABLE alarm_event IS 'Append-only history; handled_at marks what dispatch has taken up.';
COMMENT ON COLUMN alarm_event.at IS 'Event time: when it happened out there. seen_at: when Cityward decided.';
CREATE INDEX alarm_event_alarm ON alarm_event (alarm_id);
CREATE INDEX alarm_event_unhandled ON alarm_event (id) WHERE handled_at IS NULL;
