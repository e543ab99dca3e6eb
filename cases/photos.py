"""Photos as evidence: what counts as one, told by its bytes alone. Pure."""

import hashlib
from dataclasses import dataclass

LARGEST = 4 * 1024 * 1024  # bytes: ten times what a phone makes of 1600 pixels
_PNG_END = b"IEND\xaeB`\x82"


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
    """The photo that these bytes are, whole; None for anything else, and for what was cut off on its way."""
    if content.startswith(b"\xff\xd8\xff") and content.rstrip(b"\0").endswith(b"\xff\xd9"):
        return Photo(content, "image/jpeg")
    if content.startswith(b"\x89PNG\r\n\x1a\n") and content.endswith(_PNG_END):
        return Photo(content, "image/png")
    if content[:4] + content[8:12] == b"RIFFWEBP" and int.from_bytes(content[4:8], "little") + 8 == len(content):
        return Photo(content, "image/webp")
    return None
