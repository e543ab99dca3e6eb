"""Roll-ups of a kind as SQL: by the minute where it pays, by the hour, by the city's local day.

Every column adds up from one level to the next: a day made from hours is what a day made from readings would be.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum
from functools import cached_property
from zoneinfo import ZoneInfo

from devices.errors import DescriptionError
from devices.kind import Kind, MetricType
from devices.quality import Quality
from devices.rollup import Measure
from storage.reading_tables import table_name
from storage.rollup_language import RollupExpressionError, Translated, believed, literal, quoted, translate

_TRUSTED = f"r.quality & {int(Quality.FROZEN | Quality.REPEATED)} = 0"
_DOUBTS = {
    "late": (Quality.LATE, "that came after newer ones; they count like all others"),
    "implausible": (Quality.IMPLAUSIBLE, "with a metric that its instrument cannot have measured; it does not count"),
    "frozen": (Quality.FROZEN, "of an instrument that stood still; they do not count below"),
    "repeated": (Quality.REPEATED, "that a gateway repeated; they do not count below"),
    "skewed": (Quality.SKEWED, "more than a minute ahead of their arrival"),
}  # fmt: skip
_ORIGIN = "TIMESTAMPTZ '2000-01-01 00:00:00+00'"


_PARTS = {"early": "Before the night's end", "day": "By day", "late": "From the night's beginning"}


class Level(StrEnum):
    """How long a stretch is."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"


@dataclass(frozen=True)
class Grid:
    """How time is cut in a city; ``zone`` is a name of the tz database, nights begin and end by local time."""

    zone: str
    night_start: time = time(22)
    night_end: time = time(6)

    @cached_property
    def origin(self) -> str:
        """A local midnight as SQL: whole hours from there are the city's, also where it is half an hour off."""
        return f"TIMESTAMPTZ '{datetime(2000, 1, 1, tzinfo=ZoneInfo(self.zone)).isoformat()}'"

    @cached_property
    def even(self) -> bool:
        """Whether all days have 24 hours: no summer time in these decades."""
        years = [datetime(year, month, 1, tzinfo=ZoneInfo(self.zone)) for year in range(2000, 2038) for month in (1, 7)]
        return len({moment.utcoffset() for moment in years}) == 1

    def stored(self, levels: tuple["Level", ...]) -> tuple["Level", ...]:
        """The levels that TimescaleDB keeps.

        Days of a zone with summer time are made from hours when they are read: a day's bucket of changing length is not
        refreshed by late readings of its first hour (seen in TimescaleDB 2.27.2).
        """
        return levels if self.even else tuple(level for level in levels if level is not Level.DAY)

    def bucket(self, level: "Level", moment: str, *, timescale: bool) -> str:
        """The beginning of the stretch in which a moment lies, as SQL."""
        if level is Level.DAY and not self.even:
            name = literal(self.zone)
            return f"date_trunc('day', {moment} AT TIME ZONE {name}) AT TIME ZONE {name}"
        if timescale:
            return f"time_bucket('1 {level}', {moment}, origin => {self.origin})"
        return f"date_bin('1 {level}', {moment}, {self.origin})"

    def parts(self, moment: str) -> dict[str, str]:
        """The parts of a local day, early, day and late, and when a moment is of each, as SQL."""
        local = f"({moment} AT TIME ZONE {literal(self.zone)})::time"
        begun, over = f"{local} >= '{self.night_start:%H:%M}'", f"{local} >= '{self.night_end:%H:%M}'"
        if self.night_start < self.night_end:  # a night that begins after midnight
            return {"early": f"{begun} AND NOT {over}", "day": f"NOT {begun} OR {over}", "late": "false"}
        return {"early": f"NOT {over}", "day": f"{over} AND NOT {begun}", "late": begun}


