"""How much time is left, as people read it."""

from datetime import datetime


def countdown(deadline: datetime, now: datetime) -> str:
    """``1d 03:20``, ``00:45``, or ``-00:12`` when overdue; hours and minutes."""
    seconds = (deadline - now).total_seconds()
    sign = "-" if seconds < 0 else ""
    minutes = int(abs(seconds) // 60)
    days, minutes = divmod(minutes, 24 * 60)
    return f"{sign}{f'{days}d ' if days else ''}{minutes // 60:02}:{minutes % 60:02}"
