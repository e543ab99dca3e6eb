-- name: insert_report
-- What somebody has reported of a case.
INSERT INTO case_report (case_id, source, service_code, at, taken_by, text, lon, lat, address, contact, media_url)
SELECT id, %(source)s, %(service_code)s, %(at)s, %(taken_by)s, %(text)s, %(lon)s, %(lat)s, %(address)s, %(contact)s,
       %(media_url)s
FROM dispatch_case WHERE number = %(number)s

-- name: facilities_near
-- Devices of a kind within some metres of a place: those with an open case of the problem first, then the nearest.
SELECT device_id FROM (
    SELECT device.device_id,
           sqrt(((device.lat - %(lat)s) * 111320) ^ 2
                + ((device.lon - %(lon)s) * 111320 * cos(radians(%(lat)s))) ^ 2) AS metres,
           EXISTS (SELECT FROM dispatch_case WHERE dispatch_case.device = device.id AND dispatch_case.open
                     AND dispatch_case.problem = %(problem)s) AS known
    FROM device
    WHERE device.kind = %(kind)s
      AND device.lat BETWEEN %(lat)s - %(within)s / 111320 AND %(lat)s + %(within)s / 111320
) AS near
WHERE metres <= %(within)s
ORDER BY known DESC, metres, device_id
LIMIT 1

-- name: reports_of_case
-- Where a case comes from, if people reported it first, and how many reported it.
SELECT count(*), CASE WHEN dispatch_case.rule_id = '' THEN (array_agg(case_report.source ORDER BY case_report.id))[1] END
FROM dispatch_case LEFT JOIN case_report ON case_report.case_id = dispatch_case.id
WHERE dispatch_case.number = %(number)s
GROUP BY dispatch_case.id

-- name: reports_told
-- What people have reported of a case, the first first; their contact is not for everybody.
SELECT case_report.at, case_report.source, case_report.taken_by, case_report.text, case_report.address,
       case_report.contact, case_report.media_url
FROM case_report JOIN dispatch_case ON dispatch_case.id = case_report.case_id
WHERE dispatch_case.number = %(number)s
ORDER BY case_report.id

-- name: reporters_of_cases
-- How many people have reported each of some cases; those that nobody has are left out.
SELECT dispatch_case.number, count(*)
FROM case_report JOIN dispatch_case ON dispatch_case.id = case_report.case_id
WHERE dispatch_case.number = ANY (%(numbers)s::bpchar[])
GROUP BY dispatch_case.number

-- name: reported_cases
-- Cases that were reported by a service, the newest first; by their numbers, or by when they were first reported: of the
-- reports only those of cases that were reported at all in that time are gone through.
SELECT dispatch_case.number, dispatch_case.state, dispatch_case.open, dispatch_case.fix_by, report.service_code,
       report.reported_at, report.reporters, report.media_url, device.device_id, device.name, device.road, device.lon, device.lat,
       unit.name_en, unit.name_zh,
       (SELECT max(case_event.at) FROM case_event WHERE case_event.case_id = dispatch_case.id) AS updated_at
FROM (
    SELECT case_report.case_id, min(case_report.at) AS reported_at, count(*) AS reporters,
           (array_agg(case_report.service_code ORDER BY case_report.id))[1] AS service_code,
           (array_agg(case_report.media_url ORDER BY case_report.id)
            FILTER (WHERE case_report.media_url <> ''))[1] AS media_url
    FROM case_report
    WHERE case_report.service_code <> '' AND case_report.case_id IN (
        SELECT named.id FROM dispatch_case AS named WHERE named.number = ANY (%(numbers)s::bpchar[])
        UNION ALL
        SELECT within.case_id FROM case_report AS within WHERE within.at >= %(since)s AND within.at < %(until)s)
    GROUP BY case_report.case_id
) AS report
JOIN dispatch_case ON dispatch_case.id = report.case_id
JOIN device ON device.id = dispatch_case.device
JOIN unit ON unit.unit_id = dispatch_case.unit
WHERE (%(services)s::text[] IS NULL OR report.service_code = ANY (%(services)s::text[]))
  AND (%(since)s::timestamptz IS NULL OR report.reported_at >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR report.reported_at < %(until)s)
  AND (%(open)s::boolean IS NULL OR dispatch_case.open = %(open)s)
ORDER BY report.reported_at DESC, dispatch_case.id DESC
LIMIT %(limit)s
