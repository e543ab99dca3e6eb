import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from devices.kind import Kind
from rules.packs import PackError, load_packs
from rules.rule import AT_ONCE, Hold, Input, Rule, Severity

MINUTE = 60_000_000
SOUND = """\
- id: X-01
  name: {en: tilted, zh: 倾斜}
  kind: manhole
  raise: tilt > 15
  severity: minor
  case: {problem: test, fix: 1d work}
  source: a test
"""
Refused = Callable[..., list[str]]


@pytest.fixture
def refused(tmp_path: Path, kinds: Mapping[str, Kind]) -> Refused:
    """What is wrong with packs, given as texts or bytes by the name of their file."""

    def problems(text: str | bytes = "", **more: str) -> list[str]:
        content = text if isinstance(text, bytes) else text.encode()
        for name, each in {"pack": content, **{name: other.encode() for name, other in more.items()}}.items():
            (tmp_path / f"{name}.yaml").write_bytes(each)
        with pytest.raises(PackError) as error:
            load_packs(kinds, tmp_path)
        assert str(error.value) == "\n".join(error.value.problems)
        return error.value.problems

    return problems


def changed(*lines: str) -> str:
    """The sound rule with lines replaced or added, by their key."""
    rule = {line.split(":")[0].strip("- "): line for line in SOUND.splitlines()}
    for line in lines:
        rule[line.split(":")[0]] = f"  {line}"
    return "\n".join(rule.values()).replace("  id:", "- id:", 1)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("kind: manhol", "kind: unknown kind 'manhol'; installed are bridge, fume, manhole, noise, streetlight"),
        ("raise: tlt > 15", "raise: column 1: 'tlt': a manhole knows no 'tlt'; did you mean 'tilt'?"),
        ("clear: tlt < 5", "clear: column 1: 'tlt': a manhole knows no 'tlt'; did you mean 'tilt'?"),
        ("raise: []", "raise: give at least one condition"),
        ("raise: [{when: tilt > 15}, {for: 5m}]", "raise 2: when is missing"),
        ("raise: [{when: tilt > 15}, {when: tlt > 5}]", "raise 2: column 1: 'tlt'"),
        ("raise: [{when: tilt > 15, for: soon}]", "raise: 'soon' is not a duration: write 30s, 10m, 1h or 2d"),
        ("raise: [{when: tilt > 15, until: 5m}]", "Object contains unknown field `until` - at `$.raise[0]`"),
        ("for: 10 minutes", "raise: '10 minutes' is not a duration: write 30s, 10m, 1h or 2d"),
        ("for: {samples: 0}", "Expected `int` >= 1 - at `$.for.samples`"),
        ("for: {samples: 3, within: an hour}", "raise: 'an hour' is not a duration"),
        ("for: {within: 1h}", "raise: within goes with samples, and with nothing else"),
        ("for: {samples: 3, within: 1h, or: 10m}", "raise: within goes with samples, and with nothing else"),
        ("clear_for: soon", "clear_for: 'soon' is not a duration: write 30s, 10m, 1h or 2d"),
        ("max_gap: soon", "'soon' is not a duration: write 30s, 10m, 1h or 2d"),
        ("clear_messages: 0", "Expected `int` >= 1 - at `$.clear_messages`"),
        ("severity: bad", "severity: 'bad' is not one of notice, minor, major, critical"),
        ("severity: {major: tilt > 20}", "severity: give a default"),
        ("severity: {default: minor, bad: tilt > 20}", "severity: 'bad' is not one of notice, minor, major, critical"),
        ("severity: {default: minor, major: tlt > 20}", "severity major: column 1: 'tlt'"),
        ("name: {en: tilted}", "name: give it in zh too"),
        ("name: {zh: 倾斜}", "name: give it in en too"),
        ("name: {}", "name: give it in en and zh too"),
        ("case: {problem: test}", "Object missing required field `fix` - at `$.case`"),
        ("input: window", "Invalid enum value 'window' - at `$.input`"),
        ("input: silence", "raise: silent belongs to rules with input: silence, and those need it"),
        ("raise: [{silent: 30m}]", "raise: silent belongs to rules with input: silence, and those need it"),
        ("rises: tilt > 15", "Object contains unknown field `rises`"),
    ],
)
def test_a_mistake_is_named_with_file_line_rule_and_what_would_be_right(
    refused: Refused, line: str, problem: str
) -> None:
    (found,) = refused(changed(line))
    assert found.startswith("pack.yaml:1: X-01: ")
    assert problem in found


def test_a_delay_beside_a_list_of_conditions_belongs_into_the_list(refused: Refused) -> None:
    (found,) = refused(changed("raise: [{when: tilt > 15}]", "for: 5m"))
    assert found == "pack.yaml:1: X-01: for: belongs to each condition of the list under raise"


