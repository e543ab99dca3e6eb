"""Being woken when alarms change. A hint only: whoever waits also looks by itself."""

import threading

from psycopg import Connection

from storage.queries import load

_SQL = load("alarms")
_PART = 0.2  # seconds between two looks at whether to stop


def listen(connection: Connection) -> None:
    """Ask to be woken."""
    connection.execute("LISTEN cityward_alarm")


def wait(connection: Connection, seconds: float, stop: threading.Event) -> None:
    """Return when an alarm changed, soon after ``stop`` was set, or after ``seconds``."""
    for _part in range(round(seconds / _PART)):
        if stop.is_set() or any(connection.notifies(timeout=_PART, stop_after=1)):
            return


def wake(connection: Connection) -> None:
    """Wake the dispatcher."""
    connection.execute(_SQL["wake_dispatch"])


def rest(connection: Connection, at: int) -> None:
    """Say that the dispatcher has done all that was to be done at ``at`` (µs since 1970 UTC)."""
    connection.execute(_SQL["rest_dispatch"], {"at": at})


def listen_for_rest(connection: Connection) -> None:
    """Ask to be told when the dispatcher rests."""
    connection.execute("LISTEN cityward_rest")


def rests(connection: Connection, at: int, seconds: float) -> bool:
    """Wait until the dispatcher has done what was to be done at ``at``; False after ``seconds``."""
    return any(int(told.payload) >= at for told in connection.notifies(timeout=seconds, stop_after=1))
