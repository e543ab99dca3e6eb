-- Columns that nobody reads: the city file, the text of a rule and the history of a case say the same.
-- depends: 0016.alarm_memories 0030.case_life 0040.console

ALTER TABLE district DROP COLUMN fallback_unit;
ALTER TABLE rule_text DROP COLUMN kind;
ALTER TABLE campaign DROP COLUMN created_at, DROP COLUMN created_by;
