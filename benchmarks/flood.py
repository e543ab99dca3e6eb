"""Publishing what was prepared as fast as the broker takes it, in a thread that only writes and counts answers."""

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress

from benchmarks.traffic import BLOCK, Traffic
from devices.broker import Broker
from ingest.mqtt.packets import DISCONNECT
from ingest.mqtt.publishing import welcomed

UNACKNOWLEDGED = 2000  # messages: as many devices wait for their PUBACK
PATIENCE = 60.0  # seconds for the broker to take a block
_PUBACK = 4  # bytes


@contextmanager
def flood(broker: Broker, traffic: Traffic, *, acknowledged: bool) -> Iterator[Callable[[], Future[float]]]:
    """A publisher that is connected; called, it publishes everything, and in the end its processor seconds are there.

    Args:
        broker: Where to.
        traffic: What.
        acknowledged: Whether it is published with QoS 1, and thus over only when the broker has acknowledged all of it.
    """
    with ThreadPoolExecutor(1, "flood") as thread, welcomed(broker, "bench-flood") as connection:
        connection.settimeout(PATIENCE)
        try:
            yield lambda: thread.submit(_publish, connection, traffic, acknowledged=acknowledged)
        finally:
            with suppress(OSError):  # the broker may have closed it already
                connection.shutdown(socket.SHUT_RDWR)  # wakes a thread that still waits for the broker


def _publish(broker: socket.socket, traffic: Traffic, *, acknowledged: bool) -> float:
    before = time.thread_time()
    answered = 0  # bytes of PUBACK
    for number, block in enumerate(traffic.blocks, start=1):
        broker.sendall(block)
        while acknowledged and number * BLOCK - answered // _PUBACK > UNACKNOWLEDGED:
            answered += _receive(broker)
    while acknowledged and answered < traffic.messages * _PUBACK:
        answered += _receive(broker)
    broker.sendall(DISCONNECT)
    return time.thread_time() - before


def _receive(broker: socket.socket) -> int:
    answer = broker.recv(65_536)
    if not answer:
        raise ConnectionError("the broker closed the publisher's connection")
    return len(answer)
