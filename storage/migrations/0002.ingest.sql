-- What became of every message. The tables of readings themselves come from the kinds' descriptions.
-- depends: 0001.registry

CREATE TABLE quarantine (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    received_at  timestamptz NOT NULL,
    partition    text NOT NULL,
    code         text NOT NULL,
    detail       text NOT NULL,
    topic        text NOT NULL,
    payload      bytea NOT NULL
);
COMMENT ON TABLE quarantine IS 'Messages that could not become readings, whole, with the reason.';
CREATE INDEX quarantine_received_at ON quarantine (received_at);

CREATE TABLE ledger (
    minute       timestamptz NOT NULL,
    partition    text NOT NULL,
    received     bigint NOT NULL,
    stored       bigint NOT NULL,
    duplicate    bigint NOT NULL,
    quarantined  bigint NOT NULL,
    PRIMARY KEY (minute, partition),
    CONSTRAINT ledger_balances CHECK (received = stored + duplicate + quarantined)
);
COMMENT ON TABLE ledger IS 'Three fates, no fourth: by minute of arrival and partition.';

CREATE TABLE rule_state (
    rule_id  text NOT NULL,
    device   integer NOT NULL REFERENCES device ON DELETE CASCADE,
    state    jsonb NOT NULL,
    PRIMARY KEY (rule_id, device)
);
COMMENT ON TABLE rule_state IS 'Running delays and raised conditions; written only when they change, with the readings that changed them.';

CREATE TABLE rule_error (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rule_id   text NOT NULL,
    at        timestamptz NOT NULL,
    detail    text NOT NULL
);
COMMENT ON TABLE rule_error IS 'Rules that crashed and were benched; readings went on.';
