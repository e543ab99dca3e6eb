-- Sessions that somebody has ended: their cookies, wherever they were copied to, open nothing any more.
-- depends: 0048.console_trail

CREATE TABLE console_session_over (
    token  bytea PRIMARY KEY,
    until  timestamptz NOT NULL
);
COMMENT ON TABLE console_session_over IS 'Sessions ended by signing out, until they would have ended by themselves.';
COMMENT ON COLUMN console_session_over.token IS 'SHA-256 of the session''s token.';
