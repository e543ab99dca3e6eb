"""Reading a registry from CSV: every row is checked first, every error listed, nothing half-imported."""

import csv
import difflib
import io
import re
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from pathlib import Path

from devices.columns import AttributeValue
from devices.device import Description
from devices.errors import DescriptionError, Problem
from devices.kind import CLOCK_SPANS, CLOCK_TIME, Attribute, AttributeType, Kind, LimitChange
from devices.topics import is_level

REQUIRED = ("device_id", "kind", "name", "district", "lon", "lat")
OPTIONAL = (
    "grid", "road", "road_class", "component_class", "circuit", "cabinet", "gateway",
    "supervisor", "owner", "maintainer",
)  # fmt: skip
UNIT_COLUMNS = ("supervisor", "owner", "maintainer")
# No word of the registry holds them: many devices are read as one text, in which they stand between and within cells.
SEPARATOR, WITHIN = "\x1e", "\x1f"
GRID_DIGITS = 15  # unit grid of GB/T 30428.1: 12 digits of area and 3 of sequence
_CHANGE = re.compile(r"(?P<value>\S+)\s+from\s+(?P<day>\S+)(?:\s+\((?P<ref>.+)\))?")
_TRUE, _FALSE = {"true", "1", "yes"}, {"false", "0", "no"}


