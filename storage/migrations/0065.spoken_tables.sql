-- What the tables that people query are, where it did not stand beside them yet.
-- depends: 0053.console_address

COMMENT ON TABLE alarm IS
    'The memory of something wrong: at most one that is open for each rule and device. The view alarm_list is for people.';
COMMENT ON TABLE case_alarm IS 'Which alarms each case carries.';
COMMENT ON TABLE device IS
    'The registry, brought in whole from a file or device by device. The view facility is for people.';
COMMENT ON TABLE dispatch_case IS
    'Cases: who must do what by when; a unit and a deadline are never missing. The view case_list is for people.';
COMMENT ON TABLE district IS 'Districts of the city file, and the unit that gets what nobody else is responsible for.';
COMMENT ON TABLE registry_revision IS 'Grows whenever the registry changes: processes that have read an older one start over.';
