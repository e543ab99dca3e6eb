-- What citizens, the hotline and patrols report, and where.
-- depends: 0048.console_trail

CREATE TABLE case_report (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id       bigint NOT NULL REFERENCES dispatch_case,
    source        text NOT NULL CHECK (source IN ('citizen', 'hotline', 'patrol')),
    service_code  text NOT NULL,
    at            timestamptz NOT NULL,
    taken_by      text NOT NULL,
    text          text NOT NULL,
    lon           double precision,
    lat           double precision,
    address       text NOT NULL,
    contact       jsonb NOT NULL,
    CONSTRAINT somewhere_or_nowhere CHECK (num_nulls(lon, lat) IN (0, 2))
);
COMMENT ON TABLE case_report IS 'One row for each who reported: the first opens a case, further ones join it.';
COMMENT ON COLUMN case_report.service_code IS 'As Open311 has it; empty for what came another way.';
COMMENT ON COLUMN case_report.contact IS 'How to call back, as it was given; never sent out again.';
CREATE INDEX case_report_case ON case_report (case_id);
CREATE INDEX case_report_at ON case_report (at);
CREATE INDEX device_position ON device (kind, lat, lon);
