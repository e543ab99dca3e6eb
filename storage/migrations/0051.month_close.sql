-- Months that were closed, with the counts that scores are made of; what changes later stands beside them.
-- depends: 0050.history_alone

CREATE TABLE month_close (
    month          date PRIMARY KEY CHECK (extract(day FROM month) = 1),
    closed_at      timestamptz NOT NULL,
    closed_by      text NOT NULL CHECK (closed_by <> ''),
    through_event  bigint NOT NULL,
    through_sheet  bigint NOT NULL
);
COMMENT ON TABLE month_close IS 'Who closed which month when. Money is paid by these scores: nothing here changes.';
COMMENT ON COLUMN month_close.through_event IS
    'The last entry of case_event that had been written: up to it the history makes the same counts again.';

CREATE TABLE month_score (
    month   date NOT NULL REFERENCES month_close,
    by      text NOT NULL CHECK (by IN ('unit', 'district', 'street', 'grid')),
    key     text NOT NULL,
    counts  jsonb NOT NULL,
    score   double precision,
    PRIMARY KEY (month, by, key)
);
COMMENT ON TABLE month_score IS 'What was counted when a month was closed, by unit, district, street or grid.';
COMMENT ON COLUMN month_score.counts IS 'Names as in cases/indicators.py; score by the formula of that day, null with nothing due.';

CREATE TRIGGER only_added_to BEFORE UPDATE OR DELETE ON month_close FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER only_added_to BEFORE UPDATE OR DELETE ON month_score FOR EACH ROW EXECUTE FUNCTION refuse_change();
