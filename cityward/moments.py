"""Moments as people write them at a prompt."""

from datetime import datetime, timedelta, tzinfo

from rules.durations import parse_duration


def parse_moment(text: str, now: datetime, zone: tzinfo) -> datetime:
    """``2h`` (so long before now), ``2026-11-20``, ``2026-11-20 14:30`` or RFC 3339; without an offset in ``zone``.

    Raises:
        ValueError: saying what a moment looks like.
    """
    try:
        return now - timedelta(microseconds=parse_duration(text))
    except ValueError:
        pass  # not a duration, so a date
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ValueError(f"{text!r} is no moment: write 2h, 3d, 2026-11-20 or '2026-11-20 14:30'") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
