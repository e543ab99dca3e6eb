"""Photos as evidence: what counts as one, told by its bytes alone. Pure."""

import hashlib
from dataclasses import dataclass

LARGEST = 4 * 1024 * 1024  # bytes: ten times what a phone makes of 1600 pixels
MOST_PIXELS = 60_000_000  # above what phones take; whoever looks at it has to hold four bytes of each
_PNG_END = b"IEND\xaeB`\x82"
_SCAN = 0xDA  # the marker after which a JPEG has no more headers
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # the markers of its size, by how it is encoded


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture: its bytes and what they are, such as ``image/jpeg``."""

    content: bytes
    media_type: str

    @property
    def hash(self) -> bytes:
        """SHA-256 of the bytes: the same picture is kept once."""
        return hashlib.sha256(self.content).digest()


def recognise(content: bytes) -> Photo | None:
    """The photo that these bytes are, whole; None for anything else, and for what was cut off on its way.

    None, too, where it says that it has more than ``MOST_PIXELS``: a few bytes can ask for all the memory there is.
    """
    if content.startswith(b"\xff\xd8\xff") and content.rstrip(b"\0").endswith(b"\xff\xd9"):
        media_type, pixels = "image/jpeg", _of_jpeg(content)
    elif content.startswith(b"\x89PNG\r\n\x1a\n") and content.endswith(_PNG_END):
        media_type, pixels = "image/png", _big(content[16:20]) * _big(content[20:24])
    elif content[:4] + content[8:12] == b"RIFFWEBP" and _little(content[4:8]) + 8 == len(content):
        media_type, pixels = "image/webp", _of_webp(content)
    else:
        return None
    return Photo(content, media_type) if 0 < pixels <= MOST_PIXELS else None


def _of_jpeg(content: bytes) -> int:
    """Its pixels by the header of its frame; 0 where there is none."""
    at = 2
    while content[at : at + 1] == b"\xff" and at + 9 <= len(content):
        marker = content[at + 1]
        if marker in _FRAMES:
            return _big(content[at + 5 : at + 7]) * _big(content[at + 7 : at + 9])
        if marker == _SCAN:
            break
        at += 1 if marker == 0xFF else 2 + _big(content[at + 2 : at + 4])  # it may be filled up with 0xFF
    return 0


def _of_webp(content: bytes) -> int:
    """Its pixels by its first chunk: extended, lossless or lossy; 0 for any other."""
    match content[12:16]:
        case b"VP8X":
            return (_little(content[24:27]) + 1) * (_little(content[27:30]) + 1)
        case b"VP8L":
            size = _little(content[21:25])  # 14 bits each
            return ((size & 0x3FFF) + 1) * ((size >> 14 & 0x3FFF) + 1)
        case b"VP8 ":
            return (_little(content[26:28]) & 0x3FFF) * (_little(content[28:30]) & 0x3FFF)
    return 0


def _big(number: bytes) -> int:
    return int.from_bytes(number, "big")


def _little(number: bytes) -> int:
    return int.from_bytes(number, "little")
