"""Conditions that are refused, each with its place, its word and what would be right."""

import re
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.kind import Kind
from rules.expressions import compile_condition
from rules.nodes import ExpressionError

REFUSED = [
    # Misspelt names: what is near, or else what there is.
    ("manhole", "tlt > 15", "column 1: 'tlt'", "did you mean 'tilt'?"),
    ("manhole", "tilt > 15 and watr_level > 2", "column 15: 'watr_level'", "did you mean 'water_level'?"),
    ("manhole", "tilt > limit.tlt", "column 8: 'limit.tlt'", "did you mean 'limit.tilt'?"),
    ("manhole", "sent(opn_state)", "column 1: 'sent(opn_state)'", "did you mean 'open_state'?"),
    ("manhole", "xylophone > 1", "a manhole knows no 'xylophone'", "known are abs, accel_x"),
    ("manhole", "limit.xylophone > 1", "a manhole knows no 'limit.xylophone'", "known are limit."),
    ("streetlight", 'shuld_on("15m")', "knows no 'shuld_on'", "did you mean 'should_on'?"),
    ("manhole", 'road_class == "主干道" and tlt > 5', "column 25: 'tlt'", "did you mean 'tilt'?"),
    # Names of another kind.
    ("manhole", "laeq > 55", "a manhole knows no 'laeq'", "known are"),
    ("manhole", "response_ratio > 1", "response_ratio needs strain", "which a manhole does not have"),
    ("noise", "expected_power > 1", "expected_power needs rated_power", "which a noise does not have"),
    ("bridge", "business_hours", "business_hours needs business_open", "which a bridge does not have"),
    # Types that do not go together.
    ("manhole", "tilt", "'tilt': is a number, not a condition", "compare it with something"),
    ("manhole", "road_class", "is a word, not a condition", "compare it with something"),
    ("manhole", "tilt and tilt > 1", "column 1: 'tilt'", "is a number where a condition is needed"),
    ("manhole", "not tilt", "column 5: 'tilt'", "is a number where a condition is needed"),
    ("manhole", "tilt + road_class > 1", "column 8: 'road_class'", "is a word where a number is needed"),
    ("manhole", "-water_immersed > 1", "column 2: 'water_immersed'", "is a condition where a number is needed"),
    ("manhole", "abs(open_state) > 1", "column 5: 'open_state'", "is an enumeration where a number is needed"),
    ("manhole", 'tilt == "open"', "column 1", "cannot compare a number with a word"),
    ("manhole", "open_state == 1", "column 1", "cannot compare an enumeration with a number"),
    ("manhole", "open_state == tilt", "column 1", "cannot compare an enumeration with a number"),
    ("manhole", "open_state == road_class", "column 1", "cannot compare an enumeration with a word"),
    ("manhole", "water_immersed == 1", "column 1", "cannot compare a condition with a number"),
    ("fume", "fan_on == purifier_on", "column 1", "cannot compare a condition with a condition"),
    ("manhole", 'open_state < "open"', "column 1", "words have no order; use == or !="),
    ("manhole", 'road_class > "a"', "column 1", "words have no order; use == or !="),
    ("manhole", 'open_state == "opne"', "'opne' is not one of", "closed, open, missing, unknown"),
    ("manhole", 'cover_type == "hiden"', "'hiden' is not one of", "six_proof, hidden, old"),
    ("bridge", 'plate == "A"', "'plate' is text kept as evidence", "rules do not judge it"),
    ("bridge", "sent(plate)", "'plate' is text kept as evidence", "rules do not judge it"),
    # Constructs that rules have no use for.
    ("manhole", "tilt ** 2 > 9", "column 1: 'tilt ** 2'", "not allowed here"),
    ("manhole", "tilt // 2 > 9", "column 1: 'tilt // 2'", "not allowed here"),
    ("manhole", "tilt in (1, 2)", "column 1", "this comparison is not allowed; use < <= > >= == !="),
    ("manhole", "tilt is 1", "column 1", "this comparison is not allowed"),
    ("manhole", "True", "column 1: 'True'", "not allowed here"),
    ("manhole", "tilt == None", "column 9: 'None'", "not allowed here"),
    ("manhole", "tilt > 1 if sent(tilt) else tilt > 2", "column 1", "not allowed here"),
    ("manhole", "abs(tilt, 2) > 1", "column 1: 'abs(tilt, 2)'", "write abs(<number>)"),
    ("manhole", 'sent("tilt")', "column 1", "write sent(<metric>)"),
    ("manhole", "tilt() > 1", "column 1: 'tilt()'", "tilt takes no brackets"),
    ("noise", 'night("30m")', "column 1", "night takes no brackets"),
    ("streetlight", "should_on(15)", "column 1: 'should_on(15)'", 'such as should_on("15m")'),
    ("streetlight", 'should_on("quarter")', "'quarter' is not a duration", "write 30s, 10m, 1h or 2d"),
    # Not an expression at all.
    ("manhole", "tilt > 15)", "column 10: not an expression", "unmatched ')'"),
    ("manhole", "tilt = 15", "column 6: not an expression", "invalid syntax; write and, or, not, =="),
    ("manhole", "", "not an expression", ""),
    ("manhole", "tilt > 1\0", "not an expression", "null bytes"),
]


