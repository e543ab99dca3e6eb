-- name: copy_in
-- The fast path: straight into the table.
COPY {table} FROM STDIN (FORMAT binary)

-- name: create_staging
-- Where a batch with duplicates is sorted out; ordinal is the row's position in the batch.
CREATE TEMPORARY TABLE {staging} (LIKE {table}, ordinal integer NOT NULL) ON COMMIT DROP

-- name: copy_staging
-- The same rows, with their positions.
COPY {staging} FROM STDIN (FORMAT binary)

-- name: insert_new
-- What is not there yet; of equal keys within the batch the first wins.
INSERT INTO {table} ({columns})
SELECT DISTINCT ON (device, ts) {columns} FROM {staging} ORDER BY device, ts, ordinal
ON CONFLICT (device, ts) DO NOTHING
RETURNING device, (extract(epoch FROM ts) * 1000000)::bigint

-- name: find_conflicts
-- Of rows that were not new those with the same key and other values: first write wins, the other goes to quarantine. One
-- look by key a row: of a table that is new in the transaction the planner knows no size, and a join may read all readings.
SELECT staged.ordinal FROM {staging} AS staged, LATERAL (
    SELECT * FROM {table} AS stored WHERE stored.device = staged.device AND stored.ts = staged.ts LIMIT 1
) AS kept
WHERE staged.ordinal = ANY (%(ordinals)s::integer[]) AND ({staged_metrics}) IS DISTINCT FROM ({kept_metrics})

-- name: drop_staging
-- Another batch of this transaction may need the name.
DROP TABLE {staging}

-- name: count_stored
-- How many readings of a kind there are; reads the whole table.
SELECT count(*) FROM {table}

-- name: stored_at
-- The reading of a device and time.
SELECT {columns} FROM {table} WHERE device = %(device)s AND ts = %(ts)s

-- name: latest
-- The last reading that each of these devices itself has sent before a moment; the primary key answers from its end.
SELECT kept.device, (extract(epoch FROM kept.ts) * 1000000)::bigint, (extract(epoch FROM kept.received_at) * 1000000)::bigint,
       kept.quality, coalesce(kept.seq, %(no_sequence)s), kept.type, {kept_metrics}
FROM unnest(%(devices)s::integer[], %(befores)s::timestamptz[]) AS wanted (device, before), LATERAL (
    SELECT * FROM {table} AS reading
    WHERE reading.device = wanted.device AND reading.ts < wanted.before AND reading.quality & %(repeated)s = 0
    ORDER BY ts DESC LIMIT 1
) AS kept
ORDER BY kept.device

-- name: sequence_runs
-- Runs of consecutive sequence numbers by device; what lies between two runs is missing. Reads the whole table.
SELECT device.device_id, min(seq), max(seq), sum(times)::bigint
FROM (
    SELECT device, seq, times, seq - row_number() OVER (PARTITION BY device ORDER BY seq) AS run
    FROM (SELECT device, seq, count(*) AS times FROM {table} WHERE seq IS NOT NULL GROUP BY 1, 2) AS counted
) AS numbered
JOIN device ON device.id = numbered.device
GROUP BY device.device_id, run ORDER BY 1, 2

-- name: commit_delays
-- Seconds from a reading's own time to its commit, at these shares; the server must have track_commit_timestamp on.
SELECT count(*), percentile_disc(%(shares)s::double precision[])
    WITHIN GROUP (ORDER BY extract(epoch FROM pg_xact_commit_timestamp(xmin) - ts)::double precision)
FROM {table} WHERE ts >= %(since)s

-- name: read_back
-- What is stored of some devices from a moment until before another, each column as one text: a row in Python a reading
-- would take ten times as long. Repeated readings say nothing of their device.
SELECT string_agg(device::text, ','), string_agg(((extract(epoch FROM ts) * 1000000)::bigint)::text, ','),
       string_agg(quality::text, ','), {texts}
FROM {table}
WHERE device = ANY (%(devices)s::integer[]) AND quality & %(repeated)s = 0
  AND ts >= to_timestamp(%(since)s / 1e6) AND ts < to_timestamp(%(until)s / 1e6)

-- name: reading_page
-- What a device sent from a moment until before another, as it is stored, oldest first, so many at most.
SELECT {columns} FROM {table}
WHERE device = %(device)s AND ts >= %(since)s AND ts < %(until)s ORDER BY ts LIMIT %(limit)s

-- name: around
-- Everything that a device sent in a stretch of time, as it is stored.
SELECT {columns} FROM {table} WHERE device = %(device)s AND ts >= %(since)s AND ts <= %(until)s ORDER BY ts

-- name: waiting
-- What some devices have sent that waits to be judged: it arrived at a moment or later, and nothing newer that the device
-- itself has sent arrived before.
SELECT kept.device, (extract(epoch FROM kept.ts) * 1000000)::bigint, (extract(epoch FROM kept.received_at) * 1000000)::bigint,
       kept.quality, coalesce(kept.seq, %(no_sequence)s), kept.type, {kept_metrics}
FROM {table} AS kept
WHERE kept.device = ANY (%(devices)s::integer[])
  AND kept.ts >= %(since)s::timestamptz AND kept.received_at >= %(until)s::timestamptz
  AND NOT EXISTS (
      SELECT FROM {table} AS newer
      WHERE newer.device = kept.device AND newer.ts > kept.ts
        AND newer.received_at < %(until)s::timestamptz AND newer.quality & %(repeated)s = 0)
ORDER BY kept.device, kept.ts

-- name: correct_quality
-- Doubts that turned out otherwise when readings were judged in order; the bounds keep other chunks out of it.
UPDATE {table} AS kept SET quality = judged.quality
FROM unnest(%(devices)s::integer[], %(times)s::timestamptz[], %(qualities)s::smallint[]) AS judged (device, ts, quality)
WHERE kept.device = judged.device AND kept.ts = judged.ts
  AND kept.ts >= %(first)s::timestamptz AND kept.ts <= %(last)s::timestamptz
