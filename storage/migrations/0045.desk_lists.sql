-- Lists that the desk asks for every few seconds, however much is open.
-- depends: 0044.handover

-- In the order of the list of alarms, read from its end.
CREATE INDEX alarm_open_in_order ON alarm (active, severity, raised_at, id) WHERE active OR NOT acknowledged OR hushed;
CREATE INDEX dispatch_case_closed_at ON dispatch_case (closed_at) WHERE closed_at IS NOT NULL;
