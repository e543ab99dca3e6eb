"""Fields of MQTT packets as bytes (MQTT 5 §1.5, the same in 3.1.1)."""

from ingest.mqtt.errors import ProtocolError

_LONGEST_VARIABLE = 4  # bytes: a remaining length ends at 268,435,455


def variable(value: int) -> bytes:
    """A variable byte integer: seven bits a byte, the lowest first."""
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def read_variable(data: bytes, at: int) -> tuple[int, int] | None:
    """A variable byte integer and where it ends; None where ``data`` ends before it.

    Raises:
        ProtocolError: if it goes on past its fourth byte.
    """
    value = 0
    for count, byte in enumerate(data[at : at + _LONGEST_VARIABLE]):
        value |= (byte & 0x7F) << 7 * count
        if byte < 0x80:
            return value, at + count + 1
    if len(data) - at >= _LONGEST_VARIABLE:
        raise ProtocolError("a length of more than four bytes")
    return None


def short(value: int) -> bytes:
    """A two byte integer."""
    return value.to_bytes(2, "big")


def text(value: str) -> bytes:
    """A string with its length before it; at most 65,535 bytes."""
    encoded = value.encode()
    return short(len(encoded)) + encoded


class Fields:
    """Reads the fields of a packet one after the other.

    Every method raises ProtocolError where the packet ends before the field does.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def __bool__(self) -> bool:
        return self._at < len(self._data)

    def take(self, size: int) -> bytes:
        """The next ``size`` bytes."""
        end = self._at + size
        if end > len(self._data):
            raise ProtocolError("a packet that ends in the middle of a field")
        taken = self._data[self._at : end]
        self._at = end
        return taken

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(len(self._data) - self._at)

    def byte(self) -> int:
        """A byte."""
        return self.take(1)[0]

    def short(self) -> int:
        """A two byte integer."""
        return int.from_bytes(self.take(2), "big")

    def long(self) -> int:
        """A four byte integer."""
        return int.from_bytes(self.take(4), "big")

    def variable(self) -> int:
        """A variable byte integer."""
        found = read_variable(self._data, self._at)
        if found is None:
            raise ProtocolError("a packet that ends in the middle of a field")
        value, self._at = found
        return value

    def binary(self) -> bytes:
        """Bytes with their length before them."""
        return self.take(self.short())

    def text(self) -> str:
        """A string; what is not UTF-8 is escaped, for it is shown and never compared."""
        return self.binary().decode("utf-8", "backslashreplace")
