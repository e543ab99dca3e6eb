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

-- name: end_session
-- A session that opens nothing from now on.
INSERT INTO console_session_over (token, until) VALUES (sha256(%(token)s::bytea), %(until)s) ON CONFLICT DO NOTHING

-- name: session_over
-- Whether a session was ended.
SELECT EXISTS (SELECT FROM console_session_over WHERE token = sha256(%(token)s::bytea))

-- name: forget_sessions
-- Ended sessions that are over by themselves.
DELETE FROM console_session_over WHERE until < %(now)s

-- name: make_console_key
-- The key that signs cookies and links, unless there is one.
INSERT INTO console_key (key, created_at) VALUES (%(key)s, %(at)s) ON CONFLICT DO NOTHING

-- name: console_key
-- The key that signs cookies and links.
SELECT key FROM console_key

-- name: note_asked
-- An action with what was asked; nothing where its key was used before.
INSERT INTO console_action (key, actor, done_at, asked) VALUES (%(key)s, %(actor)s, %(at)s, %(asked)s)
ON CONFLICT DO NOTHING

-- name: answer_action
-- What was answered to an action.
UPDATE console_action SET answer = %(answer)s WHERE key = %(key)s

-- name: answered_action
-- Who used a key, what for, and what was answered.
SELECT actor, asked, answer FROM console_action WHERE key = %(key)s

-- name: write_trail
-- A line of the record of changes.
INSERT INTO console_trail (at, username, name, role, unit, address, action, target, detail)
VALUES (%(at)s, %(username)s, %(name)s, %(role)s, %(unit)s, %(address)s, %(action)s, %(target)s, %(detail)s)

-- name: read_trail
-- Changes since then, the latest last and of many the latest; null filters mean all.
SELECT * FROM (
    SELECT id, at, username, name, role, unit, address, action, target, detail FROM console_trail
    WHERE at >= %(since)s AND (%(username)s::text IS NULL OR username = %(username)s)
      AND (%(target)s::text IS NULL OR target = %(target)s)
    ORDER BY id DESC LIMIT %(limit)s
) AS latest ORDER BY id

-- name: signed_in_from
-- From which addresses somebody has signed in since then.
SELECT DISTINCT address FROM console_trail
WHERE username = %(username)s AND action = 'user.sign_in' AND at >= %(since)s

-- name: save_token
-- A new token; nothing where there is one of the name that can still be used.
INSERT INTO console_token AS known (name, role, unit, hash, created_at, expires_at)
VALUES (%(name)s, %(role)s, nullif(%(unit)s, ''), %(hash)s, %(at)s, %(expires_at)s)
ON CONFLICT (name) DO UPDATE SET
    role = excluded.role, unit = excluded.unit, hash = excluded.hash, created_at = excluded.created_at,
    expires_at = excluded.expires_at, revoked_at = NULL, last_used_at = NULL
WHERE known.revoked_at IS NOT NULL OR known.expires_at <= excluded.created_at

-- name: token_by_hash
-- The token with this hash, if it can be used now.
SELECT name, role, coalesce(unit, '') AS unit, created_at, expires_at, revoked_at, last_used_at FROM console_token
WHERE hash = %(hash)s AND revoked_at IS NULL AND expires_at > %(at)s

-- name: tokens
-- All tokens, for administration.
SELECT name, role, coalesce(unit, '') AS unit, created_at, expires_at, revoked_at, last_used_at FROM console_token
ORDER BY name

-- name: token_used
-- When a token was used, by the minute: most requests write nothing.
UPDATE console_token SET last_used_at = %(at)s
WHERE name = %(name)s AND (last_used_at IS NULL OR last_used_at < %(at)s::timestamptz - interval '1 minute')

-- name: revoke_token
-- The end of a token before its time.
UPDATE console_token SET revoked_at = %(at)s
WHERE name = %(name)s AND revoked_at IS NULL AND expires_at > %(at)s

-- name: forget_console_actions
-- Actions that no phone will send again.
DELETE FROM console_action WHERE done_at < %(before)s

-- name: save_address
-- Where people reach the console.
INSERT INTO console_address (url) VALUES (%(url)s) ON CONFLICT (only_row) DO UPDATE SET url = excluded.url
