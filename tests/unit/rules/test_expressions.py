"""What conditions mean for one reading and for many."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.kind import Kind
from devices.quality import Quality
from devices.readings import Readings
from devices.registry import Registry
from rules.expressions import Expression, compile_condition
from rules.frame import Frame
from rules.local_time import LocalTime
from rules.truth import Truth

NIGHT = 1_795_190_400_000_000  # 2026-11-21 00:00 in the city
NOON = NIGHT + 12 * 3600 * 1_000_000
Metrics = Mapping[str, float | str | bool]
Holds = Callable[..., bool | None]


@pytest.fixture(scope="session")
def frame_of(
    registry_of: Callable[..., Registry], table_of: Callable[..., Readings], local_time: LocalTime
) -> Callable[..., Frame]:
    """``frame_of("manhole", {"tilt": 20}, at=NOON)``; more is said of the device by keyword."""

    def build(kind: str, *sent: Metrics, at: int = NOON, quality: Quality = Quality.GOOD, **described: object) -> Frame:
        rows = [(1, at + second, metrics) for second, metrics in enumerate(sent)]
        return Frame(table_of(kind, rows, quality), registry_of(kind, **described), local_time)

    return build


@pytest.fixture(scope="session")
def holds(kinds: Mapping[str, Kind], frame_of: Callable[..., Frame]) -> Holds:
    """Whether a condition holds for a reading; None if the reading does not tell."""

    def evaluate(text: str, kind: str, sent: Metrics, **described: object) -> bool | None:
        return told(compile_condition(text, kinds[kind]).truth(frame_of(kind, sent, **described)))[0]

    return evaluate


def told(truth: Truth) -> list[bool | None]:
    assert not (truth.true & truth.false).any()
    return [True if true else False if false else None for true, false in zip(truth.true, truth.false, strict=True)]


@pytest.mark.parametrize(
    ("text", "tilt", "expected"),
    [
        ("tilt > 15", 15.1, True),
        ("tilt > 15", 15, False),
        ("tilt >= 15", 15, True),
        ("tilt < 15", 15, False),
        ("tilt <= 15", 15, True),
        ("tilt == 15", 15, True),
        ("tilt != 15", 15, False),
        ("15 > tilt", 3, True),
        ("10 < tilt < 20", 15, True),
        ("10 < tilt < 20", 25, False),
        ("20 > tilt > 10", 5, False),
        ("tilt + 2 * 3 == 10 / 2 + 5 - 1", 3, True),
        ("(tilt + 2) * 3 == 15", 3, True),
        ("-tilt < -14.5", 15, True),
        ("abs(10 - tilt) == 5", 15, True),
        ("not tilt > 15", 3, True),
        ("tilt > 15 or tilt < 5 and tilt > 1", 3, True),
        ("(tilt > 15 or tilt < 5) and tilt > 4", 3, False),
    ],
)
def test_numbers_compare_and_compute_as_in_arithmetic(holds: Holds, text: str, tilt: float, expected: bool) -> None:  # noqa: FBT001 - the expected answer
    assert holds(text, "manhole", {"tilt": tilt}) is expected


@pytest.mark.parametrize(
    "text",
    [
        "tilt > 15",
        "not tilt > 15",
        "abs(tilt - baseline_tilt) >= limit.tilt",
        "10 < tilt < 20",
        'open_state == "open"',
        'open_state != "open"',
        "water_immersed",
        "not water_immersed",
        "tilt > 15 and temperature > 0",
        "tilt > 15 or temperature < 0",
    ],
)
def test_a_metric_that_was_not_sent_leaves_a_condition_unknown(holds: Holds, text: str) -> None:
    assert holds(text, "manhole", {"temperature": 20}) is None


def test_what_is_known_decides_where_it_can(holds: Holds) -> None:
    assert holds("tilt > 15 and temperature < 0", "manhole", {"temperature": 20}) is False
    assert holds("tilt > 15 or temperature > 0", "manhole", {"temperature": 20}) is True


def test_a_chain_is_false_when_one_link_is_though_another_is_unknown(holds: Holds) -> None:
    assert holds("tilt < baseline_tilt < 5", "manhole", {}, attributes={"baseline_tilt": 20}) is False


def test_no_rule_believes_a_value_beyond_its_instrument(holds: Holds) -> None:
    sent = {"tilt": 200, "temperature": 20}
    assert holds("tilt > 15", "manhole", sent, quality=Quality.IMPLAUSIBLE) is None
    assert holds("sent(tilt)", "manhole", sent, quality=Quality.IMPLAUSIBLE) is False


def test_the_other_metrics_of_an_implausible_reading_are_believed(holds: Holds) -> None:
    sent = {"tilt": 200, "temperature": 20, "water_immersed": True}
    assert holds("temperature > 15", "manhole", sent, quality=Quality.IMPLAUSIBLE) is True
    assert holds("water_immersed", "manhole", sent, quality=Quality.IMPLAUSIBLE) is True


@pytest.mark.parametrize("tilt", [0, 5])
@pytest.mark.parametrize(
    "text",
    ["tilt / temperature > 1", "tilt / temperature < 1", "1 / (tilt / temperature) < 1", "tilt / (1 - 1) > 1",
     "not tilt / temperature > 1", "tilt * 1e300 * 1e300 / temperature > 1"],
)  # fmt: skip
def test_what_is_divided_by_zero_is_unknown_and_never_true_false_or_a_crash(
    holds: Holds, text: str, tilt: float
) -> None:
    assert holds(text, "manhole", {"tilt": tilt, "temperature": 0}) is None


def test_what_is_beyond_all_numbers_is_unknown(holds: Holds) -> None:
    assert holds("tilt * 1e300 * 1e300 > 1", "manhole", {"tilt": 5}) is None


def test_a_share_of_a_limit_of_nothing_is_unknown(holds: Holds) -> None:
    assert holds("response_ratio > 1", "bridge", {"tilt": 5}, limits={"tilt": 0}) is None


def test_an_attribute_that_the_device_does_not_have_is_unknown(holds: Holds) -> None:
    for text in ("strain / strain_per_kelvin > 3", "not strain / strain_per_kelvin > 3"):
        assert holds(text, "bridge", {"strain": 50}) is None
    for text in ('road_class == "main"', 'road_class != "main"'):
        assert holds(text, "streetlight", {"active_power": 50}) is None


def test_an_enumeration_compares_with_its_words_from_either_side(holds: Holds) -> None:
    assert holds('open_state == "open"', "manhole", {"open_state": "open"}) is True
    assert holds('"open" == open_state', "manhole", {"open_state": "closed"}) is False
    assert holds('open_state != "closed"', "manhole", {"open_state": "missing"}) is True


def test_a_boolean_metric_is_a_condition_by_itself(holds: Holds) -> None:
    assert holds("fan_on and not purifier_on", "fume", {"fan_on": True, "purifier_on": False}) is True


def test_attributes_that_are_words_compare_with_words(holds: Holds) -> None:
    carriageway = {"road_class": "carriageway"}
    assert holds('road_class == "carriageway"', "manhole", {"tilt": 0}, **carriageway) is True
    assert holds('road_class != "carriageway"', "manhole", {"tilt": 0}, **carriageway) is False
    assert holds('cover_type == "old"', "manhole", {"tilt": 0}, attributes={"cover_type": "old"}) is True
    assert holds('district == "east"', "manhole", {"tilt": 0}) is True


def test_a_word_that_the_registry_does_not_give_is_unknown(holds: Holds) -> None:
    assert holds('road_class == "carriageway"', "manhole", {"tilt": 0}) is None
    assert holds('road_class != "carriageway"', "manhole", {"tilt": 0}) is None
    assert holds('cover_type == "old"', "manhole", {"tilt": 0}) is None


def test_numeric_attributes_take_part_in_arithmetic_and_default_to_the_kinds(holds: Holds) -> None:
    assert holds("tilt - baseline_tilt > 15", "manhole", {"tilt": 20}) is True
    assert holds("tilt - baseline_tilt > 15", "manhole", {"tilt": 20}, attributes={"baseline_tilt": 10}) is False


def test_a_limit_is_the_devices_own_where_it_has_one(holds: Holds) -> None:
    assert holds("tilt >= limit.tilt", "manhole", {"tilt": 12}) is False
    assert holds("tilt >= limit.tilt", "manhole", {"tilt": 12}, limits={"tilt": 10}) is True


def test_a_limit_may_depend_on_an_attribute(holds: Holds) -> None:
    assert holds("laeq > limit.night", "noise", {"laeq": 52}, attributes={"noise_zone": "2"}) is True
    assert holds("laeq > limit.night", "noise", {"laeq": 52}, attributes={"noise_zone": "4a"}) is False


def test_a_limit_that_nobody_set_leaves_a_condition_unknown(holds: Holds) -> None:
    assert holds("pm > limit.pm", "fume", {"pm": 40}) is None
    assert holds("pm > limit.pm", "fume", {"pm": 40}, attributes={"local_standard": "beijing"}) is True


def test_sent_tells_whether_a_reading_carries_a_metric(holds: Holds) -> None:
    assert holds("sent(tilt)", "manhole", {"tilt": 0}) is True
    assert holds("sent(tilt)", "manhole", {"open_state": "open"}) is False
    assert holds("not sent(open_state)", "manhole", {"tilt": 0}) is True


def test_night_is_told_by_the_citys_clock(holds: Holds) -> None:
    assert holds("night", "noise", {"laeq": 50}, at=NIGHT) is True
    assert holds("night", "noise", {"laeq": 50}, at=NOON) is False


def test_business_hours_are_the_devices_and_may_end_after_midnight(holds: Holds) -> None:
    bar = {"business_open": "18:00", "business_close": "02:00"}
    assert holds("business_hours", "fume", {"fan_on": True}, at=NIGHT) is False
    assert holds("business_hours", "fume", {"fan_on": True}, at=NOON) is True
    assert holds("business_hours", "fume", {"fan_on": True}, at=NIGHT, attributes=bar) is True
    assert holds("business_hours", "fume", {"fan_on": True}, at=NOON, attributes=bar) is False


def test_business_hours_may_end_with_the_day(holds: Holds) -> None:
    hours = {"business_open": "18:00", "business_close": "24:00"}
    assert holds("business_hours", "fume", {"fan_on": True}, at=NIGHT - 1, attributes=hours) is True
    assert holds("business_hours", "fume", {"fan_on": True}, at=NIGHT, attributes=hours) is False


@pytest.mark.parametrize(
    ("hours", "at_noon"),
    [("11:30-13:00", True), ("11:00-12:00", False), ("06:00-07:00, 12:00-12:30", True), ("22:00-13:00", True)],
)
def test_meals_are_the_kitchens_own(holds: Holds, hours: str, at_noon: bool) -> None:  # noqa: FBT001 - a column
    assert holds("meal_time", "fume", {"fan_on": True}, at=NOON, attributes={"meal_times": hours}) is at_noon


def test_meals_that_cannot_be_read_are_unknown(holds: Holds) -> None:
    assert holds("meal_time", "fume", {"fan_on": True}, attributes={"meal_times": "11:00-13:00, 17"}) is None


@pytest.mark.parametrize(("margin", "on"), [("", True), ('("20m")', True), ('("40m")', False)])
def test_a_lamp_burns_by_its_timetable_rather_than_by_the_sun(
    holds: Holds,
    margin: str,
    on: bool,  # noqa: FBT001 - a column
) -> None:
    by_day = {"timetable": "11:30-13:00"}
    assert holds(f"should_on{margin}", "streetlight", {"dim_level": 100}, at=NOON, attributes=by_day) is on
    assert holds("should_on", "streetlight", {"dim_level": 100}, at=NIGHT, attributes=by_day) is False


@pytest.mark.parametrize("at", [NOON, NIGHT, NIGHT - 1])
@pytest.mark.parametrize("condition", ["should_on", 'should_on("15m")'])
def test_the_lamp_of_a_tunnel_burns_all_day(holds: Holds, condition: str, at: int) -> None:
    always = {"timetable": "00:00-24:00"}
    assert holds(condition, "streetlight", {"dim_level": 100}, at=at, attributes=always) is True


@pytest.mark.parametrize(
    ("at", "condition"), [(NOON, "zone_limit == limit.day"), (NIGHT, "zone_limit == limit.night and zone_limit == 50")]
)
def test_the_limit_of_a_zone_is_that_of_the_hour(holds: Holds, at: int, condition: str) -> None:
    assert holds(condition, "noise", {"laeq": 50}, at=at) is True


@pytest.mark.parametrize(
    ("axes", "condition"),
    [
        ({"accel_x": 0, "accel_y": 0, "accel_z": -1}, "shock < 0.001"),
        ({"accel_x": 0.6, "accel_y": 0, "accel_z": 0.8}, "shock < 0.001"),
        ({"accel_x": 3, "accel_y": 0, "accel_z": 4}, "shock == 4"),
    ],
)
def test_a_shock_is_what_gravity_does_not_explain(holds: Holds, axes: dict[str, float], condition: str) -> None:
    assert holds(condition, "manhole", axes) is True
    one_axis = {"accel_z": axes["accel_z"]}
    assert holds(condition, "manhole", one_axis) is None


def test_heat_is_taken_out_of_a_strain_where_gauge_and_temperature_are_known(holds: Holds) -> None:
    gauge = {"strain_per_kelvin": 10.0, "reference_temp": 20.0}
    hot = {"strain": 230, "structure_temp": 40}
    assert holds("residual_strain == 30 and response_ratio == 0.1", "bridge", hot, attributes=gauge) is True
    assert holds("residual_strain == 230", "bridge", {"strain": 230}, attributes=gauge) is True
    assert holds("residual_strain == 230", "bridge", hot) is True


def test_business_hours_that_are_no_times_are_unknown(holds: Holds) -> None:
    assert holds("business_hours", "fume", {"fan_on": True}, attributes={"business_open": "9am"}) is None


def test_a_lamp_should_burn_when_the_sun_is_down_where_it_stands(holds: Holds) -> None:
    assert holds("should_on", "streetlight", {"dim_level": 0}, at=NIGHT) is True
    assert holds('should_on("15m")', "streetlight", {"dim_level": 0}, at=NOON) is False
    assert holds("should_on", "streetlight", {"dim_level": 0}, at=NIGHT, position=(30.6, -65.7)) is False


def test_the_margin_leaves_out_the_first_minutes_after_sunset(holds: Holds) -> None:
    sunset = NIGHT - 6 * 3600 * 1_000_000 - 37 * 60 * 1_000_000  # about 17:23 in Wuhan in late November
    after_ten_minutes = sunset + 10 * 60 * 1_000_000
    assert holds("should_on", "streetlight", {"dim_level": 0}, at=after_ten_minutes) is True
    assert holds('should_on("15m")', "streetlight", {"dim_level": 0}, at=after_ten_minutes) is False


def test_the_expected_power_follows_the_dimming_level(holds: Holds) -> None:
    assert holds("active_power == expected_power", "streetlight", {"active_power": 60, "dim_level": 50}) is True
    assert holds("active_power < expected_power", "streetlight", {"active_power": 60}) is None


def test_the_response_of_a_structure_is_the_largest_share_of_a_limit_that_was_sent(holds: Holds) -> None:
    assert holds("response_ratio == 0.5", "bridge", {"strain": -150}) is True
    assert holds("response_ratio >= 0.9", "bridge", {"strain": 150, "deflection": 45}) is True
    assert holds("response_ratio >= 0", "bridge", {"wind_speed": 3}) is None


def test_an_explanation_shows_what_the_condition_looked_at(
    kinds: Mapping[str, Kind], frame_of: Callable[..., Frame]
) -> None:
    expression = compile_condition(
        'abs(tilt - baseline_tilt) >= limit.tilt or open_state == "open" or road_class == "lane" or temperature > 60',
        kinds["manhole"],
    )
    frame = frame_of("manhole", {"tilt": 20, "open_state": "missing"}, road_class="carriageway")
    assert expression.look(frame) == {
        "baseline_tilt": 0.0,
        "limit.tilt": 15.0,
        "open_state": "missing",
        "road_class": "carriageway",
        "tilt": 20.0,
    }


def test_a_condition_is_read_without_the_blanks_around_it(kinds: Mapping[str, Kind]) -> None:
    assert compile_condition("  tilt > 15\n", kinds["manhole"]).text == "tilt > 15"


_quantities = ["tilt", "temperature", "baseline_tilt", "limit.tilt", "well_depth"]
_numbers = st.recursive(  # converted quantities go together whatever their units
    st.sampled_from([*(f"({name} * 100)" for name in _quantities), "-0", "2.5", "15"]),
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from("+-*/"), inner),
        inner.map("abs({})".format),
        inner.map("-{}".format),
    ),
    max_leaves=5,
)
_ordered = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
_conditions = st.recursive(
    st.one_of(
        st.builds("({} {} {})".format, _numbers, _ordered, _numbers),
        st.builds("({} {} {} {} {})".format, _numbers, _ordered, _numbers, _ordered, _numbers),
        st.sampled_from(
            [
                'open_state == "open"',
                '"closed" != open_state',
                'road_class == "carriageway"',
                'cover_type != "old"',
                "water_immersed",
                "sent(tilt)",
                "night",
            ]
        ),
    ),
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(["and", "or"]), inner), inner.map("(not {})".format)
    ),
    max_leaves=6,
)


_sent = st.fixed_dictionaries(
    {},
    optional={
        "tilt": st.sampled_from([0, 14.9, 15, 90]),
        "temperature": st.sampled_from([-40, 0, 25]),
        "open_state": st.sampled_from(["closed", "open", "missing", "unknown"]),
        "water_immersed": st.booleans(),
    },
)


@given(text=_conditions, sent=st.lists(_sent, min_size=1, max_size=5))
def test_any_condition_gives_each_reading_one_truth_value_whatever_stands_beside_it(
    kinds: Mapping[str, Kind], frame_of: Callable[..., Frame], text: str, sent: Sequence[Metrics]
) -> None:
    expression: Expression = compile_condition(text, kinds["manhole"])
    frame = frame_of("manhole", *sent)
    together = told(expression.truth(frame))
    assert len(together) == len(sent)
    assert together == [told(expression.truth(frame.row(row)))[0] for row in range(len(sent))]


@given(text=_conditions, sent=_sent)
def test_not_turns_any_condition_around(
    kinds: Mapping[str, Kind], frame_of: Callable[..., Frame], text: str, sent: Metrics
) -> None:
    frame = frame_of("manhole", sent)
    plain, negated = (compile_condition(each, kinds["manhole"]).truth(frame) for each in (text, f"not ({text})"))
    assert np.array_equal(plain.true, negated.false)
    assert np.array_equal(plain.false, negated.true)
