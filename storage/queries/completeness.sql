-- name: stretches
-- What came of each device that is at work in a stretch of time, the doubtful first: silent, then by completeness.
SELECT device.device_id, device.kind, device.district, stretch.*
FROM device
JOIN device_status AS status ON status.device = device.id
CROSS JOIN LATERAL device_stretch(device.id, %(since)s, %(until)s) AS stretch
WHERE device.registered_at < %(until)s
  AND (%(device_id)s::text IS NULL OR device.device_id = %(device_id)s)
  AND (%(kind)s::text IS NULL OR device.kind = %(kind)s)
  AND (%(district)s::text IS NULL OR device.district = %(district)s)
ORDER BY stretch.readings > 0, stretch.completeness NULLS LAST, device.device_id

-- name: gaps
-- Which sequence numbers of a device are missing in a stretch of time, and between which readings.
SELECT step.seq_before + 1 AS first, step.seq - 1 AS last, step.ts_before AS after, step.ts AS before
FROM device CROSS JOIN LATERAL sequence_step(device.id, %(since)s, %(until)s) AS step
WHERE device.device_id = %(device_id)s AND step.seq - step.seq_before > 1
ORDER BY step.run, step.seq
