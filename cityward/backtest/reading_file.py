"""Readings in a file: CSV or JSON lines, plain or gzipped, as they would have been stored.

The columns, or keys, are ``device_id``, ``ts`` and the metrics of the kinds, ``quality`` where it is known. Every row
is checked, and what is wrong is named with its line and column.
"""

import csv
import difflib
import gzip
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import IO, Any

import msgspec
import numpy as np

from devices.errors import DescriptionError, Problem
from devices.kind import Kind, Metric, MetricType
from devices.quality import Quality
from devices.readings import Readings
from devices.registry import Registry
from ingest.decoding import bounds_of, doubts
from ingest.marking import Marking
from rules.windows import blank

DEVICE, TS, QUALITY = "device_id", "ts", "quality"
_MOST_PROBLEMS = 20
_SAID_EVERY = 20_000  # rows
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST, _LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_TRUTHS = {"true": 1.0, "1": 1.0, "false": 0.0, "0": 0.0}
_BITS = {str(bit.name).lower(): bit for bit in Quality if bit}

_Row = tuple[int, int, int, list[float], dict[str, str]]  # device, time (µs), quality (-1: not said), values, texts


@dataclass(slots=True)
class ReadingFile:
    """What a file has: readings by kind, in order of device and time, and what is not among them.

    ``unknown`` counts the rows of devices that are not in the registry, ``doubles`` those of a device and time that
    stood there already: the first counts.
    """

    readings: dict[str, Readings] = field(default_factory=dict)
    unknown: Counter[str] = field(default_factory=Counter)
    doubles: int = 0

    @property
    def span(self) -> tuple[int, int]:
        """The first time, and when a next reading would be due, microseconds since 1970 UTC; 0 if empty."""
        tables = [table for table in self.readings.values() if len(table)]
        if not tables:
            return 0, 0
        soon = min(each.kind.interval for each in tables) // _MICROSECOND
        return min(int(each.ts.min()) for each in tables), max(int(each.ts.max()) for each in tables) + soon


def read_file(path: Path, registry: Registry, zone: tzinfo, say: Callable[[float], None]) -> ReadingFile:
    """The readings of a file.

    Args:
        path: ``.csv``, ``.jsonl`` or one of them with ``.gz``.
        registry: The devices; rows of others are counted and left out.
        zone: Of times that have no offset.
        say: Told now and then which share of the file has been read.

    Raises:
        DescriptionError: with one line for each thing wrong, naming line and column, twenty at most.
    """
    name = path.name.removesuffix(".gz")
    reader = {".csv": _csv_rows, ".jsonl": _json_rows}.get(Path(name).suffix)
    if reader is None:
        raise DescriptionError(str(path), ["is neither .csv nor .jsonl, nor one of them with .gz"])
    checked = _Checked(path, registry, zone)
    try:
        with path.open("rb") as raw:
            size = max(path.stat().st_size, 1)
            content: IO[bytes] = gzip.open(raw) if path.suffix == ".gz" else raw  # type: ignore[assignment]  # noqa: SIM115
            for number, (line, cells) in enumerate(reader(content, checked)):
                checked.row(line, cells)
                if number % _SAID_EVERY == 0:
                    say(raw.tell() / size)
    except (OSError, EOFError) as error:
        raise DescriptionError(str(path), [f"cannot be read: {error.args[-1]}"]) from error
    except UnicodeDecodeError as error:
        raise DescriptionError(str(path), [f"byte {error.start}: not UTF-8; save the file as UTF-8"]) from error
    checked.refuse_if_wrong()
    return checked.found()


def _csv_rows(content: IO[bytes], checked: "_Checked") -> Iterator[tuple[int, dict[str, Any]]]:
    lines = (line.decode("utf-8-sig" if number == 0 else "utf-8") for number, line in enumerate(content))
    reader = csv.reader(lines, strict=True)
    try:
        headings = [heading.strip() for heading in next(reader, [])]
        checked.headings(headings)
        for row in reader:
            if len(row) == len(headings):
                yield reader.line_num, dict(zip(headings, row, strict=True))
            elif row:
                checked.wrong(reader.line_num, "-", f"has {len(row)} fields where the heading has {len(headings)}")
    except csv.Error as error:
        checked.wrong(reader.line_num, "-", f"not CSV: {error}")


def _json_rows(content: IO[bytes], checked: "_Checked") -> Iterator[tuple[int, dict[str, Any]]]:
    known: set[str] = set()
    for number, line in enumerate(content, start=1):
        if not line.strip():
            continue
        try:
            cells = msgspec.json.decode(line, type=dict[str, Any])
        except msgspec.MsgspecError as error:
            checked.wrong(number, "-", f"not a JSON object: {error}")
            continue
        if not cells.keys() <= known:
            for name in cells.keys() - known:
                checked.name(number, name)
            known |= cells.keys()
        yield number, cells


