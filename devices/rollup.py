"""What is kept of a kind's readings by the minute, hour and day: the ``[rollup]`` section of its ``kind.toml``.

Everything that is kept adds up: minutes to hours, hours to days. Every kind gets count, smallest, largest and sum of
each number and how often each flag held; the section says what else its trade counts.
"""

from collections.abc import Collection, Iterable
from typing import Annotated

import msgspec

# Slots must fill an hour of every time zone; some begin at a quarter.
SLOTS = (1, 3, 5, 15)


class Measure(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One further quantity that adds up; exactly one of ``sum``, ``count``, ``minutes`` and ``classes`` says how.

    Attributes:
        doc: What it is, for people who find it in the database.
        sum: An expression over metrics, added up over the readings for which ``when`` holds.
        count: Count the readings for which ``when`` holds.
        minutes: Time in which ``when`` was seen to hold: every slot of so many minutes with such a reading counts.
        classes: A metric whose values are counted by class for any percentile; the first class begins at ``start``,
            each is ``width`` wide, there are ``number``; what lies outside counts in the first or last.
        when: A condition over metrics, attributes, ``dark`` and ``daylight``; all readings without it.
    """

    doc: str
    sum: str = ""
    count: bool = False
    minutes: int = 0
    classes: str = ""
    when: str = ""
    start: float = 0.0
    width: Annotated[float, msgspec.Meta(gt=0)] = 1.0
    number: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1


class Rollup(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is rolled up of a kind.

    Attributes:
        minute: Also by the minute, for a kind that sends many readings a minute.
        skip: Numbers that are not rolled up: percentiles and means that cannot be added.
        extremes: Numbers of which only the smallest and largest mean anything, such as levels in decibels.
        counters: Numbers that only grow until their meter is reset: their growth is kept.
        nights: Columns that a day also has by its parts, so that nights can be joined: ``<column>_early`` before the
            night's end, ``_day`` and ``_late`` from the next night's beginning. Those that end in ``_min`` or ``_max``
            stay extremes, all others are added.
        hour_means: Sums by the counts that divide them, such as ``{cooking_fume = "cooking_fume_n"}``: a day also has
            each hour's mean, as ``cooking_fume_hours``, so that hours over a limit are counted from days.
        measures: Further quantities by name.
    """

    minute: bool = False
    skip: tuple[str, ...] = ()
    extremes: tuple[str, ...] = ()
    counters: tuple[str, ...] = ()
    nights: tuple[str, ...] = ()
    hour_means: dict[str, str] = {}
    measures: dict[str, Measure] = {}

    def contradictions(self, numbers: Collection[str]) -> Iterable[str]:
        """What cannot be, in words; ``numbers`` are the kind's numeric metrics."""
        for key, names in (("skip", self.skip), ("extremes", self.extremes), ("counters", self.counters)):
            for name in names:
                if name not in numbers:
                    yield f"rollup.{key}: {name!r} is not a number that the kind measures"
        listed = [*self.skip, *self.extremes, *self.counters]
        for name in sorted({name for name in listed if listed.count(name) > 1}):
            yield f"rollup: {name!r} stands in more than one of skip, extremes and counters"
        yield from self._contradictions_of_measures(numbers)

    def _contradictions_of_measures(self, numbers: Collection[str]) -> Iterable[str]:
        for name, measure in self.measures.items():
            where = f"rollup.measures.{name}"
            if not name.isidentifier() or name != name.lower():
                yield f"{where}: a measure's name is a column's: lower case letters, digits and _"
            if bool(measure.sum) + measure.count + bool(measure.minutes) + bool(measure.classes) != 1:
                yield f"{where}: give one of sum, count, minutes and classes"
            if measure.minutes and measure.minutes not in SLOTS:
                yield f"{where}.minutes: {measure.minutes} does not divide a quarter of an hour; give one of {SLOTS}"
            if measure.classes and measure.classes not in numbers:
                yield f"{where}.classes: {measure.classes!r} is not a number that the kind measures"
            if (measure.count or measure.minutes) and not measure.when:
                yield f"{where}: say when it counts"
