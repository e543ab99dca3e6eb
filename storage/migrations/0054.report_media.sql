-- Pictures that citizens' apps keep themselves.
-- depends: 0053.console_address

ALTER TABLE case_report ADD COLUMN media_url text NOT NULL DEFAULT '';
COMMENT ON COLUMN case_report.media_url IS 'Where the reporter''s app shows a picture, as Open311 has it; empty: there is none.';
