-- The city and what stands in it.

CREATE TABLE city (
    only_row  boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    document  jsonb NOT NULL,
    imported_at timestamptz NOT NULL
);
COMMENT ON TABLE city IS 'The city file as imported: time zone, hours, holidays, component owners, deadlines.';

CREATE TABLE unit (
    unit_id  text PRIMARY KEY,
    name_en  text NOT NULL,
    name_zh  text NOT NULL,
    webhook  text NOT NULL DEFAULT ''
);
COMMENT ON TABLE unit IS 'An organisation that can be responsible for a case.';

CREATE TABLE district (
    district_id    text PRIMARY KEY,
    name_en        text NOT NULL,
    name_zh        text NOT NULL,
    fallback_unit  text NOT NULL REFERENCES unit
);
COMMENT ON COLUMN district.fallback_unit IS 'Gets what nobody else is responsible for.';

CREATE TABLE device (
    id               integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device_id        text NOT NULL UNIQUE,
    kind             text NOT NULL,
    name             text NOT NULL,
    district         text NOT NULL REFERENCES district,
    grid             text NOT NULL,
    lon              double precision NOT NULL,
    lat              double precision NOT NULL,
    road             text NOT NULL,
    road_class       text NOT NULL,
    component_class  text NOT NULL,
    circuit          text NOT NULL,
    cabinet          text NOT NULL,
    gateway          text NOT NULL,
    supervisor       text REFERENCES unit,
    owner            text REFERENCES unit,
    maintainer       text REFERENCES unit,
    limits           jsonb NOT NULL,
    attributes       jsonb NOT NULL,
    registered_at    timestamptz NOT NULL
);
COMMENT ON COLUMN device.device_id IS 'As on the device''s topic: the 16-character component code where the city has one.';
CREATE INDEX device_kind ON device (kind);

CREATE TABLE device_status (
    device            integer PRIMARY KEY REFERENCES device ON DELETE CASCADE,
    last_ts           timestamptz NOT NULL,
    last_received_at  timestamptz NOT NULL,
    readings          bigint NOT NULL,
    also_sent         text[] NOT NULL DEFAULT '{}'
);
COMMENT ON TABLE device_status IS 'When a device was last heard of; written in bulk, at most seconds behind the readings.';

CREATE TABLE registry_revision (
    only_row  boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    revision  bigint NOT NULL
);
INSERT INTO registry_revision (revision) VALUES (0);
