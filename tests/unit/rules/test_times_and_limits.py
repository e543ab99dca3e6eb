"""The right limit at the right hour: over midnight, at the month's end, at sunset, on the day a limit changes."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest

from devices.kind import Kind, LimitChange
from devices.readings import Readings
from devices.registry import Registry
from rules.engine import Engine
from rules.expressions import compile_condition
from rules.frame import Frame
from rules.local_time import LocalTime
from rules.rule import Rule
from rules.spells import Spell, Spells

ZONE = ZoneInfo("Asia/Shanghai")
TableOf = Callable[..., Readings]
Told = Callable[..., list[bool]]


def micros(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp()) * 1_000_000


@pytest.fixture(scope="session")
def told(kinds: Mapping[str, Kind], table_of: TableOf, registry_of: Callable[..., Registry]) -> Told:
    """For each local time whether a condition holds for a device."""

    def tell(text: str, kind: str, *moments: str, local_time: LocalTime | None = None, **more: object) -> list[bool]:
        permits = more.pop("permits", Spells())
        registry = more.pop("registry", None) or registry_of(kind, **more)
        frame = Frame(
            table_of(kind, [(1, micros(each), {}) for each in moments]),
            registry,  # type: ignore[arg-type]
            local_time or LocalTime(ZONE),
            permits,  # type: ignore[arg-type]
        )
        return [bool(each) for each in compile_condition(text, kinds[kind]).truth(frame).true]

    return tell


def test_the_night_runs_over_midnight_and_over_the_end_of_the_month(told: Told) -> None:
    moments = ["2026-11-30 21:59", "2026-11-30 22:00", "2026-11-30 23:59", "2026-12-01 00:00", "2026-12-01 05:59",
               "2026-12-01 06:00"]  # fmt: skip
    assert told("night", "noise", *moments) == [False, True, True, True, True, False]


@pytest.mark.parametrize(
    ("position", "dark_from", "dark_until"),
    [((31.8, 119.97), "17:00", "06:38"), ((23.9, 100.1), "18:27", "07:35")],
    ids=["Changzhou", "Lincang"],
)
def test_the_sun_sets_by_the_place_and_not_by_the_clock(
    told: Told, position: tuple[float, float], dark_from: str, dark_until: str
) -> None:
    """Late November; half an hour either side of the almanac's sunset and sunrise."""
    evening, morning = (datetime.fromisoformat(f"2026-11-{day} {clock}") for day, clock in
                        ((21, dark_from), (22, dark_until)))  # fmt: skip
    half = timedelta(minutes=30)
    moments = [str(at) for at in (evening - half, evening + half, morning - half, morning + half)]
    assert told("should_on", "streetlight", *moments, position=position) == [False, True, True, False]


def test_days_off_are_the_states_and_the_citys_own(told: Told) -> None:
    moments = ["2026-10-01 12:00", "2026-10-10 12:00", "2026-11-21 12:00", "2026-11-23 12:00", "2026-11-24 00:00"]
    own = LocalTime(ZONE, holidays=frozenset({date(2026, 11, 23)}))
    # National Day; a Saturday worked in its stead; a plain Saturday; the city's own day off; the Tuesday after it.
    assert told("workday", "noise", *moments, local_time=own) == [False, True, False, False, True]
    assert told("holiday", "noise", *moments, local_time=own) == [True, False, False, True, False]
    assert told("weekday == 6", "noise", *moments) == [False, True, True, False, False]


def test_minutes_are_counted_from_local_midnight(told: Told) -> None:
    moments = ["2026-11-21 00:00", "2026-11-21 11:59", "2026-11-21 12:00"]
    assert told("minute_of_day >= 720", "noise", *moments) == [False, False, True]


def test_a_permit_covers_its_devices_from_its_beginning_until_before_its_end(told: Told) -> None:
    moments = ["2026-11-20 21:59", "2026-11-20 22:00", "2026-11-21 05:59", "2026-11-21 06:00"]
    spell = Spell("night_work", 1, micros("2026-11-20 22:00"), micros("2026-11-21 06:00"))
    permits = Spells.of([spell])
    assert told('permitted("night_work")', "noise", *moments, permits=permits) == [False, True, True, False]
    assert told('permitted("maintenance")', "noise", *moments, permits=permits) == [False] * 4
    others = Spells.of([replace(spell, device=2)])
    assert told('permitted("night_work")', "noise", *moments, permits=others) == [False] * 4


