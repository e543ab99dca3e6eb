-- name: crew_cases
-- Cases as crews need them: the one of a number, open or not; or the open ones of a unit, alone or jointly and carried
-- by no other. What is null names none.
SELECT dispatch_case.number, dispatch_case.problem, dispatch_case.severity, dispatch_case.state, dispatch_case.open,
       dispatch_case.unit, dispatch_case.joint, dispatch_case.opened_at, dispatch_case.started_at, dispatch_case.accept_by,
       dispatch_case.accepted_at, dispatch_case.arrive_by, dispatch_case.arrived_at, dispatch_case.safe_by,
       dispatch_case.safe_at, dispatch_case.fix_by, dispatch_case.done_at, dispatch_case.rework, dispatch_case.delay,
       dispatch_case.pause, dispatch_case.incident, parent.number AS parent, dispatch_case.district, device.device_id,
       device.kind, device.name, device.road, device.grid, device.lon, device.lat,
       (SELECT count(*) FROM alarm JOIN case_alarm ON case_alarm.alarm_id = alarm.id
        WHERE case_alarm.case_id = dispatch_case.id AND alarm.active) AS alarms,
       (SELECT count(*) FROM dispatch_case AS member
        WHERE member.parent = dispatch_case.id AND member.state = 'merged') AS carried,
       (SELECT max(case_event.id) FROM case_event WHERE case_event.case_id = dispatch_case.id) AS version
FROM dispatch_case
JOIN device ON device.id = dispatch_case.device
LEFT JOIN dispatch_case AS parent ON parent.id = dispatch_case.parent
WHERE dispatch_case.id IN (
    SELECT named.id FROM dispatch_case AS named WHERE named.number = %(number)s
    UNION ALL
    SELECT own.id FROM dispatch_case AS own WHERE own.open AND own.state <> 'merged' AND own.unit = %(unit)s
    UNION ALL
    SELECT jointly.id FROM dispatch_case AS jointly
    WHERE jointly.open AND jointly.state <> 'merged' AND jointly.joint <> '{}'
      AND jointly.joint @> ARRAY[%(unit)s::text])
ORDER BY dispatch_case.severity DESC, dispatch_case.fix_by, dispatch_case.id
LIMIT %(limit)s
