import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.photos import MOST_PIXELS, recognise


def jpeg(width: int, height: int) -> bytes:
    """As far as headers go: with a thumbnail's segment before the frame, and a fill byte."""
    size = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return b"\xff\xd8\xff\xe1\0\x08Exif\0\0\xff\xff\xc2\0\x0b\x08" + size + b"\1\1\x11\0\xff\xda\0\2picture\xff\xd9"


def webp(chunk: bytes, head: bytes) -> bytes:
    """As far as headers go."""
    body = b"WEBP" + chunk + len(head).to_bytes(4, "little") + head
    return b"RIFF" + len(body).to_bytes(4, "little") + body


JPEG = jpeg(1600, 1200)


def little(*numbers: int, long: int) -> bytes:
    return b"".join(number.to_bytes(long, "little") for number in numbers)


def lossy(width: int, height: int) -> bytes:
    return webp(b"VP8 ", b"\0\0\0\x9d\1*" + little(width, height, long=2))


def lossless(width: int, height: int) -> bytes:
    return webp(b"VP8L", b"/" + little(width - 1 | height - 1 << 14, long=4))


def extended(width: int, height: int) -> bytes:
    return webp(b"VP8X", b"\0\0\0\0" + little(width - 1, height - 1, long=3))


def png(width: int, height: int, text: bytes = b"") -> bytes:
    """A grey picture, with something written into it."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")

    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 0, 0, 0, 0])
    rows = zlib.compress((b"\0" + b"\x80" * width) * height)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"tEXt", text) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


def huge(width: int, height: int) -> bytes:
    """A picture whose header says another size."""
    small = png(1, 1)
    return small[:16] + width.to_bytes(4, "big") + height.to_bytes(4, "big") + small[24:]


@pytest.mark.parametrize(
    ("content", "media_type"),
    [(JPEG, "image/jpeg"), (JPEG + b"\0\0", "image/jpeg"), (png(4, 4), "image/png"), (lossy(8, 8), "image/webp")],
)
def test_a_photo_is_told_by_its_bytes(content: bytes, media_type: str) -> None:
    photo = recognise(content)
    assert photo is not None
    assert (photo.media_type, len(photo.hash)) == (media_type, 32)
    assert recognise(content.rstrip(b"\0")[:-1]) is None, "cut off on its way"


@pytest.mark.parametrize("make", [jpeg, huge, lossy, lossless, extended])
def test_a_picture_that_says_to_have_more_pixels_than_any_phone_takes_is_none(
    make: Callable[[int, int], bytes],
) -> None:
    wide = 16_000
    for high, taken in ((1, True), (MOST_PIXELS // wide, True), (MOST_PIXELS // wide + 1, False)):
        made = make(wide, high)
        assert (recognise(made) is not None) is taken, (make.__name__, high)
    assert recognise(make(wide, 1).replace(b"\xff\xc2", b"\xff\xfe")) is None or make is not jpeg, "no frame"


@given(st.binary())
def test_nothing_else_is_one(content: bytes) -> None:
    for begin, end in (
        (b"\xff\xd8\xff", b"\xff\xd9"),
        (b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"),
        (webp(b"VP8L", b""), b""),
    ):
        recognise(begin + content + end)  # whatever is between
    assert recognise(b"<svg onload=alert(1)>" + content) is None
    assert recognise(content) is None or content[:2] in {b"\xff\xd8", b"\x89P", b"RI"}