def changed(kinds: Mapping[str, Kind], registry: Registry) -> Registry:
    """The first meter's night limit is 45 instead of 50 from 1 December on."""
    meter = registry.devices[1]
    changes = {"night": (LimitChange(date(2026, 12, 1), 45),)}
    return Registry(kinds, [msgspec.structs.replace(meter, limit_changes=changes)])


def test_the_limit_changes_at_local_midnight(
    told: Told, kinds: Mapping[str, Kind], registry_of: Callable[..., Registry]
) -> None:
    registry = changed(kinds, registry_of("noise"))
    moments = ["2026-11-30 23:59:59", "2026-12-01 00:00"]
    assert told("limit.night == 50", "noise", *moments, registry=registry) == [True, False]
    assert told("limit.night == 45", "noise", *moments, registry=registry) == [False, True]


def test_readings_are_judged_by_the_limit_of_their_own_time_whenever_they_come(
    kinds: Mapping[str, Kind], table_of: TableOf, rule_of: Callable[..., Rule], registry_of: Callable[..., Registry]
) -> None:
    registry: Registry = changed(kinds, registry_of("noise"))
    rule = rule_of("raise: laeq > limit.night", kind="noise")
    times = ["2026-11-30 23:00", "2026-11-30 23:59", "2026-12-01 00:00", "2026-12-01 00:01"]
    table = table_of("noise", [(1, micros(each), {"laeq": 48}) for each in times])
    verdicts = Engine([rule], registry, LocalTime(ZONE)).step([table])
    assert [each.at for each in verdicts.transitions] == [micros("2026-12-01 00:00")]
    assert verdicts.transitions[0].detail["values"] == {"laeq": 48, "limit.night": 45}


def test_loud_and_then_silent_for_longer_than_the_delay_is_no_alarm(
    table_of: TableOf, rule_of: Callable[..., Rule], registry_of: Callable[..., Registry]
) -> None:
    rule = rule_of("raise: laeq > 60", "for: 10m", kind="noise")
    loud = [(1, micros(f"2026-11-21 12:{minute:02}"), {"laeq": 70}) for minute in range(5)]
    engine = Engine([rule], registry_of("noise"), LocalTime(ZONE))
    after = [(1, micros("2026-11-21 14:00"), {"laeq": 70})]
    for rows in (loud, after):
        verdicts = engine.step([table_of("noise", rows)])
        assert verdicts.transitions == []
        engine.apply(verdicts)


EASING = (
    "raise: [{when: laeq > 80, severity: critical}, {when: laeq > 70, severity: major}, {when: laeq > 60}]",
    "clear: laeq < 55", "ease: {hold: 10m}",
)  # fmt: skip


@pytest.mark.parametrize(
    ("levels", "history"),
    [
        # Nothing worse for ten minutes: down to what held in them.
        ([85] + [75] * 12 + [65] * 12, ["0 raised critical", "11 eased major", "23 eased minor"]),
        # The worst of the last ten minutes counts, not the present.
        ([85] + [75] * 5 + [65] * 12, ["0 raised critical", "11 eased major", "16 eased minor"]),
        # Between raise and clear it falls no lower than the rule's mildest.
        ([85] + [58] * 25, ["0 raised critical", "11 eased minor"]),
        # A peak begins the wait anew, and worse than before escalates at once.
        ([75] + [65] * 9 + [75] + [65] * 9 + [85], ["0 raised major", "20 escalated critical"]),
        ([85] + [65] * 12 + [75], ["0 raised critical", "11 eased minor", "13 escalated major"]),
        # What nobody observed is no calm.
        ([85] + [65] * 5 + [None] * 60 + [65] * 5, ["0 raised critical"]),
        ([85] + [65] * 5 + [50], ["0 raised critical", "6 cleared critical"]),
    ],
)
def test_a_severity_falls_to_the_worst_that_held_within_the_hold(
    table_of: TableOf,
    rule_of: Callable[..., Rule],
    registry_of: Callable[..., Registry],
    levels: list[float | None],
    history: list[str],
) -> None:
    start = micros("2026-11-21 12:00")
    rows = [(1, start + n * 60_000_000, {"laeq": level}) for n, level in enumerate(levels) if level is not None]
    for batches in ([rows], [[row] for row in rows]):
        engine = Engine([rule_of(*EASING, kind="noise")], registry_of("noise"), LocalTime(ZONE))
        found = []
        for batch in batches:
            verdicts = engine.step([table_of("noise", batch)])
            engine.apply(verdicts)
            found += verdicts.transitions
        assert [f"{(t.at - start) // 60_000_000} {t.change} {t.severity.name.lower()}" for t in found] == history
