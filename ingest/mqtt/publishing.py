"""The publishing side of MQTT on a bare socket: what was sent and is not acknowledged, and how a broker lets one in."""

import socket
from collections import OrderedDict

from devices.broker import Broker
from ingest.mqtt import packets
from ingest.mqtt.wire import short, variable

_TIMEOUT = 5.0  # seconds for the broker to answer
_KEEPALIVE = 0xFFFF  # seconds; the embedded broker refuses 0, which would be for ever
_PUBACK = b"\x40\x02"


class Unacknowledged:
    """What was sent and not yet acknowledged, oldest first; pure."""

    def __init__(self) -> None:
        self._sent: OrderedDict[int, tuple[int, bytes]] = OrderedDict()  # packet id: message, topic and payload
        self._packet_id = 0

    def __len__(self) -> int:
        return len(self._sent)

    def send(self, number: int, topic: bytes, payload: bytes) -> bytes:
        """A PUBLISH with a packet id that is free."""
        while True:
            self._packet_id = self._packet_id % 0xFFFF + 1
            if self._packet_id not in self._sent:
                break
        body = b"%b%b%b%b" % (short(len(topic)), topic, short(self._packet_id), payload)
        rest = variable(len(body)) + body
        self._sent[self._packet_id] = (number, rest)
        return b"\x32" + rest

    def again(self) -> bytes:
        """All of it once more, in the order in which it was sent, marked as such."""
        return b"".join(b"\x3a" + rest for _, rest in self._sent.values())

    def acknowledged(self, data: bytes) -> tuple[list[int], bytes]:
        """The messages that these PUBACKs are for, and the bytes of one that is not complete."""
        whole = len(data) - len(data) % 4
        messages = []
        for at in range(0, whole, 4):
            if data[at : at + 2] != _PUBACK:
                raise ConnectionError(f"a broker should answer a publisher with PUBACK, not {data[at : at + 2].hex()}")
            # A broker that was killed may acknowledge for the second time what it had acknowledged before.
            found = self._sent.pop(int.from_bytes(data[at + 2 : at + 4], "big"), None)
            if found is not None:
                messages.append(found[0])
        return messages, data[whole:]


def welcomed(broker: Broker, client_id: str) -> socket.socket:
    """A connection that the broker has accepted and will not find silent; it waits for five seconds at most."""
    connection = socket.create_connection((broker.host, broker.port), _TIMEOUT)
    try:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(packets.connect(packets.Hello(client_id, broker.username, broker.password, _KEEPALIVE)))
        _understand(connection.recv(4, socket.MSG_WAITALL))
    except BaseException:
        connection.close()
        raise
    return connection


def _understand(answer: bytes) -> None:
    if answer[:2] != b"\x20\x02" or packets.read_connack(answer[2:], packets.Protocol.V311).code:
        raise ConnectionError(f"the broker answered {answer.hex()}")
