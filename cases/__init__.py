"""Dispatch: from a raised alarm to a crew with a deadline, and to a closed case that was checked.

Values in, values out: every function here decides and says why; the caller stores the result.
Does not: read a clock, speak SQL or MQTT, raise or clear alarms, tell anybody.
"""
