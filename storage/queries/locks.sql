-- name: try_hold
-- The lock that makes a process the only one of its role and name; held until the connection ends.
SELECT pg_try_advisory_lock(hashtext(%(role)s), hashtext(%(name)s))