def read_registry(
    path: Path,
    kinds: Mapping[str, Kind],
    *,
    units: Collection[str] | None,
    districts: Collection[str] | None,
) -> list[Description]:
    """The devices of a CSV file (UTF-8, with or without byte order mark, first line the headings).

    Args:
        path: The file.
        kinds: The installed kinds.
        units: Ids of the city's units; a supervisor, owner or maintainer must be one of them. None: not checked.
        districts: Ids of the city's districts. None: not checked.

    Raises:
        DescriptionError: with one line for each thing wrong, naming line and column.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise DescriptionError(str(path), [f"cannot be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise DescriptionError(str(path), [f"byte {error.start}: not UTF-8; save the file as UTF-8"]) from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    first_line = 1  # of the row being read: a quoted cell may run over several lines, an unclosed quote over all
    devices = []
    try:
        headings = next(reader, [])
        problems = list(_check_headings(headings, kinds))
        if problems:
            raise DescriptionError(str(path), problems)
        check = _Rows(headings, kinds, units, districts)
        first_line = reader.line_num + 1
        for row in reader:
            if row and (device := check.row(row, first_line)):
                devices.append(device)
            first_line = reader.line_num + 1
    except csv.Error as error:
        raise DescriptionError(str(path), [Problem(first_line, "-", f"not CSV: {error}")]) from error
    if check.problems:
        raise DescriptionError(str(path), check.problems)
    return devices


def read_row(
    cells: Mapping[str, str],
    kinds: Mapping[str, Kind],
    *,
    units: Collection[str],
    districts: Collection[str],
) -> Description:
    """The device of one row, its cells given by heading; checked as a row of a file is.

    Raises:
        DescriptionError: with one line for each thing wrong, naming the column.
    """
    check = _Rows(list(cells), kinds, units, districts)
    problems = [*_check_headings(list(cells), kinds)]
    device = None if problems else check.row(list(cells.values()), 1)
    if device is None:
        named = [f"{problem.column}: {problem.message}" for problem in (*problems, *check.problems)]
        raise DescriptionError(cells.get("device_id", ""), named)
    return device


def _check_headings(headings: list[str], kinds: Mapping[str, Kind]) -> Iterator[Problem]:
    known = [*REQUIRED, *OPTIONAL]
    known += sorted({f"limit.{name}" for kind in kinds.values() for name in kind.limits})
    known += sorted({f"attr.{name}" for kind in kinds.values() for name in kind.attributes})
    for name in REQUIRED:
        if name not in headings:
            yield Problem(1, name, "this column is required and missing")
    for name in headings:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            yield Problem(1, name, f"unknown column{hint}")
        elif headings.count(name) > 1:
            yield Problem(1, name, "this column stands twice")


class _Rows:
    """Turns rows into descriptions and collects what is wrong with them."""

    def __init__(
        self,
        headings: list[str],
        kinds: Mapping[str, Kind],
        units: Collection[str] | None,
        districts: Collection[str] | None,
    ) -> None:
        self.problems: list[Problem] = []
        self._headings = headings
        self._kinds = kinds
        self._units = units
        self._districts = districts
        self._first_line: dict[str, int] = {}
        self._line = 0

    def row(self, row: list[str], line: int) -> Description | None:
        """The device of a row, or None after noting what is wrong with it."""
        self._line = line
        before = len(self.problems)
        if len(row) != len(self._headings):
            self._wrong("-", "the row has more or fewer fields than the heading")
            return None
        cells = {name: text.strip() for name, text in zip(self._headings, row, strict=True)}
        for name, text in cells.items():
            if "\0" in text:
                self._wrong(name, "holds a NUL character, which no database stores in a text")
            if SEPARATOR in text or WITHIN in text:
                self._wrong(
                    name, "holds the control character 0x1E or 0x1F, which separate words when devices are read"
                )
        for name in REQUIRED:
            if not cells[name]:
                self._wrong(name, "must not be empty")
        lon = self._number(cells, "lon", -180, 180)
        lat = self._number(cells, "lat", -90, 90)
        self._check_identity(cells)
        self._check_references(cells)
        kind = self._kinds.get(cells["kind"])
        if kind is None:
            self._wrong("kind", f"unknown kind {cells['kind']!r}; installed are {', '.join(self._kinds)}")
            return None
        limits, changes = self._limits(cells, kind)
        attributes = dict(self._attributes(cells, kind))
        if len(self.problems) > before or lon is None or lat is None:
            return None
        described = {name: cells.get(name, "") for name in (*REQUIRED[:4], *OPTIONAL)}
        return Description(**described, lon=lon, lat=lat, limits=limits, limit_changes=changes, attributes=attributes)

    def _wrong(self, column: str, message: str) -> None:
        self.problems.append(Problem(self._line, column, message))

    def _number(self, cells: Mapping[str, str], column: str, low: float, high: float) -> float | None:
        try:
            value = float(cells[column])
        except ValueError:
            if cells[column]:
                self._wrong(column, f"{cells[column]!r} is not a number")
            return None
        if not low <= value <= high:  # also false for NaN
            self._wrong(column, f"{value:g} is not between {low:g} and {high:g}")
            return None
        return value

    def _check_identity(self, cells: Mapping[str, str]) -> None:
        for name in ("device_id", "district"):
            if cells[name] and not is_level(cells[name]):
                self._wrong(
                    name,
                    f"{cells[name]!r} cannot be part of an MQTT topic: no + # / and at most 64 characters",
                )
        first = self._first_line.setdefault(cells["device_id"], self._line)
        if first != self._line and cells["device_id"]:
            self._wrong("device_id", f"{cells['device_id']!r} stands already in line {first}")
        grid = cells.get("grid", "")
        if grid and not (len(grid) == GRID_DIGITS and grid.isascii() and grid.isdecimal()):
            self._wrong("grid", f"{grid!r} is not a unit grid of {GRID_DIGITS} digits")

    def _check_references(self, cells: Mapping[str, str]) -> None:
        if cells["district"] and self._districts is not None and cells["district"] not in self._districts:
            self._wrong("district", f"unknown district {cells['district']!r}; add it to the city file")
        for name in UNIT_COLUMNS:
            if (unit := cells.get(name, "")) and self._units is not None and unit not in self._units:
                self._wrong(name, f"unknown unit {unit!r}; add it to the city file")

    def _limits(
        self, cells: Mapping[str, str], kind: Kind
    ) -> tuple[dict[str, float], dict[str, tuple[LimitChange, ...]]]:
        """A device's own limits and what they change to: ``55``, or ``55; 50 from 2027-01-01 (GB 12523-2025)``."""
        limits: dict[str, float] = {}
        changes: dict[str, tuple[LimitChange, ...]] = {}
        for column, name, text in _prefixed(cells, "limit."):
            if name not in kind.limits:
                self._wrong(column, f"a {kind.name} has no limit {name!r}; leave the cell empty")
                continue
            first, *later = text.split(";")
            if _CHANGE.fullmatch(first.strip()):
                later.insert(0, first)
            elif (value := self._number({column: first.strip()}, column, -1e9, 1e9)) is not None:
                limits[name] = value
            if later:
                changes[name] = tuple(self._changes(column, later))
        return limits, changes

    def _changes(self, column: str, texts: list[str]) -> Iterator[LimitChange]:
        before = date.min
        for text in texts:
            match = _CHANGE.fullmatch(text.strip())
            try:
                day = date.fromisoformat(match["day"]) if match else None
            except ValueError:
                day = None
            if match is None or day is None:
                self._wrong(column, f"{text.strip()!r} is no change of a limit; write '50 from 2027-01-01'")
            elif day <= before:
                self._wrong(column, f"{day} does not come after {before}; write changes in order of their days")
            elif (value := self._number({column: match["value"]}, column, -1e9, 1e9)) is not None:
                before = day
                yield LimitChange(day, value, standard_ref=match["ref"] or "")

    def _attributes(self, cells: Mapping[str, str], kind: Kind) -> Iterator[tuple[str, AttributeValue]]:
        for column, name, text in _prefixed(cells, "attr."):
            attribute = kind.attributes.get(name)
            if attribute is None:
                self._wrong(column, f"a {kind.name} has no attribute {name!r}; leave the cell empty")
            elif (value := self._attribute(column, attribute, text)) is not None:
                yield name, value

    def _attribute(self, column: str, attribute: Attribute, text: str) -> AttributeValue | None:
        match attribute.type:
            case AttributeType.NUMBER:
                return self._number({column: text}, column, *(attribute.range or (-1e12, 1e12)))
            case AttributeType.ENUM if text not in attribute.values:
                self._wrong(column, f"{text!r} is not one of {', '.join(attribute.values)}")
                return None
            case AttributeType.TIME | AttributeType.HOURS if why := _no_hours(attribute.type, text):
                self._wrong(column, why)
                return None
            case AttributeType.BOOL:
                if text.lower() not in _TRUE | _FALSE:
                    self._wrong(column, f"{text!r} is neither true nor false")
                    return None
                return text.lower() in _TRUE
            case _:
                return text


def _prefixed(cells: Mapping[str, str], prefix: str) -> Iterator[tuple[str, str, str]]:
    for column, text in cells.items():
        if column.startswith(prefix) and text:
            yield column, column.removeprefix(prefix), text


def _no_hours(wanted: AttributeType, text: str) -> str:
    """Why this is no time of day, or no hours of it; empty where it is."""
    if wanted is AttributeType.TIME and not CLOCK_TIME.fullmatch(text):
        return f"{text!r} is no time of day; write HH:MM from 00:00 to 24:00, such as 09:30"
    if wanted is AttributeType.HOURS and not CLOCK_SPANS.fullmatch(text):
        return f"{text!r} are no hours; write HH:MM-HH:MM, several separated by commas"
    return ""
