import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.photos import recognise

JPEG = b"\xff\xd8\xff\xe0" + b"picture" * 9 + b"\xff\xd9"
WEBP = b"RIFF" + (12).to_bytes(4, "little") + b"WEBPVP8 1234"


def png(width: int, height: int) -> bytes:
    """A grey picture."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")

    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 0, 0, 0, 0])
    rows = zlib.compress((b"\0" + b"\x80" * width) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "media_type"),
    [(JPEG, "image/jpeg"), (JPEG + b"\0\0", "image/jpeg"), (png(4, 4), "image/png"), (WEBP, "image/webp")],
)
def test_a_photo_is_told_by_its_bytes(content: bytes, media_type: str) -> None:
    photo = recognise(content)
    assert photo is not None
    assert (photo.media_type, len(photo.hash)) == (media_type, 32)
    assert recognise(content.rstrip(b"\0")[:-1]) is None, "cut off on its way"


@given(st.binary())
def test_nothing_else_is_one(content: bytes) -> None:
    assert recognise(b"<svg onload=alert(1)>" + content) is None
    assert recognise(content) is None or content[:2] in {b"\xff\xd8", b"\x89P", b"RI"}
