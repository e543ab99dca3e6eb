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
-- Same key, other values: first write wins, the other goes to quarantine.
SELECT staged.ordinal FROM {staging} AS staged JOIN {table} AS kept USING (device, ts)
WHERE ({staged_metrics}) IS DISTINCT FROM ({kept_metrics})

-- name: drop_staging
-- Another batch of this transaction may need the name.
DROP TABLE {staging}

-- name: count_stored
-- How many readings of a kind there are; reads the whole table.
SELECT count(*) FROM {table}

-- name: newest
-- How far each device's event time goes; the primary key answers from its end.
SELECT device.id, (extract(epoch FROM newest.ts) * 1000000)::bigint
FROM device, LATERAL (
    SELECT ts FROM {table} AS reading WHERE reading.device = device.id ORDER BY ts DESC LIMIT 1
) AS newest
WHERE device.kind = %(kind)s
