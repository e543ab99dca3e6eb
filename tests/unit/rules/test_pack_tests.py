"""The tests that stand beside the shipped packs, and what the runner says of bad ones."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from devices.kind import Kind
from rules.packs import PACKS_FOLDER, PackError, pack_files
from rules.testing import run_packs

PACK = """\
- id: X-01
  name: { en: loud, zh: 吵 }
  kind: noise
  raise: laeq > 60
  for: 5m
  severity: minor
  case: { problem: test, fix: 1d work }
  source: a test
"""
LOUD = """\
- name: it is loud
  rule: X-01
  at: 2026-11-20 12:00
  every: 1m
  series: { laeq: 70 x8 50 x2 }
  expect: [{ at: "12:05", state: active }]
"""
Ran = Callable[..., tuple[list[str], list[str]]]


@pytest.fixture
def ran(tmp_path: Path, kinds: Mapping[str, Kind]) -> Ran:
    """Problems found and tests lacking, for a pack and its tests given as texts."""

    def run(tests: str, pack: str = PACK) -> tuple[list[str], list[str]]:
        (tmp_path / "x.yaml").write_text(pack, encoding="utf-8")
        (tmp_path / "x.tests.yaml").write_text(tests, encoding="utf-8")
        outcomes, lacking = run_packs(kinds, tmp_path)
        return [problem for outcome in outcomes for problem in outcome.problems], lacking

    return run


@pytest.mark.parametrize("pack", pack_files({}), ids=lambda path: path.stem)
def test_a_shipped_pack_does_what_its_tests_say(pack: Path, kinds: Mapping[str, Kind]) -> None:
    outcomes, lacking = run_packs(kinds, PACKS_FOLDER, [pack])
    assert [problem for outcome in outcomes for problem in outcome.problems] == []
    assert lacking == []


def test_what_was_expected_and_what_was_found_is_told_with_the_history(ran: Ran) -> None:
    problems, _ = ran(LOUD.replace('"12:05", state: active', '"12:04", state: active major, raised: 1'))
    found = "expected active major, found normal and expected raised 1, found 0"
    history = "it went: 12:05 raised minor, 12:08 cleared"
    assert problems == [f"x.tests.yaml:1: X-01: it is loud: at 12:04 {found}; {history}"]


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        ('{ at: "12:05", state: active }', []),
        ('{ at: "12:05", state: active minor, raised: 1 }', []),
        ('{ at: "12:08", state: normal, raised: 1 }', []),
        ('{ at: "2026-11-20 12:08", state: normal }', []),
        ('{ at: "12:07:59", state: normal }', ["found active minor"]),
    ],
)
def test_a_state_is_expected_at_a_time(ran: Ran, expected: str, found: list[str]) -> None:
    problems, _ = ran(LOUD.replace('{ at: "12:05", state: active }', expected))
    assert len(problems) == len(found)
    assert all(part in problem for part, problem in zip(found, problems, strict=True))


def test_the_cases_that_every_rule_needs_are_asked_for(ran: Ran) -> None:
    assert ran("[]")[1] == [
        "x.tests.yaml: X-01: no test in which it raises",
        "x.tests.yaml: X-01: no test in which it does not raise",
        "x.tests.yaml: X-01: no test in which it clears",
        "x.tests.yaml: X-01: no test with a gap longer than max_gap, though it raises after a delay",
    ]
    assert ran(LOUD)[1] == [
        "x.tests.yaml: X-01: no test in which it does not raise",
        "x.tests.yaml: X-01: no test with a gap longer than max_gap, though it raises after a delay",
    ]
    gap = LOUD.replace("70 x8 50 x2", "70 x4 - x5 70").replace("state: active", "raised: 0")
    assert ran(LOUD + gap)[1] == []


@pytest.mark.parametrize(
    ("written", "instead", "problem"),
    [
        ("laeq: 70 x8 50 x2", "laeq: 70 x", "series laeq: 'x' is not a number"),
        ("laeq: 70 x8 50 x2", "laeg: 70", "series: a noise sends no 'laeg'; it sends la, laeq"),
        ("laeq: 70 x8 50 x2", "laeq: 70 x8, lmax: 80 x7", "series lmax: has 7 readings where another has 8"),
        ("laeq: 70 x8 50 x2", "laeq: '- x5'", "series: not a single reading"),
        ("laeq: 70 x8 50 x2", "audio_class: song", "series audio_class: 'song' is not one of none, music"),
        ("{ laeq: 70 x8 50 x2 }", "{}", "series: give at least one metric"),
        ("X-01", "X-02", "rule: 'X-02' is not in the packs; they have X-01"),
        ("every: 1m", "every: often", "'often' is not a duration"),
        ("every: 1m", "each: 1m", "Object contains unknown field `each`"),
        ("12:00", "noon", "'2026-11-20 noon' is no time: write 12:30, +1d 12:30 or 2026-11-21 12:30"),
        ('"12:05"', "12:60", "minute must be in 0..59"),
        ('"12:05"', "+9999999d 12:05", "'+9999999d 12:05' is no time: write 12:30"),
        ('"12:05"', "13:00", "expect: 13:00 is after the end of the series; add readings, or until: for silence"),
        ("state: active", "state: raised", "expect: state 'raised' is not one of normal, active, active notice"),
        (", state: active", "", "expect: say what is expected at 12:05: state or raised"),
        ('[{ at: "12:05", state: active }]', "[]", "a test needs a name that says what happens, and expect"),
        ("  every", "  device: { limits: { days: 60 } }\n  every", "device: a noise has no limit 'days'"),
        ("  every", "  device: { attributes: { zone: 1 } }\n  every", "device: a noise has no attribute 'zone'"),
        (
            "  every",
            "  device: { attributes: { noise_zone: 9 } }\n  every",
            "device: noise_zone: '9' is not one of 0, 1, 2",
        ),
    ],
)
def test_a_test_that_cannot_be_is_refused_by_file_line_and_name(
    ran: Ran, written: str, instead: str, problem: str
) -> None:
    with pytest.raises(PackError) as error:
        ran(LOUD.replace(written, instead))
    (said,) = error.value.problems
    assert said.startswith("x.tests.yaml:1: it is loud: ")
    assert problem in said


def test_tests_that_are_no_yaml_are_refused(ran: Ran) -> None:
    with pytest.raises(PackError, match=r"x\.tests\.yaml:1:10: not YAML"):
        ran("- name: [")


GROUP_PACK = """\
- id: X-02
  name: { en: many loud, zh: 多处吵 }
  kind: noise
  input: group
  group: district
  window: 5m
  member: max(laeq) > 60
  raise: hits >= 2
  severity: minor
  case: { problem: test, fix: 1d work }
  source: a test
