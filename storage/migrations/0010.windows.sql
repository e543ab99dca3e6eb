-- How far windows and jobs have been judged; which rules are benched, and by whom.
-- depends: 0007.credentials

CREATE TABLE judged (
    name   text PRIMARY KEY,
    until  timestamptz NOT NULL
);
COMMENT ON TABLE judged IS
    'Progress of rules about windows, groups and jobs: everything that ended until then has been judged, once.';

ALTER TABLE rule_error ADD COLUMN holder text NOT NULL DEFAULT '', ADD COLUMN over_at timestamptz;
COMMENT ON COLUMN rule_error.holder IS 'Who benched it: a partition, or dispatch.';
COMMENT ON COLUMN rule_error.over_at IS 'When the rules were read again, and so tried again; null while it is benched.';
CREATE INDEX rule_error_benched ON rule_error (rule_id) WHERE over_at IS NULL;
