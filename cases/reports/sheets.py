"""What spreadsheets hold, and what they make of text."""

import re

from devices.errors import Permanent

MOST_ROWS = 1_048_576  # of a sheet, by Excel's specification
HEAD = 4  # title, subtitle, an empty row, headings
# What a spreadsheet takes for the beginning of a formula or a command (OWASP, CSV injection), in full width too: East
# Asian ones read that alike.
FORMULA = re.compile(r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")


class TooLongError(Permanent):
    """A table has more rows than a sheet has."""

    def __init__(self) -> None:
        super().__init__(f"more than {MOST_ROWS - HEAD:,} rows do not fit on a sheet: take a shorter time, or CSV")
