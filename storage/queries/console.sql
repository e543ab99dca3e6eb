-- name: console_user
-- One person who may sign in, or could until disabled.
SELECT username, full_name, role, coalesce(unit, '') AS unit, language, hash, disabled_at, generation
FROM console_user
WHERE username = %(username)s

-- name: console_users
-- Everybody, for administration.
SELECT username, full_name, role, coalesce(unit, '') AS unit, language, hash, disabled_at, generation
FROM console_user
ORDER BY username

-- name: save_console_user
-- A new person, or new rights or a new password for a known one: open sessions end.
INSERT INTO console_user (username, full_name, role, unit, language, hash, created_at)
VALUES (%(username)s, %(full_name)s, %(role)s, nullif(%(unit)s, ''), %(language)s, %(hash)s, %(at)s)
ON CONFLICT (username) DO UPDATE SET
    full_name = excluded.full_name, role = excluded.role, unit = excluded.unit, language = excluded.language,
    hash = excluded.hash, disabled_at = NULL, generation = console_user.generation + 1

-- name: disable_console_user
-- Somebody who shall not sign in any more; the history keeps the name.
UPDATE console_user SET disabled_at = %(at)s, generation = generation + 1
WHERE username = %(username)s AND disabled_at IS NULL

-- name: make_console_key
-- The key that signs cookies and links, unless there is one.
INSERT INTO console_key (key, created_at) VALUES (%(key)s, %(at)s) ON CONFLICT DO NOTHING

-- name: console_key
-- The key that signs cookies and links.
SELECT key FROM console_key

-- name: note_console_action
-- A phone's action, unless it was done before.
INSERT INTO console_action (key, actor, done_at) VALUES (%(key)s, %(actor)s, %(at)s) ON CONFLICT DO NOTHING

-- name: forget_console_actions
-- Actions that no phone will send again.
DELETE FROM console_action WHERE done_at < %(before)s
