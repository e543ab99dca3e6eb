-- The other memories of an alarm: latched, chattering, shelved, suppressed by design, out of service; work permits.
-- depends: 0007.credentials

CREATE TABLE rule_text (
    rule_id    text NOT NULL,
    version    text NOT NULL,
    kind       text NOT NULL,
    input      text NOT NULL,
    text       text NOT NULL,
    latch      boolean NOT NULL,
    covers     text[] NOT NULL,
    loaded_at  timestamptz NOT NULL,
    PRIMARY KEY (rule_id, version)
);
COMMENT ON TABLE rule_text IS 'Every version of every rule that was ever in force, as its pack had it; alarms name theirs.';
COMMENT ON COLUMN rule_text.latch IS 'Its alarms end only when a person has looked.';
COMMENT ON COLUMN rule_text.covers IS 'Rules whose alarms of members its own alarm explains.';

CREATE TABLE permit (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind           text NOT NULL,
    target         text NOT NULL,
    valid_from     timestamptz NOT NULL,
    valid_to       timestamptz NOT NULL CHECK (valid_to > valid_from),
    holder         text NOT NULL CHECK (holder <> ''),
    reason         text NOT NULL CHECK (reason <> ''),
    granted_at     timestamptz NOT NULL,
    granted_by     text NOT NULL,
    revoked_at     timestamptz,
    revoked_by     text,
    revoke_reason  text,
    CONSTRAINT revoked_with_reason CHECK (num_nulls(revoked_at, revoked_by, revoke_reason) IN (0, 3))
);
COMMENT ON TABLE permit IS 'Work permits. Those of kind maintenance take what they cover out of service.';
COMMENT ON COLUMN permit.target IS 'A device id, or a group of devices such as road:Jiefang Road or grid:420102001001001.';
CREATE INDEX permit_not_revoked ON permit (valid_to) WHERE revoked_at IS NULL;

ALTER TABLE alarm
    ADD COLUMN held text CHECK (held IN ('latch', 'chatter')),
    ADD COLUMN chattering_since timestamptz,
    ADD COLUMN chatter integer NOT NULL DEFAULT 0,
    ADD COLUMN shelved_until timestamptz,
    ADD COLUMN shelved_once boolean NOT NULL DEFAULT false,
    ADD COLUMN suppressed_by bigint REFERENCES alarm,
    ADD COLUMN permit bigint REFERENCES permit,
    ADD COLUMN hushed boolean NOT NULL
        GENERATED ALWAYS AS (num_nonnulls(shelved_until, suppressed_by, permit) > 0) STORED,
    ADD CONSTRAINT one_hush CHECK (num_nonnulls(shelved_until, suppressed_by, permit) <= 1),
    ADD CONSTRAINT held_is_active CHECK (active OR held IS NULL);
COMMENT ON COLUMN alarm.held IS 'Why it is active although its condition is gone: latch until reset, chatter until quiet.';
COMMENT ON COLUMN alarm.chatter IS 'How often it was raised in its latest chatter.';
COMMENT ON COLUMN alarm.shelved_once IS 'The shelf ends when the alarm clears.';
COMMENT ON COLUMN alarm.suppressed_by IS 'The alarm that explains this one.';
COMMENT ON COLUMN alarm.permit IS 'The work permit under which it is out of service.';

-- One open alarm per rule and device: open until it is back to normal, acknowledged, and no longer hushed.
DROP INDEX alarm_open;
CREATE UNIQUE INDEX alarm_open ON alarm (rule_id, device)
    WHERE active OR NOT acknowledged OR num_nonnulls(shelved_until, suppressed_by, permit) > 0;
CREATE INDEX alarm_active ON alarm (device) WHERE active;
CREATE INDEX alarm_hushed ON alarm (id) WHERE hushed;
CREATE INDEX alarm_suppressed ON alarm (suppressed_by) WHERE suppressed_by IS NOT NULL;
CREATE INDEX alarm_raised ON alarm (raised_at);
CREATE INDEX alarm_unseen ON alarm (id) WHERE active AND NOT acknowledged AND NOT hushed;
CREATE INDEX alarm_chattering ON alarm (raised_at) WHERE chattering_since IS NOT NULL;

ALTER TABLE alarm_event ADD COLUMN hushed boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN alarm_event.hushed IS 'Would have been announced, were the alarm not hushed or chattering.';
CREATE INDEX alarm_event_raised ON alarm_event (seen_at) WHERE event = 'raised';

CREATE FUNCTION device_field(of_device device, field text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE field
        WHEN 'circuit' THEN of_device.circuit WHEN 'cabinet' THEN of_device.cabinet
        WHEN 'gateway' THEN of_device.gateway WHEN 'grid' THEN of_device.grid WHEN 'road' THEN of_device.road
        WHEN 'district' THEN of_device.district WHEN 'kind' THEN of_device.kind WHEN 'city' THEN 'all'
        ELSE of_device.attributes ->> field END
$$;
COMMENT ON FUNCTION device_field IS 'A field by which devices are grouped, or an attribute; the city has one value, all.';

CREATE FUNCTION belongs(of_device device, target text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT target = of_device.device_id
        OR strpos(split_part(target, ':', 1), '/') = 0
           AND substr(target, strpos(target, ':') + 1) IN (
               device_field(of_device, split_part(target, ':', 1)),
               device_field(of_device, split_part(target, ':', 1)) || ':' || of_device.kind)
        OR strpos(split_part(target, ':', 1), '/') > 0
           AND substr(target, strpos(target, ':') + 1) = (
               SELECT string_agg(device_field(of_device, field), '/' ORDER BY place) || ':' || of_device.kind
               FROM unnest(string_to_array(split_part(target, ':', 1), '/')) WITH ORDINALITY AS each (field, place))
$$;
COMMENT ON FUNCTION belongs IS
    'Whether a target means a device: its id; a field and its value, such as road:Jiefang Road; or the id of a group, '
    'which ends with the kind, such as circuit:C-03:streetlight.';
