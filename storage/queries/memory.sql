-- name: closed_since
-- Facilities whose case of such a problem closed and that have learnt nothing from it yet.
SELECT dispatch_case.id, dispatch_case.device, (extract(epoch FROM dispatch_case.done_at) * 1000000)::bigint,
       device.attributes -> %(attribute)s
FROM dispatch_case JOIN device ON device.id = dispatch_case.device
WHERE dispatch_case.closed_at >= %(since)s AND dispatch_case.done_at IS NOT NULL AND device.kind = %(kind)s
    AND dispatch_case.problem = ANY (%(problems)s)
    AND NOT EXISTS (
        SELECT FROM device_memory AS memory
        WHERE memory.case_id = dispatch_case.id AND memory.attribute = %(attribute)s)
ORDER BY dispatch_case.id

-- name: remember
-- What was measured after a case closed.
INSERT INTO device_memory (case_id, device, attribute, installed, measured, learnt, ts, at)
VALUES (%(case_id)s, %(device)s, %(attribute)s, %(installed)s, %(measured)s, %(learnt)s,
        to_timestamp(%(ts)s::float8 / 1000000), %(at)s)
ON CONFLICT DO NOTHING

-- name: memories
-- Everything that devices have learnt or might have, newest first; of one device where an id is given.
SELECT device.device_id, memory.attribute, memory.installed, memory.measured,
       CASE WHEN NOT memory.learnt THEN 'too far off'
            WHEN memory.installed IS DISTINCT FROM device.attributes -> memory.attribute THEN 'registry changed'
            WHEN memory.at < max(memory.at) FILTER (WHERE memory.learnt) OVER (PARTITION BY memory.device, memory.attribute)
            THEN 'replaced'
            ELSE 'in force' END AS state,
       memory.ts, dispatch_case.number
FROM device_memory AS memory
JOIN device ON device.id = memory.device
JOIN dispatch_case ON dispatch_case.id = memory.case_id
WHERE %(device_id)s = '' OR device.device_id = %(device_id)s
ORDER BY memory.at DESC, memory.case_id DESC LIMIT %(limit)s
