"""What can be reported."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import msgspec

from cases.words import Word
from devices.shapes import convert


class Service(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A service: of which kind of facility it speaks, how severe it is taken for, what it is about."""

    kind: str
    severity: int
    about: Word


@cache
def services() -> Mapping[str, Service]:
    """All of them, by the problem that they report."""
    text = Path(__file__).with_name("services.toml").read_text(encoding="utf-8")
    return convert(tomllib.loads(text), dict[str, Service])