@dataclass(frozen=True, slots=True)
class Column:
    """A column: how it is made from readings, how from the level below, and what it is."""

    name: str
    of_readings: str
    of_rollup: str
    doc: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What is rolled up of a kind; ``joins_device`` where a column looks at the registry."""

    kind: Kind
    columns: tuple[Column, ...]
    joins_device: bool

    @property
    def levels(self) -> tuple[Level, ...]:
        """The finest first."""
        return tuple(Level) if self.kind.rollup.minute else (Level.HOUR, Level.DAY)

    def columns_of(self, level: Level, grid: Grid) -> tuple[Column, ...]:
        """What a level has beside its bucket and device."""
        return (*self.columns, *self._apart(grid)) if level is Level.DAY else self.columns

    def view(self, level: Level) -> str:
        """The name under which a level is read."""
        return f"rollup_{level}_{self.kind.name}"

    def live(self, level: Level) -> str:
        """The continuous aggregate of a level."""
        return f"{self.view(level)}_live"

    def kept(self, level: Level) -> str:
        """The table of what was made before the kind's description changed."""
        return f"{self.view(level)}_kept"

    def select(self, level: Level, source: str, grid: Grid, *, timescale: bool) -> str:
        """The query that makes a level.

        Args:
            level: The level.
            source: The view or continuous aggregate of the level below; of no meaning for the finest.
            grid: How the city cuts time.
            timescale: Whether ``time_bucket`` is there.
        """
        of_readings = level is self.levels[0]
        moment = "r.ts" if of_readings else "r.bucket"
        columns = [
            f"{column.of_readings if of_readings else column.of_rollup} AS {quoted(column.name)}"
            for column in self.columns_of(level, grid)
        ]
        join = " JOIN device ON device.id = r.device" if of_readings and self.joins_device else ""
        table = table_name(self.kind) if of_readings else source
        return (
            f"SELECT {grid.bucket(level, moment, timescale=timescale)} AS bucket, r.device,\n    "
            + ",\n    ".join(columns)
            + f"\nFROM {quoted(table)} AS r{join}\nGROUP BY 1, 2"
        )

    def _apart(self, grid: Grid) -> Iterator[Column]:
        """Columns that only a day has, from its hours; an hour is of the part of the day in which it begins."""
        described = {column.name: column.doc for column in self.columns}
        for name in self.kind.rollup.nights:
            adding = name[-3:] if name.endswith(("_min", "_max")) else "sum"
            for part, when in grid.parts("r.bucket").items():
                made = f"{adding}(r.{quoted(name)}) FILTER (WHERE {when})"
                yield Column(f"{name}_{part}", "", made, f"{_PARTS[part]}: {described[name]}")
        for name, number in self.kind.rollup.hour_means.items():
            mean = f"r.{quoted(name)} / r.{quoted(number)}"
            made = f"array_agg({mean} ORDER BY r.bucket) FILTER (WHERE r.{quoted(number)} > 0)"
            yield Column(
                f"{name}_hours", "", made, f"The mean of each hour that has one, in their order: {described[name]}"
            )


def plan(kind: Kind) -> Plan:
    """What is rolled up of a kind.

    Raises:
        DescriptionError: naming the measure of its kind.toml that cannot be.
    """
    columns = [*EVERY_READING, *_of_metrics(kind)]
    problems: list[str] = []
    needs_device = False
    for name, measure in kind.rollup.measures.items():
        try:
            column, needs = _of_measure(kind, name, measure)
        except RollupExpressionError as error:
            problems.append(f"rollup.measures.{name}: {error}")
            continue
        columns.append(column)
        needs_device |= needs
    names = [column.name for column in columns]
    problems += [
        f"rollup.measures.{name}: that column is there already"
        for name in sorted({n for n in names if names.count(n) > 1})
    ]
    problems += [
        f"rollup.nights: {name!r} is no column that adds up; there are {', '.join(names)}"
        for name in kind.rollup.nights
        if name not in names or (name in kind.rollup.measures and kind.rollup.measures[name].classes)
    ]
    problems += [
        f"rollup.hour_means: {name!r} is no column; there are {', '.join(names)}"
        for pair in kind.rollup.hour_means.items()
        for name in pair
        if name not in names
    ]
    if problems:
        raise DescriptionError(str(kind.folder / "kind.toml"), problems)
    return Plan(kind, tuple(columns), needs_device)


