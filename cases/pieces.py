"""Reads a TOML document piece by piece and goes on after a mistake, so that all of them are found at once."""

import re
from collections.abc import Iterator, Mapping
from datetime import time
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from cases.clocks import Allowance
from devices.shapes import convert

_T = TypeVar("_T")
_CLOCK_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


class Pieces:
    """The pieces of a parsed TOML document, and in ``problems`` what is wrong with those taken so far.

    Where a piece is wrong, something harmless is returned in its place: the problem stops the whole later.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.problems: list[str] = []
        self._document = document
        self._taken: set[str] = set()

    def piece(self, key: str, shape: type[_T], *, required: bool = True) -> _T | None:
        """The value of a top-level key in its shape; None where it is missing or wrong."""
        self._taken.add(key)
        if key not in self._document:
            if required:
                self.problems.append(f"{key} is missing")
            return None
        return self._convert(key, self._document[key], shape)

    def table(self, key: str, shape: type[_T], *, required: bool = True) -> dict[str, _T]:
        """The entries of a table of like things, without those that are wrong."""
        entries = self.piece(key, dict[str, Any], required=required) or {}
        read = {name: self._convert(f"{key}.{name}", entry, shape) for name, entry in entries.items()}
        return {name: entry for name, entry in read.items() if entry is not None}

    def time(self, where: str, text: str) -> time:
        """A time of day."""
        if not _CLOCK_TIME.fullmatch(text):
            self.problems.append(f'{where}: {text!r} is no time of day; write for example "08:00"')
            return time.min
        return time.fromisoformat(text)

    def zone(self, where: str, name: str) -> ZoneInfo:
        """A time zone by its name in the tz database."""
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self.problems.append(f'{where}: {name!r} is unknown; write a name such as "Asia/Shanghai"')
            return ZoneInfo("UTC")

    def allowance(self, where: str, text: str) -> Allowance | None:
        """A deadline's allowance; None where the text is empty."""
        if not text:
            return None
        try:
            return Allowance.parse(text)
        except ValueError as error:
            self.problems.append(f"{where}: {error}")
            return None

    def unknown_keys(self) -> Iterator[str]:
        """A problem for each top-level key that nobody took: a typing error would be silently ignored."""
        for key in self._document:
            if key not in self._taken:
                yield f"unknown key {key!r}; known are {', '.join(sorted(self._taken))}"

    def _convert(self, where: str, value: Any, shape: type[_T]) -> _T | None:
        try:
            return convert(value, shape)
        except msgspec.ValidationError as error:
            self.problems.append(f"{where}: {error}")
            return None
