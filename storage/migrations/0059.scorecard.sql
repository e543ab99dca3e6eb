-- depends: 0053.console_address

-- A scorecard of a month counts chatter and hushes: of 100,000 lines of alarms' history it reads some dozens.
CREATE INDEX alarm_event_quiet ON alarm_event (seen_at)
    WHERE event IN ('chattering', 'suppressed', 'shelved', 'taken_out');