def _of_metrics(kind: Kind) -> Iterator[Column]:
    rollup = kind.rollup
    for metric in kind.metrics:
        name, unit = metric.name, metric.unit
        if metric.type is MetricType.BOOL:
            column = f"r.{quoted(name)}"
            yield _count(f"{name}_true", f"{_TRUSTED} AND {column}", f"Readings in which it held: {metric.doc}")
            yield _count(f"{name}_n", f"{_TRUSTED} AND {column} IS NOT NULL", f"Readings with {name}.")
        if not metric.is_number or name in rollup.skip:
            continue
        value = believed(metric)
        if name in rollup.counters:
            yield Column(
                f"{name}_counter",
                f"counter(({value})::double precision ORDER BY r.ts) FILTER (WHERE {_TRUSTED})",
                f"counter_chain(r.{quoted(f'{name}_counter')} ORDER BY r.bucket)",
                f"First value, last value and growth, {unit}, resets counted from 0: {metric.doc}",
            )
            continue
        for extreme in ("min", "max"):
            yield Column(
                f"{name}_{extreme}",
                f"{extreme}({value}) FILTER (WHERE {_TRUSTED})",
                f"{extreme}(r.{quoted(f'{name}_{extreme}')})",
                f"{'Smallest' if extreme == 'min' else 'Largest'}, {unit}: {metric.doc}",
            )
        if name not in rollup.extremes:
            yield _sum(f"{name}_sum", value, _TRUSTED, f"Sum, {unit}: {metric.doc}")
        yield _count(f"{name}_n", f"{_TRUSTED} AND ({value}) IS NOT NULL", f"Readings with a believable {name}.")


def _of_measure(kind: Kind, name: str, measure: Measure) -> tuple[Column, bool]:
    """A column of the ``[rollup]`` section, and whether it looks at the device."""
    slot = f"date_bin('{measure.minutes} minutes', r.ts, {_ORIGIN})"
    at = f"{slot} + interval '{measure.minutes * 30} seconds'" if measure.minutes else "r.ts"
    when = translate(kind, measure.when, at=at) if measure.when else Translated("true", needs_device=False)
    condition = f"{_TRUSTED} AND {when.text}"
    if measure.sum:
        value = translate(kind, measure.sum)
        return _sum(name, value.text, condition, measure.doc), when.needs_device or value.needs_device
    if measure.minutes:
        counted = f"(count(DISTINCT {slot}) FILTER (WHERE {condition}) * {measure.minutes})::integer"
        return Column(name, counted, _added(name), measure.doc), when.needs_device
    if measure.classes:
        metric = believed(kind.metric(measure.classes))
        shape = f"{measure.start!r}, {measure.width!r}, {measure.number}"
        counted = f"classes(({metric})::double precision, {shape}) FILTER (WHERE {condition})"
        return Column(name, counted, f"classes_sum(r.{quoted(name)})", measure.doc), when.needs_device
    return _count(name, condition, measure.doc), when.needs_device


def _count(name: str, condition: str, doc: str) -> Column:
    only = f" FILTER (WHERE {condition})" if condition else ""
    return Column(name, f"(count(*){only})::integer", _added(name), doc)


def _added(name: str) -> str:
    return f"sum(r.{quoted(name)})::integer"


def _sum(name: str, value: str, condition: str, doc: str) -> Column:
    again = f"sum(r.{quoted(name)})"
    return Column(name, f"sum(({value})::double precision) FILTER (WHERE {condition})", again, doc)


# What is counted of every reading, whatever its kind.
EVERY_READING = (
    _count("readings", "", "Readings stored."),
    *(_count(f"{name}_n", f"r.quality & {int(bit)} <> 0", f"Readings {doc}.") for name, (bit, doc) in _DOUBTS.items()),
)
