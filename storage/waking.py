"""Being woken when alarms change. A hint only: whoever waits also looks by itself."""

from psycopg import Connection


def listen(connection: Connection) -> None:
    """Ask to be woken."""
    connection.execute("LISTEN cityward_alarm")


def wait(connection: Connection, seconds: float) -> None:
    """Return when an alarm changed, or after ``seconds``."""
    for _hint in connection.notifies(timeout=seconds, stop_after=1):
        pass
