"""Scorecards by seat and shift: which seats a city has, who is on watch when, and what happened then. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from alarms.scorecard import By, Happening, Seat, Stale, between, seat_of
from cases.city import City
from cases.people import Shift

OUTSIDE = "outside"  # of every shift


def parse_shifts(text: str) -> dict[str, Shift]:
    """Shifts by name, as in ``day=08:00-20:00,night=20:00-08:00``; one that ends before it starts goes past midnight.

    Raises:
        ValueError: saying which shift is wrong and how one is written.
    """
    found: dict[str, Shift] = {}
    for part in text.split(","):
        name, _, hours = (piece.strip() for piece in part.partition("="))
        start, _, end = (piece.strip() for piece in hours.partition("-"))
        shift = Shift(start, end, [])
        if not name or not start or not end:
            raise ValueError(f"{part.strip()!r} is no shift: write day=08:00-20:00,night=20:00-08:00")
        if name in found or name == OUTSIDE:
            raise ValueError(f"the name {name!r} can be given only once, and not {OUTSIDE!r}")
        for problem in shift.problems():
            raise ValueError(f"{name}: {problem}")
        found[name] = shift
    return found


def city_shifts(city: City, seat: str | None, by: By) -> dict[str, Shift]:
    """The shifts of a unit as the city file has them; those of its unit for a district's desk."""
    if seat is None:
        return {}
    unit = city.districts[seat].fallback if by is By.DISTRICT else seat
    shifts = city.units[unit].shifts if unit in city.units else []
    return {" ".join([f"{shift.start}-{shift.end}", *shift.days]): shift for shift in shifts}


def cards(
    city: City,
    span: tuple[datetime, datetime],
    happened: Iterable[Happening],
    stale: Iterable[Stale],
    *,
    by: By,
    district: str | None = None,
    shifts: Mapping[str, Shift] | None = None,
    own_shifts: bool = False,
) -> Iterator[Seat]:
    """Every district, or every unit that has something, in the order of their ids; each as a whole or shift by shift.

    Args:
        city: Whose districts, units and local time.
        span: From when until before when, aware.
        happened: What is counted.
        stale: What has been active for too long at the end.
        by: What a seat is.
        district: Only of this district.
        shifts: The same for all seats; None for no shifts.
        own_shifts: Each seat's own as the city file has them.
    """
    of: defaultdict[str | None, list[Happening]] = defaultdict(list)
    left: defaultdict[str | None, list[Stale]] = defaultdict(list)
    for each in happened:
        of[each.seat].append(each)
    for alarm in stale:
        left[alarm.seat].append(alarm)
    districts = [district] if district is not None else list(city.districts)
    names = {*of, *left} if by is By.UNIT else {*districts}
    for name in sorted(names, key=lambda each: (each is None, each or "")):
        own = city_shifts(city, name, by) if own_shifts else shifts
        if own is None:
            yield seat_of(name, of[name], [span], stale=left[name])
        else:
            yield from _by_shift(city, name, span, of[name], left[name], own)


def _by_shift(
    city: City,
    name: str | None,
    span: tuple[datetime, datetime],
    happened: Sequence[Happening],
    stale: Sequence[Stale],
    shifts: Mapping[str, Shift],
) -> Iterator[Seat]:
    watched = []
    for shift, hours in shifts.items():
        watches = list(hours.spans(*span, city.calendar))
        watched += watches
        yield seat_of(name, happened, watches, stale=stale, shift=shift)
    if outside := list(between(watched, *span)):
        yield seat_of(name, happened, outside, stale=stale, shift=OUTSIDE)