@pytest.mark.parametrize(("kind", "text", "where", "advice"), REFUSED, ids=[row[1] for row in REFUSED])
def test_a_condition_that_cannot_be_is_refused_with_word_and_advice(
    kinds: Mapping[str, Kind], kind: str, text: str, where: str, advice: str
) -> None:
    with pytest.raises(ExpressionError) as refused:
        compile_condition(text, kinds[kind])
    assert where in str(refused.value)
    assert advice in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        '__import__("os").system("true") == 0',
        "(lambda: tilt)() > 1",
        "[tilt for tilt in (1, 2)] == 1",
        "{tilt: 1}[tilt] > 1",
        "tilt.__class__ == 1",
        "limit.__class__.__mro__ == 1",
        "limit.tilt.real > 1",
        'f"{tilt}" == "1"',
        "(found := tilt) > 1",
        "abs(*accel_x) > 1",
        "abs(x=tilt) > 1",
        'open("city.toml") == 1',
        "print(tilt) == 1",
        "tilt[0] > 1",
        "(yield tilt) > 1",
        "b'1' == 1",
        "1j > 0",
        "... == 1",
        "import os",
        "tilt > 1; tilt > 2",
    ],
)
def test_nothing_that_could_run_code_gets_in(kinds: Mapping[str, Kind], text: str) -> None:
    with pytest.raises(ExpressionError):
        compile_condition(text, kinds["manhole"])


@pytest.mark.parametrize(
    ("kind", "text", "advice"),
    [
        ("manhole", "tilt > temperature", "deg and °C do not go together"),
        ("fume", "fume > fan_current", "mg/m³ and A do not go together"),
        ("streetlight", "current > limit.leakage_ma", "A and mA do not go together; a written factor such as 1000"),
        ("manhole", "tilt + battery_v > 3", "deg and V"),
        ("manhole", "tilt / limit.tilt > limit.tilt", "a plain number (1) and deg"),
        ("noise", "laeq - limit.night > limit.night * 2", ""),
        ("noise", "laeq > limit.night + limit.night_burst_margin", ""),
        ("streetlight", "current * 1000 > limit.leakage_ma", ""),
        ("streetlight", "active_power < limit.power_dark * expected_power", ""),
        ("streetlight", "voltage * current > active_power", ""),
        ("manhole", "abs(tilt - baseline_tilt) < 0.9 * limit.tilt", ""),
        ("manhole", "-tilt < 5", ""),
    ],
)
def test_quantities_that_are_added_or_compared_have_one_unit(
    kinds: Mapping[str, Kind], kind: str, text: str, advice: str
) -> None:
    if not advice:
        assert compile_condition(text, kinds[kind])
        return
    with pytest.raises(ExpressionError, match=re.escape(advice)):
        compile_condition(text, kinds[kind])


@given(text=st.text(max_size=40) | st.text("tilabsenot().<=>+-*/'\" 019", max_size=40))
def test_any_text_is_a_condition_or_refused_in_words(kinds: Mapping[str, Kind], text: str) -> None:
    try:
        compile_condition(text, kinds["manhole"])
    except ExpressionError as refused:
        assert str(refused)  # noqa: PT017 - most texts are refused, some are conditions
