-- Photos that crews take, as evidence of cases.
-- depends: 0030.case_life

CREATE TABLE photo (
    hash        bytea PRIMARY KEY CHECK (length(hash) = 32),
    media_type  text NOT NULL CHECK (media_type IN ('image/jpeg', 'image/png', 'image/webp')),
    content     bytea NOT NULL CHECK (length(content) BETWEEN 1 AND 4194304)
);
COMMENT ON TABLE photo IS 'Each picture once, by the SHA-256 of its bytes.';
-- Pictures are compressed already.
ALTER TABLE photo ALTER COLUMN content SET STORAGE EXTERNAL;

CREATE TABLE case_photo (
    case_id   bigint NOT NULL REFERENCES dispatch_case,
    hash      bytea NOT NULL REFERENCES photo,
    taken_at  timestamptz NOT NULL,
    added_at  timestamptz NOT NULL,
    added_by  text NOT NULL,
    PRIMARY KEY (case_id, hash)
);
COMMENT ON TABLE case_photo IS 'Which case a picture belongs to; taken_at is what the phone said, added_at when it arrived.';

CREATE INDEX dispatch_case_joint ON dispatch_case USING gin (joint) WHERE open AND joint <> '{}';
