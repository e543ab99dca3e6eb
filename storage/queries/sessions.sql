-- name: load_sessions
-- What the broker keeps for partitions, and how far each has been collected.
SELECT partition, topics, (extract(epoch FROM since) * 1000000)::bigint, (extract(epoch FROM until) * 1000000)::bigint
FROM partition_session LEFT JOIN worked_off USING (partition) ORDER BY partition

-- name: ask_for_topics
-- A session that is about to be asked for topics; those it was asked for before stay.
INSERT INTO partition_session AS known (partition, topics) VALUES (%(partition)s, %(topics)s::text[])
ON CONFLICT (partition) DO UPDATE
SET topics = ARRAY(SELECT DISTINCT unnest(known.topics || excluded.topics) AS topic ORDER BY topic)

-- name: grant_topics
-- The broker has granted a session's topics: what is sent from now on is kept for it, unless that was so before. Whether
-- it should have been so; no row where nothing changes.
UPDATE partition_session SET since = %(at)s FROM partition_session AS before
WHERE partition_session.partition = %(partition)s AND before.partition = partition_session.partition
  AND (before.since IS NULL OR NOT %(resumed)s)
RETURNING before.since IS NOT NULL

-- name: forget_sessions
-- Sessions that are no more.
DELETE FROM partition_session WHERE partition = ANY (%(partitions)s::text[])
