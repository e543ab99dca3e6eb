-- name: try_hold
-- The lock that makes a process the only one of its role and name; held until the connection ends.
SELECT pg_try_advisory_lock(hashtext(%(role)s), hashtext(%(name)s))

-- name: holders
-- Who holds the locks of a role: the two keys of an advisory lock are its classid and objid.
SELECT wanted.name, coalesce(host(activity.client_addr), 'this machine'), activity.pid, activity.backend_start
FROM unnest(%(names)s::text[]) AS wanted (name)
JOIN pg_locks AS lock
    ON lock.locktype = 'advisory' AND lock.granted AND lock.objsubid = 2
    AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND lock.classid::bigint = hashtext(%(role)s)::bigint & 4294967295
    AND lock.objid::bigint = hashtext(wanted.name)::bigint & 4294967295
JOIN pg_stat_activity AS activity ON activity.pid = lock.pid
