-- Who may use the console, and what signs its cookies and links.
-- depends: 0007.credentials

CREATE TABLE console_user (
    username     text PRIMARY KEY CHECK (username ~ '^[a-z0-9][a-z0-9._-]{0,63}$'),
    full_name    text NOT NULL,
    role         text NOT NULL,
    unit         text REFERENCES unit,
    language     text NOT NULL,
    hash         text NOT NULL,
    created_at   timestamptz NOT NULL,
    disabled_at  timestamptz,
    -- Grows with every change of password or rights: sessions begun before it end.
    generation   integer NOT NULL DEFAULT 1,
    CONSTRAINT crew_belongs_to_a_unit CHECK (role <> 'crew' OR unit IS NOT NULL)
);
COMMENT ON TABLE console_user IS 'People at the desk and in crews; the password is kept as a Argon2id hash.';

CREATE TABLE console_key (
    only_row    boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    key         bytea NOT NULL CHECK (length(key) >= 32),
    created_at  timestamptz NOT NULL
);
COMMENT ON TABLE console_key IS 'Signs session cookies and crew links of every console on this database.';

CREATE TABLE console_action (
    key      uuid PRIMARY KEY,
    actor    text NOT NULL,
    done_at  timestamptz NOT NULL
);
COMMENT ON TABLE console_action IS
    'Actions that phones have sent, by the key that the phone gave them: sent again after a lost answer, done once.';
CREATE INDEX console_action_done_at ON console_action (done_at);
