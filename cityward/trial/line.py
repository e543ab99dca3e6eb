"""The way from the pretend devices to the broker: one connection, a portion acknowledged before the next is sent."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from cityward.trial.errors import TrialError
from devices.broker import Broker
from ingest.mqtt.publishing import Unacknowledged, welcomed
from simulators.message import Message

_PORTION = 200  # messages on the way at once
_CHUNK = 64 * 1024


class Line:
    """Publishes with QoS 1 over a connection that is not expected to break."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._waiting = Unacknowledged()

    def publish(self, messages: Sequence[Message]) -> None:
        """Return when the broker has acknowledged all of them.

        Raises:
            TrialError: if the connection breaks.
        """
        try:
            for first in range(0, len(messages), _PORTION):
                portion = messages[first : first + _PORTION]
                self._connection.sendall(b"".join(self._packets(portion)))
                self._wait()
        except OSError as error:
            raise TrialError(f"the broker broke off: {error}") from error

    def _packets(self, messages: Sequence[Message]) -> Iterator[bytes]:
        for number, message in enumerate(messages):
            yield self._waiting.send(number, message.topic.encode(), message.payload)

    def _wait(self) -> None:
        rest = b""
        while len(self._waiting):
            chunk = self._connection.recv(_CHUNK)
            if not chunk:
                raise ConnectionError("closed by the broker")
            _, rest = self._waiting.acknowledged(rest + chunk)


@contextmanager
def line(broker: Broker) -> Iterator[Line]:
    """A line that is open as long as the context lasts.

    Raises:
        TrialError: if the broker is not there or does not let it in.
    """
    try:
        connection = welcomed(broker, "cityward-evaluate")
    except OSError as error:
        raise TrialError(f"no MQTT broker at {broker}: {error}") from error
    with connection:
        yield Line(connection)
