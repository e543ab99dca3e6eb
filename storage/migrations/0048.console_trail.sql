-- Who did what at the console and from where; answers that are given again; tokens of machines.
-- depends: 0040.console

ALTER TABLE console_action ADD COLUMN asked bytea, ADD COLUMN answer jsonb;
COMMENT ON COLUMN console_action.asked IS 'SHA-256 of what was asked: the same key for something else is a mistake.';
COMMENT ON COLUMN console_action.answer IS 'What was answered, and is answered again.';

CREATE TABLE console_trail (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at        timestamptz NOT NULL,
    username  text NOT NULL,
    name      text NOT NULL,
    role      text NOT NULL,
    unit      text NOT NULL,
    address   text NOT NULL,
    action    text NOT NULL,
    target    text NOT NULL,
    detail    jsonb NOT NULL
);
COMMENT ON TABLE console_trail IS 'Append-only: every change made at the console, by the API or about its users.';
COMMENT ON COLUMN console_trail.username IS 'As they sign in, token:NAME for a machine; empty for a crew with a link.';
COMMENT ON COLUMN console_trail.address IS 'The network address that it came from; command line for what was typed there.';
CREATE INDEX console_trail_target ON console_trail (target, id);
CREATE INDEX console_trail_username ON console_trail (username, id);

CREATE TABLE console_token (
    name          text PRIMARY KEY CHECK (name ~ '^[a-z0-9][a-z0-9._-]{0,63}$'),
    role          text NOT NULL,
    unit          text REFERENCES unit,
    hash          bytea NOT NULL UNIQUE,
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL CHECK (expires_at > created_at),
    revoked_at    timestamptz,
    last_used_at  timestamptz,
    CONSTRAINT token_of_a_crew_belongs_to_a_unit CHECK (role <> 'crew' OR unit IS NOT NULL)
);
COMMENT ON TABLE console_token IS 'Keys with which other systems speak to the API.';
COMMENT ON COLUMN console_token.hash IS 'SHA-256 of the key: 32 random bytes need no slower hash.';
COMMENT ON COLUMN console_token.last_used_at IS 'Within a minute.';
