"""What holds where nobody sets it. Settings take it from here: without what answers requests, which loads long."""

RATE = 20.0  # requests a second (project default): a busy desk asks for some a second
REPORT_WITHIN_M = 30.0  # as far as a phone's position in a street is off (project default)
GUESTS_SHARE = 5  # of that is an address's share where nobody has signed in

ENTRY_USER = "demo"
