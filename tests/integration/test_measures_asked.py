"""Measures that jobs ask for, asked of a real database: their figures, by what was stored."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from devices.moments import micros
from rules.jobs import Moments
from rules.measures import load_measures
from storage import measures
from storage.registry_store import load_registry, register_groups
from tests.integration.playing import LAMPS, LOCAL, METER, MINUTE, NINE, City, minutes

pytestmark = pytest.mark.each_server


def asked(city: City, name: str, kind: str, by: str, at: datetime) -> dict[str, Mapping[str, float | None]]:
    """The figures of a measure by the name of the group."""
    register_groups(city.connection, city.registry, [(kind, (by,))], at)
    city.registry = load_registry(city.connection, city.kinds)
    found = measures.ask(
        city.connection, load_measures()[name], kind, city.registry.membership(kind, (by,)), city.registry, LOCAL,
        Moments.of(LOCAL, micros(at)),
    )  # fmt: skip
    return {group.name: found[group.id] for group in city.registry.groups.values() if group.id in found}


def test_silent_lamps_count_as_dark_strictly_and_lamps_commanded_off_do_not_count(lamp_road: City) -> None:
    for name in LAMPS[:8]:
        lamp_road.sent(name, [(NINE - MINUTE, 90.0)], "active_power", dim_level=100)
    lamp_road.sent(LAMPS[8], [(NINE - MINUTE, 2.0)], "active_power")  # the controller's own; it sends no level
    lamp_road.sent(LAMPS[9], [(NINE - MINUTE, 0.0)], "active_power", dim_level=0, dim_command=0)
    figures = asked(lamp_road, "lit_rate", "streetlight", "road", NINE)["East Road"]
    assert figures == {
        "lamps": 11,
        "known": 9,
        "lit": 8,
        "lit_rate_strict": pytest.approx(8 / 11),
        "lit_rate_known": pytest.approx(8 / 9),
    }


def test_a_night_complies_by_its_energy_and_counts_with_three_quarters_of_its_minutes(evening: City) -> None:
    first_of_month = datetime(2026, 11, 1, 14, tzinfo=UTC)  # 22:00
    for night, (count, level) in enumerate([(480, 45.0), (480, 55.0), (300, 45.0)]):
        begun = first_of_month + timedelta(days=night)
        evening.sent(METER, [(begun + minute * MINUTE, level) for minute in range(count)], "laeq")
    evening.catch_up()
    at = datetime(2026, 11, 5, 0, tzinfo=UTC)
    two_of_them = {"valid_nights": 2, "compliant_nights": 1, "night_compliance": 0.5}
    assert asked(evening, "night_compliance", "noise", "city", at) == {"all": two_of_them}
    during_the_second = first_of_month + timedelta(days=1, hours=2)
    assert asked(evening, "night_compliance", "noise", "city", during_the_second)["all"]["valid_nights"] == 1
    assert asked(evening, "night_compliance", "noise", "city", first_of_month) == {}, "October's"


def test_area_noise_is_the_mean_over_points_of_the_day_that_ended_last(evening: City) -> None:
    six_in_the_morning = datetime(2026, 11, 19, 22, tzinfo=UTC)
    levels = [(six_in_the_morning + minute * MINUTE, 60.0 if minute < 400 else 50.0) for minute in range(800)]
    evening.sent(METER, levels, "laeq")
    at = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)  # 22:30
    figures = asked(evening, "area_noise_mean", "noise", "district", at)["east"]
    assert figures == {"points": 1, "day_mean": pytest.approx(57.4, abs=0.01)}


@pytest.mark.parametrize("name", sorted(load_measures()))
def test_a_query_answers_with_the_figures_that_its_measure_describes(lamp_road: City, name: str) -> None:
    measure = load_measures()[name]
    kind = measure.kind or "streetlight"
    lamp_road.sent(METER, minutes(0, 480, 50), "laeq")
    at = NINE + timedelta(hours=26)
    for figures in asked(lamp_road, name, kind, "city", at).values():
        assert set(figures) == set(measure.figures.position)
