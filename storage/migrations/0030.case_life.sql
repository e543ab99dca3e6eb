-- The whole life of a case: clocks of its own, pauses, checks by telemetry, parents, campaigns; supervision sheets.
-- depends: 0008.stuck

CREATE TABLE campaign (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL UNIQUE CHECK (name <> ''),
    due         timestamptz NOT NULL,
    created_at  timestamptz NOT NULL,
    created_by  text NOT NULL
);
COMMENT ON TABLE campaign IS 'Many cases under one due date.';

ALTER TABLE dispatch_case
    ADD COLUMN rule_id text NOT NULL DEFAULT '',
    ADD COLUMN started_at timestamptz,
    ADD COLUMN accept_allowed text, ADD COLUMN accept_by timestamptz, ADD COLUMN accepted_at timestamptz,
    ADD COLUMN arrive_allowed text,
    ADD COLUMN safe_allowed text, ADD COLUMN safe_by timestamptz, ADD COLUMN safe_at timestamptz,
    ADD COLUMN fix_allowed text NOT NULL DEFAULT '24h natural',
    ADD COLUMN white_at timestamptz, ADD COLUMN red_at timestamptz,
    ADD COLUMN colour smallint NOT NULL DEFAULT 0 CHECK (colour BETWEEN 0 AND 3),
    ADD COLUMN missed text[] NOT NULL DEFAULT '{}',
    ADD COLUMN attention smallint NOT NULL DEFAULT 0,
    ADD COLUMN attend_at timestamptz,
    ADD COLUMN look_at timestamptz,
    ADD COLUMN failed_checks smallint NOT NULL DEFAULT 0,
    ADD COLUMN bounces smallint NOT NULL DEFAULT 0,
    ADD COLUMN arbitrated boolean NOT NULL DEFAULT false,
    ADD COLUMN joint text[] NOT NULL DEFAULT '{}',
    ADD COLUMN paused_at timestamptz, ADD COLUMN pause text NOT NULL DEFAULT '', ADD COLUMN pause_until timestamptz,
    ADD COLUMN delay text, ADD COLUMN delays smallint NOT NULL DEFAULT 0,
    ADD COLUMN check_since timestamptz, ADD COLUMN check_earliest timestamptz, ADD COLUMN check_until timestamptz,
    ADD COLUMN notice_until timestamptz,
    ADD COLUMN parent bigint REFERENCES dispatch_case,
    ADD COLUMN incident char(19),
    ADD COLUMN campaign bigint REFERENCES campaign,
    ADD COLUMN found text CHECK (found IN ('found', 'not_found', 'other')),
    ADD COLUMN photo text NOT NULL DEFAULT '',
    ADD COLUMN outcome text CHECK (outcome IN ('evidence', 'supervisor', 'self_recovered', 'with_parent'));
UPDATE dispatch_case SET started_at = opened_at, white_at = fix_by, red_at = fix_by,
                         arrive_allowed = CASE WHEN arrive_by IS NOT NULL THEN '30m urgent' END,
                         outcome = CASE WHEN state = 'closed' THEN 'evidence' END;
ALTER TABLE dispatch_case
    ALTER COLUMN started_at SET NOT NULL, ALTER COLUMN white_at SET NOT NULL, ALTER COLUMN red_at SET NOT NULL,
    ALTER COLUMN fix_allowed DROP DEFAULT,
    ADD CONSTRAINT closed_for_a_reason CHECK (state <> 'closed' OR outcome IS NOT NULL),
    ADD CONSTRAINT checked_by_photo CHECK (outcome IS DISTINCT FROM 'supervisor' OR photo <> ''),
    ADD CONSTRAINT merged_into_another CHECK ((state = 'merged') <= (parent IS NOT NULL) AND parent IS DISTINCT FROM id),
    ADD CONSTRAINT allowed_until_when CHECK (
        num_nulls(accept_allowed, accept_by) IN (0, 2) AND num_nulls(arrive_allowed, arrive_by) IN (0, 2)
        AND num_nulls(safe_allowed, safe_by) IN (0, 2)),
    ADD CONSTRAINT checked_in_order CHECK (num_nulls(check_since, check_earliest, check_until) IN (0, 3));
