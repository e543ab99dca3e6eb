-- Dispatch: a case cannot exist without a responsible unit and a deadline.
-- depends: 0003.alarms

CREATE TABLE dispatch_case (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number      char(19) NOT NULL UNIQUE,
    device      integer NOT NULL REFERENCES device,
    district    text NOT NULL REFERENCES district,
    problem     text NOT NULL,
    severity    smallint NOT NULL CHECK (severity BETWEEN 1 AND 4),
    state       text NOT NULL,
    open        boolean NOT NULL,
    unit        text NOT NULL REFERENCES unit,
    reason      text NOT NULL,
    opened_at   timestamptz NOT NULL,
    arrive_by   timestamptz,
    fix_by      timestamptz NOT NULL,
    arrived_at  timestamptz,
    done_at     timestamptz,
    closed_at   timestamptz,
    rework      smallint NOT NULL DEFAULT 0,
    CONSTRAINT closed_when_not_open CHECK (open = (closed_at IS NULL))
);
COMMENT ON COLUMN dispatch_case.reason IS 'Why this unit: maintainer, owner, component_class, district_fallback.';
-- One open case per facility and problem; further alarms join it.
CREATE UNIQUE INDEX dispatch_case_open ON dispatch_case (device, problem) WHERE open;
CREATE INDEX dispatch_case_unit ON dispatch_case (unit) WHERE open;
CREATE INDEX dispatch_case_opened_at ON dispatch_case (opened_at);

CREATE TABLE case_alarm (
    case_id   bigint NOT NULL REFERENCES dispatch_case,
    alarm_id  bigint NOT NULL REFERENCES alarm,
    PRIMARY KEY (case_id, alarm_id)
);
CREATE INDEX case_alarm_alarm ON case_alarm (alarm_id);

CREATE TABLE case_event (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id  bigint NOT NULL REFERENCES dispatch_case,
    event    text NOT NULL,
    state    text NOT NULL,
    at       timestamptz NOT NULL,
    actor    text NOT NULL,
    reason   text NOT NULL
);
COMMENT ON TABLE case_event IS 'Append-only: who did what, when and why. state is the state after it.';
CREATE INDEX case_event_case ON case_event (case_id);

CREATE TABLE case_counter (
    area  text NOT NULL,
    day   date NOT NULL,
    last  integer NOT NULL,
    PRIMARY KEY (area, day)
);
COMMENT ON TABLE case_counter IS 'The last case number given out for an area and a day.';

CREATE TABLE notification (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_event_id bigint NOT NULL REFERENCES case_event,
    channel       text NOT NULL,
    target        text NOT NULL,
    body          jsonb NOT NULL,
    state         text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'failed')),
    attempts      integer NOT NULL DEFAULT 0,
    created_at    timestamptz NOT NULL,
    delivered_at  timestamptz,
    last_error    text NOT NULL DEFAULT '',
    UNIQUE (case_event_id, channel, target)
);
COMMENT ON TABLE notification IS 'The outbox: written with the case event it tells of, delivered by a job of its own.';
CREATE INDEX notification_pending ON notification (id) WHERE state = 'pending';
