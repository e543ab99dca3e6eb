"""Payload formats, one module each: bytes to readings or to a reason why not.

``…/up`` and ``…/event`` carry the native format (``native``). Any other format has a line in ``CODECS`` under the name
by which topics choose it, ``…/up/<name>``, and a kind speaks it if its kind.toml has a table ``[codecs.<name>]``.

Does not: know topics or the time of day, keep anything from one payload to the next.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from devices.codecs.decoded import Decoded
from devices.codecs.hj212 import Hj212Codec
from devices.device import Device
from devices.errors import DescriptionError
from devices.kind import Kind
from devices.rejection import Rejected


class Codec(Protocol):
    """A format as one kind speaks it."""

    def decode(self, payload: bytes, device: Device) -> Sequence[Decoded | Rejected]:
        """The readings of a device's payload in the order sent; never raises for what was sent."""


CODECS: Mapping[str, Callable[[Kind], Codec]] = {
    "hj212": Hj212Codec,
}


def codecs_of(kind: Kind) -> dict[str, Codec]:
    """The codecs that a kind speaks beside the native one, by name.

    Raises:
        DescriptionError: if its kind.toml names a codec that there is not, or describes one wrongly.
    """
    if unknown := kind.codecs.keys() - CODECS.keys():
        problems = [f"codecs.{name}: no such codec; there is {', '.join(CODECS)}" for name in sorted(unknown)]
        raise DescriptionError(str(kind.folder / "kind.toml"), problems)
    return {name: CODECS[name](kind) for name in kind.codecs}