@pytest.mark.parametrize("key", ["name", "kind", "raise", "severity", "case", "source"])
def test_what_every_rule_needs_is_asked_for(refused: Refused, key: str) -> None:
    text = "\n".join(line for line in SOUND.splitlines() if not line.startswith(f"  {key}:"))
    assert refused(text) == [f"pack.yaml:1: X-01: Object missing required field `{key}`"]


def test_a_rule_without_an_id_is_found_by_its_line(refused: Refused) -> None:
    nameless = SOUND.replace("- id: X-01\n  name", "- name")
    assert refused(SOUND + nameless) == ["pack.yaml:8: rule: Object missing required field `id`"]


def test_an_id_stands_once_in_all_packs(refused: Refused) -> None:
    assert refused(SOUND, second=f"# A comment first.\n{SOUND}") == ["second.yaml:2: X-01: this id stands twice"]


def test_every_problem_in_every_pack_is_listed_at_once(refused: Refused) -> None:
    wrong = changed("raise: tlt > 15") + "\n" + changed("kind: manhol").replace("X-01", "X-02") + "\n"
    problems = refused(wrong + SOUND.replace("X-01", "X-03"), broken="- [", other=changed("severity: bad"))
    assert [problem.split(": ")[0] for problem in problems] == [
        "broken.yaml", "other.yaml:1", "pack.yaml:1", "pack.yaml:8",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "id: X-01\n", "- just words\n", "[1, 2]", "- id: X\n- ~\n"])
def test_a_pack_is_a_list_of_rules(refused: Refused, text: str) -> None:
    assert refused(text) == ["pack.yaml: a pack is a list of rules, each starting with '- id:'"]


@pytest.mark.parametrize(
    "text", ["- id: [", "- id: X-01\n\tname: y", "- !!python/name:os.system x", "- id: 2026-02-30"]
)
def test_what_is_no_yaml_is_said_so(refused: Refused, text: str) -> None:
    (problem,) = refused(text)
    assert problem.startswith("pack.yaml: not YAML: ")


def test_another_encoding_than_utf8_is_said_so(refused: Refused) -> None:
    (problem,) = refused(SOUND.encode("gb18030"))
    assert re.fullmatch(r"pack\.yaml: byte 3\d: not UTF-8; save the file as UTF-8", problem)


def test_a_folder_without_packs_has_no_rules(kinds: Mapping[str, Kind], tmp_path: Path) -> None:
    assert load_packs(kinds, tmp_path) == []


def test_a_rule_is_read_as_it_is_written(rule_of: Callable[..., Rule]) -> None:
    rule = rule_of(
        "raise: [{when: tilt > 15, for: {samples: 2, or: 30s}, severity: major}, {when: tilt > 90}]",
        "severity: {critical: tilt > 90, default: notice, minor: tilt > 20}",
        "clear: tilt < 5",
        "clear_for: {samples: 3, time: 10m}",
        "max_gap: 1h",
    )
    assert [branch.hold for branch in rule.branches] == [Hold(samples=2, duration=MINUTE // 2), AT_ONCE]
    assert [branch.severity for branch in rule.branches] == [Severity.MAJOR, None]
    assert [branch.when.text for branch in rule.branches if branch.when] == ["tilt > 15", "tilt > 90"]
    assert rule.severity is Severity.NOTICE
    assert [severity for severity, _ in rule.severity_when] == [Severity.CRITICAL, Severity.MINOR]
    assert rule.clear is not None
    assert rule.clear_hold == Hold(samples=3, duration=10 * MINUTE)
    assert rule.max_gap == 60 * MINUTE


def test_a_silence_rule_needs_no_condition(rule_of: Callable[..., Rule]) -> None:
    rule = rule_of("input: silence", "raise: [{silent: 49h}]", "clear_messages: 3")
    assert rule.input is Input.SILENCE
    assert (rule.branches[0].when, rule.branches[0].silent) == (None, 49 * 60 * MINUTE)
    assert rule.clear_messages == 3


def test_a_rules_version_changes_with_its_text_and_with_nothing_else(rule_of: Callable[..., Rule]) -> None:
    versions: Sequence[str] = [
        rule_of("raise: tilt > 15").version,
        rule_of("raise:   tilt > 15  # a comment").version,
        rule_of("raise: tilt > 16").version,
    ]
    assert versions[0] == versions[1] != versions[2]


def test_the_shipped_packs_are_sound_and_every_rule_says_where_it_comes_from(shipped: Mapping[str, Rule]) -> None:
    assert list(shipped) == sorted(shipped)
    assert {rule.kind for rule in shipped.values()} == {"manhole", "fume", "noise", "streetlight", "bridge"}
    assert all(rule.source for rule in shipped.values())