class _Checked:
    """Turns rows into readings and collects what is wrong with them."""

    def __init__(self, path: Path, registry: Registry, zone: tzinfo) -> None:
        self._path = path
        self._registry = registry
        self._zone = zone
        self._names = {metric.name for kind in registry.kinds.values() for metric in kind.metrics}
        self._problems: list[Problem] = []
        self._rows: dict[str, list[_Row]] = {}
        self._unknown: Counter[str] = Counter()

    def wrong(self, line: int, column: str, message: str) -> None:
        """Note a problem; at the most that are told, stop."""
        self._problems.append(Problem(line, column, message))
        if len(self._problems) >= _MOST_PROBLEMS:
            self.refuse_if_wrong()

    def refuse_if_wrong(self) -> None:
        """Raise what has been noted."""
        if self._problems:
            raise DescriptionError(str(self._path), self._problems)

    def headings(self, names: list[str]) -> None:
        """Check the first line; what is wrong there is wrong throughout."""
        for name in (DEVICE, TS):
            if name not in names:
                self.wrong(1, name, "this column is required and missing")
        for name in dict.fromkeys(names):
            self.name(1, name)
            if names.count(name) > 1:
                self.wrong(1, name, "this column stands twice")
        self.refuse_if_wrong()

    def name(self, line: int, name: str) -> None:
        """Check the name of a column."""
        known = {DEVICE, TS, QUALITY, *self._names}
        if name not in known:
            near = difflib.get_close_matches(name, sorted(known), n=1)
            hint = f"did you mean {near[0]!r}?" if near else "it is no metric of any kind; leave it out"
            self.wrong(line, name, f"unknown column; {hint}")

    def row(self, line: int, cells: Mapping[str, Any]) -> None:
        """Take a row over, or note what is wrong with it."""
        name = _text(cells.get(DEVICE))
        if not name:
            self.wrong(line, DEVICE, "must not be empty")
            return
        device = self._registry.named(name)
        if device is None:
            self._unknown[name] += 1
            return
        kind = self._registry.kinds[device.kind]
        values, texts = [math.nan] * len(kind.metrics), dict[str, str]()
        column = TS
        try:
            ts = _micros(cells.get(TS), self._zone)
            column = QUALITY
            quality = _quality(cells.get(QUALITY))
            for column, cell in cells.items():
                if column in {DEVICE, TS, QUALITY} or cell is None or cell == "":
                    continue
                if column not in kind.position:
                    raise ValueError(f"a {kind.name} sends none; leave the cell empty")  # noqa: TRY301 - as all others
                metric = kind.metric(column)
                if metric.type is MetricType.TEXT:
                    texts[column] = _text(cell)
                else:
                    values[kind.position[column]] = _value(metric, cell)
        except ValueError as error:
            self.wrong(line, column, str(error))
            return
        self._rows.setdefault(device.kind, []).append((device.id, ts, quality, values, texts))

    def found(self) -> ReadingFile:
        """What the rows come to."""
        made = ReadingFile(unknown=self._unknown)
        for name in sorted(self._rows):
            table = _table(self._registry.kinds[name], self._rows[name])
            first = np.ones(len(table), dtype=bool)
            first[1:] = (np.diff(table.device) != 0) | (np.diff(table.ts) != 0)
            made.doubles += int((~first).sum())
            made.readings[name] = _marked(table.where(first))
        return made


def _table(kind: Kind, rows: list[_Row]) -> Readings:
    device, ts, quality = (np.array([row[column] for row in rows], dtype=np.int64) for column in range(3))
    whole = replace(
        blank(kind, device, ts),
        quality=quality,
        values=np.array([row[3] for row in rows]),
        texts={
            metric.name: np.array([row[4].get(metric.name) for row in rows], dtype=object)
            for metric in kind.metrics
            if metric.type is MetricType.TEXT
        },
    )
    return whole.take(np.lexsort((ts, device)))


def _marked(table: Readings) -> Readings:
    """With the doubts that a collector would have had, where the file says nothing of them."""
    unsaid = table.quality < 0
    if unsaid.any():
        ahead = np.zeros(len(table), dtype=np.int64)
        told = np.where(unsaid, doubts(bounds_of(table.kind), table.values, ahead), table.quality)
        table.quality[:] = told
        marked = Marking([table.kind]).mark(table).quality
        table.quality[:] = np.where(unsaid, marked, told)
    return table


def _text(cell: Any) -> str:
    return cell.strip() if isinstance(cell, str) else "" if cell is None else str(cell)


def _micros(cell: Any, zone: tzinfo) -> int:
    """A time in microseconds since 1970 UTC."""
    text = _text(cell)
    at = None
    with suppress(ValueError, OverflowError):
        at = _EPOCH + timedelta(milliseconds=int(text)) if text.isdecimal() else datetime.fromisoformat(text)
    if at is None:
        raise ValueError(
            f"{text!r} is no time: write 2026-11-20T14:30:00+08:00, '2026-11-20 14:30:00' in the city's time, or "
            "milliseconds since 1970 UTC"
        )
    at = at if at.tzinfo else at.replace(tzinfo=zone)
    if not _EARLIEST <= at < _LATEST:
        raise ValueError(f"{text!r} is not between the years {_EARLIEST.year} and {_LATEST.year}")
    return (at - _EPOCH) // _MICROSECOND


def _quality(cell: Any) -> int:
    """Bits of a number, or of their words; -1 where nothing is said."""
    text = _text(cell)
    if not text:
        return -1
    if text.isdecimal() and int(text) <= int(~Quality(0)):
        return int(text)
    words = text.split()
    if words != ["good"] and (unknown := [word for word in words if word not in _BITS]):
        raise ValueError(f"{unknown[0]!r} is neither bits nor good, {', '.join(_BITS)}, several separated by blanks")
    return sum(_BITS[word] for word in dict.fromkeys(words) if word in _BITS)


def _value(metric: Metric, cell: Any) -> float:
    text = _text(cell).lower() if isinstance(cell, bool) else _text(cell)
    if metric.type is MetricType.BOOL:
        if text.lower() not in _TRUTHS:
            raise ValueError(f"{text!r} is neither true nor false")
        return _TRUTHS[text.lower()]
    if metric.type is MetricType.ENUM:
        if text not in metric.values:
            raise ValueError(f"{text!r} is not one of {', '.join(metric.values)}")
        return float(metric.values.index(text))
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is not a number; leave the cell empty where nothing was measured")
    return value