"""
MANY = """\
- name: two of three are loud
  rule: X-02
  at: 2026-11-20 12:00
  every: 1m
  count: 3
  except: { 2-3: { laeq: 70 x5 } }
  series: { laeq: 50 x5 }
  expect: [{ at: "12:05", state: active }]
"""


def test_the_alarm_of_a_group_is_expected_where_a_test_has_several_devices(ran: Ran) -> None:
    assert ran(MANY, GROUP_PACK)[0] == []
    assert ran(MANY.replace("2-3", "3"), GROUP_PACK)[0] == [
        "x.tests.yaml:1: X-02: two of three are loud: at 12:05 expected active, found normal; it went: nothing"
    ]
    named = MANY.replace("count: 3", "members: { a: {}, b: { series: { laeq: 70 x5 } }, c: {} }")
    named = named.replace("  except: { 2-3: { laeq: 70 x5 } }\n", "").replace("active", "normal")
    assert ran(named, GROUP_PACK)[0] == []


@pytest.mark.parametrize(
    ("written", "instead", "problem"),
    [
        ("count: 3", "count: 2", "except: '2-3' is no device; write 3 or 3-5, from 1 to 2"),
        ("2-3", "some", "except: 'some' is no device"),
        ("  count: 3\n", "", "except: belongs to count"),
        ("count: 3", "members: { a: {} }", "members: goes without count and except"),
        ("70 x5", "70 x6", "series laeq: has 5 readings where another has 6"),
    ],
)
def test_devices_that_cannot_be_are_refused(ran: Ran, written: str, instead: str, problem: str) -> None:
    with pytest.raises(PackError, match=problem):
        ran(MANY.replace(written, instead), GROUP_PACK)
