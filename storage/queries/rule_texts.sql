-- name: keep_rule_text
-- A version of a rule that is in force; known ones stay as they were first.
INSERT INTO rule_text (rule_id, version, input, text, latch, covers, loaded_at)
VALUES (%(rule_id)s, %(version)s, %(input)s, %(text)s, %(latch)s, %(covers)s, %(at)s)
ON CONFLICT DO NOTHING

-- name: load_rule_text
-- A version of a rule as it was when it was in force, and since when.
SELECT text, loaded_at FROM rule_text WHERE rule_id = %(rule_id)s AND version = %(version)s