COMMENT ON COLUMN dispatch_case.reason IS
    'Why this unit: lead, maintainer, contractor, owner, component_class, ownerless, district_fallback, assigned.';
COMMENT ON COLUMN dispatch_case.rule_id IS 'The rule whose alarm opened it; empty for what people reported.';
COMMENT ON COLUMN dispatch_case.started_at IS 'When its clocks started: with filing, and anew when it reopened.';
COMMENT ON COLUMN dispatch_case.fix_allowed IS 'As in rule packs: 2h urgent, 5d work. The other *_allowed alike.';
COMMENT ON COLUMN dispatch_case.white_at IS '80 % of the time to fix is used; red_at: it is overdue by as much again.';
COMMENT ON COLUMN dispatch_case.colour IS 'The gravest supervision sheet so far: 0 none, 1 white, 2 yellow, 3 red.';
COMMENT ON COLUMN dispatch_case.missed IS 'Milestones noted as late: accept, arrive, safe, fix.';
COMMENT ON COLUMN dispatch_case.attention IS 'Steps up the chain that heard of it: 1 lead, 2 district, 3 leadership.';
COMMENT ON COLUMN dispatch_case.look_at IS 'When the dispatcher must look at it again by the clock; null: never.';
COMMENT ON COLUMN dispatch_case.bounces IS 'How often a unit gave it back.';
COMMENT ON COLUMN dispatch_case.delay IS 'More time that was asked for and is not decided.';
COMMENT ON COLUMN dispatch_case.check_since IS 'Readings after this count as evidence; not before check_earliest do they close it.';
COMMENT ON COLUMN dispatch_case.parent IS 'The case that carries this one.';
COMMENT ON COLUMN dispatch_case.incident IS 'Number of the first case of the incident on its road; one trip may serve all.';
COMMENT ON COLUMN dispatch_case.found IS 'What the crew found; dispatch precision is counted from it.';
CREATE INDEX dispatch_case_look ON dispatch_case (look_at) WHERE look_at IS NOT NULL;
CREATE INDEX dispatch_case_check ON dispatch_case (id) WHERE check_since IS NOT NULL;
CREATE INDEX dispatch_case_parent ON dispatch_case (parent) WHERE parent IS NOT NULL;
CREATE INDEX dispatch_case_fix_by ON dispatch_case (fix_by, id) WHERE open;
CREATE INDEX dispatch_case_unit_fix_by ON dispatch_case (unit, fix_by, id) WHERE open;
CREATE INDEX dispatch_case_district_fix_by ON dispatch_case (district, fix_by, id) WHERE open;
DROP INDEX dispatch_case_unit;
CREATE INDEX dispatch_case_closed ON dispatch_case (device, problem, closed_at) WHERE NOT open;

CREATE TABLE sheet (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number       text NOT NULL UNIQUE,
    case_id      bigint NOT NULL REFERENCES dispatch_case,
    colour       smallint NOT NULL CHECK (colour BETWEEN 1 AND 3),
    because      text NOT NULL,
    unit         text NOT NULL REFERENCES unit,
    recipients   text[] NOT NULL,
    points       smallint NOT NULL,
    issued_at    timestamptz NOT NULL,
    reply_by     timestamptz NOT NULL,
    answered_at  timestamptz,
    answered_by  text,
    answer       text NOT NULL DEFAULT '',
    CONSTRAINT answered_by_somebody CHECK (
        num_nulls(answered_at, answered_by) IN (0, 2) AND ((answered_at IS NULL) = (answer = '')))
);
COMMENT ON TABLE sheet IS 'Supervision sheets: numbered, with recipients and a reply time of their own.';
COMMENT ON COLUMN sheet.colour IS '1 white, 2 yellow, 3 red.';
COMMENT ON COLUMN sheet.recipients IS 'Who gets it: unit:ID, district:ID, leadership.';
CREATE INDEX sheet_case ON sheet (case_id);
CREATE INDEX sheet_unanswered ON sheet (reply_by) WHERE answered_at IS NULL;

CREATE TABLE sheet_counter (
    year    smallint NOT NULL,
    colour  smallint NOT NULL,
    last    integer NOT NULL,
    PRIMARY KEY (year, colour)
);
COMMENT ON TABLE sheet_counter IS 'The last sheet number given out for a year and a colour.';
