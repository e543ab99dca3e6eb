-- A case's history says by itself what figures are made of: whose it was, what deadline held, what was found.
-- depends: 0030.case_life 0040.console

ALTER TABLE case_event ADD COLUMN unit text, ADD COLUMN fix_by timestamptz, ADD COLUMN found text;
UPDATE case_event SET unit = dispatch_case.unit, fix_by = dispatch_case.fix_by, found = dispatch_case.found
FROM dispatch_case WHERE dispatch_case.id = case_event.case_id;
ALTER TABLE case_event ALTER COLUMN unit SET NOT NULL, ALTER COLUMN fix_by SET NOT NULL;
COMMENT ON COLUMN case_event.unit IS 'Whose the case was after it; fix_by the deadline, found what a crew had found, likewise.';
CREATE INDEX case_event_fix_by ON case_event USING brin (fix_by);
CREATE INDEX sheet_issued ON sheet (issued_at);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is only ever added to: a % is refused', tg_table_name, tg_op
        USING ERRCODE = 'integrity_constraint_violation';
END
$$;
CREATE TRIGGER only_added_to BEFORE UPDATE OR DELETE ON case_event FOR EACH ROW EXECUTE FUNCTION refuse_change();
