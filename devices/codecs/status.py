"""The payload of ``…/status``: ``online``, which a device publishes on connecting, or ``offline``, its last will."""

from devices.codecs.decoded import Presence
from devices.rejection import Code, Rejected

_WORDS = {b"online": Presence(online=True), b"offline": Presence(online=False)}


def decode(payload: bytes) -> Presence | Rejected:
    """What a device's status says."""
    said = _WORDS.get(payload.strip().lower())
    return said or Rejected(Code.MALFORMED, "a status is the word online or the word offline")
