"""Conversion of plain values into types."""

import msgspec
import pytest

from devices.shapes import convert


class Fan(msgspec.Struct):
    current: float


def test_a_value_becomes_one_of_the_type_and_what_is_wrong_is_named() -> None:
    assert convert({"current": 2}, Fan) == Fan(2.0)
    assert convert({"current": "2"}, Fan, strict=False) == Fan(2.0)
    assert convert(Fan(3.0), Fan, from_attributes=True) == Fan(3.0)
    with pytest.raises(msgspec.ValidationError, match=r"\$\.current"):
        convert({"current": "2"}, Fan)
