"""Which moments anybody can mean."""

from datetime import UTC, datetime

_EARLIEST, _LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def in_our_time(moment: datetime) -> datetime:
    """The moment, aware.

    Raises:
        ValueError: if it is of a time in which no city works: in another zone it may leave what can be counted.
    """
    if not _EARLIEST <= moment <= _LATEST:
        raise ValueError("a moment between 2000 and 2100")
    return moment
