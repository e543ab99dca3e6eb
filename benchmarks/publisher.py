"""Writes prepared PUBLISH packets as fast as the broker takes them.

``python -m benchmarks.publisher PORT QOS FILE``: says ``ready`` when it is connected, begins at a line of input, and
says in the end how many processor seconds it took since.
A process of its own, so that what it costs can be told from what is measured.
"""

import pickle
import socket
import sys
import time
from pathlib import Path

from benchmarks.traffic import BLOCK, Traffic
from ingest.mqtt.packets import DISCONNECT, Hello, connect

UNACKNOWLEDGED = 2000  # messages: as many devices wait for their PUBACK
_CONNACK, _PUBACK = 4, 4  # bytes


def main() -> None:
    """Publish everything and return when the broker has acknowledged all of it."""
    port, qos, file = sys.argv[1:]
    traffic: Traffic = pickle.loads(Path(file).read_bytes())  # noqa: S301 - written a moment ago by who started us
    with socket.create_connection(("127.0.0.1", int(port))) as broker:
        broker.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        broker.sendall(connect(Hello("benchmark publisher")))
        _receive(broker, _CONNACK)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        before = time.process_time()
        _publish(broker, traffic, acknowledged=qos != "0")
        sys.stdout.write(f"{time.process_time() - before}\n")
        broker.sendall(DISCONNECT)


def _publish(broker: socket.socket, traffic: Traffic, *, acknowledged: bool) -> None:
    answered = 0  # bytes of PUBACK
    for number, block in enumerate(traffic.blocks, start=1):
        broker.sendall(block)
        while acknowledged and number * BLOCK - answered // _PUBACK > UNACKNOWLEDGED:
            answered += _receive(broker)
    while acknowledged and answered < traffic.messages * _PUBACK:
        answered += _receive(broker)


def _receive(broker: socket.socket, size: int = 65_536) -> int:
    answer = broker.recv(size)
    if not answer:
        raise ConnectionError("the broker closed the publisher's connection")
    return len(answer)


if __name__ == "__main__":
    main()
