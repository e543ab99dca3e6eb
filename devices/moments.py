"""Moments of readings: microseconds since 1970 UTC, and what they are as times of people."""

from datetime import UTC, datetime

MICROS = 1_000_000  # in a second


def micros(at: datetime) -> int:
    """An aware time in microseconds since 1970 UTC."""
    return round(at.timestamp() * MICROS)


def moment(ts: int) -> datetime:
    """Microseconds since 1970 UTC as an aware time, in UTC."""
    return datetime.fromtimestamp(ts / MICROS, UTC)
