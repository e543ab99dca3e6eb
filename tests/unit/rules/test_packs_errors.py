import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from devices.kind import Kind
from rules.packs import PackError, load_packs

SOUND = """\
- id: X-01
  name: {en: tilted, zh: 倾斜}
  kind: manhole
  raise: tilt > 15
  severity: minor
  case: {problem: test, fix: 1d work}
  source: a test
"""
NOT_ALLOWED = "raise: {!r}: not allowed here; use metrics, limits, comparisons, and/or/not, + - * / and abs"
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
    ("line", "place", "problem"),
    [
        ("kind: manhol", "3:9", "kind: unknown kind 'manhol'; did you mean 'manhole'?"),
        ("raise: tlt > 15", "4:10", "raise: 'tlt': a manhole knows no 'tlt'; did you mean 'tilt'?"),
        ("clear: tlt < 5", "8:10", "clear: 'tlt': a manhole knows no 'tlt'; did you mean 'tilt'?"),
        (
            "raise: tilt > 15 and (tilt < 90 or tlt > 5)",
            "4:38",
            "raise: 'tlt': a manhole knows no 'tlt'; did you mean 'tilt'?",
        ),
        ("raise: []", "4:3", "raise: give at least one condition"),
        ("raise: [{when: tilt > 15}, {for: 5m}]", "4:30", "raise 2: when is missing"),
        (
            "raise: [{when: tilt > 15}, {when: tlt > 5}]",
            "4:37",
            "raise 2: when: 'tlt': a manhole knows no 'tlt'; did you mean 'tilt'?",
        ),
        (
            "raise: [{when: tilt > 15, for: soon}]",
            "4:34",
            "raise 1: for: 'soon' is not a duration: write 30s, 10m, 1h or 2d",
        ),
        (
            "raise: [{when: tilt > 15, until: 5m}]",
            "4:29",
            "raise 1: until: there is no such setting; known are when, for, severity, silent",
        ),
        ("for: 10 minutes", "8:8", "for: '10 minutes' is not a duration: write 30s, 10m, 1h or 2d"),
        ("for: {samples: 0}", "8:18", "for: samples: Expected `int` >= 1"),
        ("for: {sample: 2}", "8:9", "for: sample: there is no such setting; did you mean 'samples'?"),
        ("for: {samples: 3, within: an hour}", "8:3", "for: 'an hour' is not a duration: write 30s, 10m, 1h or 2d"),
        ("for: {within: 1h}", "8:3", "for: within goes with samples, and with nothing else"),
        ("for: {samples: 3, within: 1h, or: 10m}", "8:3", "for: within goes with samples, and with nothing else"),
        ("clear_for: soon", "8:14", "clear_for: 'soon' is not a duration: write 30s, 10m, 1h or 2d"),
        ("max_gap: soon", "8:12", "max_gap: 'soon' is not a duration: write 30s, 10m, 1h or 2d"),
        ("clear_messages: 0", "8:19", "clear_messages: Expected `int` >= 1"),
        ("clear_messages: 2", "8:3", "clear_messages: has no effect with input: reading; it belongs to input: silence"),
        ("severity: bad", "5:13", "severity: 'bad' is not one of notice, minor, major, critical"),
        ("severity: {major: tilt > 20}", "5:3", "severity: give a default"),
        (
            "severity: {default: minor, bad: tilt > 20}",
            "5:35",
            "severity: bad: 'bad' is not one of notice, minor, major, critical",
        ),
        (
            "severity: {default: minor, major: tlt > 20}",
            "5:37",
            "severity: major: 'tlt': a manhole knows no 'tlt'; did you mean 'tilt'?",
        ),
        ("name: {en: tilted}", "2:3", "name: give it in zh too"),
        ("name: {}", "2:3", "name: give it in en and zh too"),
        ("case: {problem: test}", "6:3", "case: Object missing required field `fix`"),
        ("case: {problem: test, fixed: 1d}", "6:25", "case: fixed: there is no such setting; did you mean 'fix'?"),
        ("input: window", "1:3", "input: window needs window"),
        ("input: windows", "8:10", "input: 'windows' is none; did you mean 'window'?"),
        ("input: silence", "4:10", "raise: silent belongs to rules with input: silence, and those need it"),
        ("raise: [{silent: 30m}]", "4:11", "raise 1: silent belongs to rules with input: silence, and those need it"),
        ("rises: tilt > 15", "8:3", "rises: there is no such setting; did you mean 'raise'?"),
        ("window: 10m", "8:3", "window: has no effect with input: reading; it belongs to input: window or group"),
        ("only: tilt > 5", "8:3", "only: has no effect with input: reading; it belongs to input: window or group"),
        ("covers: [X-01]", "8:3", "covers: has no effect with input: reading; it belongs to input: group"),
        ("ease: {hold: 30m}", "8:3", "ease: the rule has one severity only, so it has nothing to ease to"),
        ("at: 21:30", "8:7", 'at: Expected `str`, got `int`; write the time in quotes, "21:30"'),
        (
            "raise: mean(tilt) > 15",
            "4:10",
            "raise: 'mean(tilt)': mean is made of a window of readings: give the rule input: window and a window",
        ),
        (
            "raise: tilt > temperature",
            "4:10",
            "raise: 'tilt > temperature': deg and °C do not go together; a written factor such as 1000 or 60 converts",
        ),
        (
            "raise: tilt > battery_v",
            "4:10",
            "raise: 'tilt > battery_v': deg and V do not go together; a written factor such as 1000 or 60 converts",
        ),
        (
            'raise: alarmed("X-01")',
            "4:10",
            (
                "raise: \"alarmed('X-01')\": whether there was an alarm is asked of a window or of silence, "
                "outside of aggregates"
            ),
        ),
        ("raise: tilt / 0 > 1", "4:10", "raise: 'tilt / 0': divides by zero, which is always unknown"),
        ("clear: 15 > tilt / 0.0", "8:15", "clear: 'tilt / 0.0': divides by zero, which is always unknown"),
        ("raise: tilt > 1e400", "4:10", NOT_ALLOWED.format("1e309")),
        ('raise: tilt > "steep"', "4:10", "raise: \"tilt > 'steep'\": cannot compare a number with a word"),
        ("raise: road_class > 3", "4:10", "raise: 'road_class > 3': cannot compare a word with a number"),
        ("raise: open_state == 3", "4:10", "raise: 'open_state == 3': cannot compare an enumeration with a number"),
        (
            "raise: tilt > baseline_tlt",
            "4:17",
            "raise: 'baseline_tlt': a manhole knows no 'baseline_tlt'; did you mean 'baseline_tilt'?",
        ),
        (
            "raise: >-\n    tilt > 15\n    and tlt > 3",
            "6:9",
            "raise: 'tlt': a manhole knows no 'tlt'; did you mean 'tilt'?",
        ),
    ],
)
def test_a_mistake_is_named_with_file_line_column_rule_and_what_would_be_right(
    refused: Refused, line: str, place: str, problem: str
) -> None:
    assert refused(changed(line)) == [f"pack.yaml:{place}: X-01: {problem}"]


def test_a_delay_beside_a_list_of_conditions_belongs_into_the_list(refused: Refused) -> None:
    (found,) = refused(changed("raise: [{when: tilt > 15}]", "for: 5m"))
    assert found == "pack.yaml:8:8: X-01: for: belongs to each condition of the list under raise"


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (["input: window", "window: 0.001s"], "window: windows begin anew at midnight, so one must end every 1m, 20m"),
        (["input: window", "window: 7m"], "window: windows begin anew at midnight, so one must end every 1m, 20m, 1h"),
        (
            ["input: window", "window: soon"],
            "window: length: 'soon' is not a duration: write 30s, 10m, 1h or 2d, or day",
        ),
        (["input: window", "window: {length: 5m, every: 10m}"], "window: length: is shorter than the time between two"),
        (["input: window", "window: {length: day, every: 1h}"], "window: every: a day ends once a day by itself"),
        (["input: window", "window: {length: 1h, evry: 1m}"], "window: evry: there is no such setting; did you mean"),
        (
            ["input: window", "window: 1h"],
            "raise: 'tilt': tilt is a reading's, and a window has many: write last(tilt)",
        ),
        (["input: window", "window: 1h", "raise: mean(max(tilt)) > 3"], "'max(tilt)': max stands inside of another"),
        (["input: window", "window: 1h", "raise: percentile(tilt) > 3"], "percentile is of a number, and a percentage"),
        (["input: window", "window: 1h", "raise: share(tilt) > 3"], "share is of a condition"),
        (["input: window", "window: 1h", "raise: mean(tilt) > mean(battery_v)"], "deg and V do not go together"),
        (["input: window", "window: 1h", 'raise: last(open_state) == "ajar"'], "'ajar' is not one of closed, open"),
        (["input: window", "window: 1h", 'raise: alarmed("X-02")'], "there is no rule 'X-02'; did you mean 'X-01'?"),
        (["input: group", "window: 1h", "group: grid"], "input: group needs member"),
        (
            ["input: group", "window: 1h", "group: gird", "member: count() > 1"],
            "grouped by 'gird'; did you mean 'grid'?",
        ),
        (
            ["input: group", "window: 1h", "group: grid", "member: count() > 1"],
            "raise: 'tilt': a group knows no 'tilt'",
        ),
        (["input: job", "at: '21:30'", "group: road", "measure: lit"], "measure: unknown measure 'lit'"),
        (["input: silence", "raise: [{silent: 1h, when: tilt > 3}]"], "a silent device sends no tilt: ask for"),
        (["input: silence", "raise: [{silent: 1h, for: 3m}]"], "for: has no effect with input: silence; silent is the"),
        (["input: silence", "raise: [{silent: 1h}]", "clear_for: 3m"], "clear_for: has no effect with input: silence"),
    ],
)
def test_what_windows_groups_jobs_and_silence_cannot_be_is_refused(
    refused: Refused, lines: Sequence[str], problem: str
) -> None:
    (found,) = refused(changed(*lines))
    assert problem in found


def test_a_pack_that_a_kind_brings_along_is_named_with_the_kinds_folder(refused: Refused) -> None:
    assert refused(SOUND, rules="nothing")[0].endswith(
        "/rules.yaml: a pack is a list of rules, each starting with '- id:'"
    )


@pytest.mark.parametrize("key", ["name", "kind", "raise", "severity", "case", "source"])
def test_what_every_rule_needs_is_asked_for(refused: Refused, key: str) -> None:
    text = "\n".join(line for line in SOUND.splitlines() if not line.startswith(f"  {key}:"))
    assert refused(text) == [f"pack.yaml:1:3: X-01: Object missing required field `{key}`"]


def test_a_rule_without_an_id_is_found_by_its_line(refused: Refused) -> None:
    nameless = SOUND.replace("- id: X-01\n  name", "- name")
    assert refused(SOUND + nameless) == ["pack.yaml:8:3: rule: Object missing required field `id`"]


def test_an_id_stands_once_in_all_packs(refused: Refused) -> None:
    assert refused(SOUND, second=f"# A comment first.\n{SOUND}") == ["second.yaml:2:7: X-01: id: this id stands twice"]


WINDOW = ("input: window", "window: 1h")
GROUP = ("input: group", "window: 1h", "group: grid", "raise: hits > 1")


@pytest.mark.parametrize(
    ("packs", "problems"),
    [
        (
            {"X-01": (*WINDOW, 'raise: alarmed("X-01")')},
            ["x-01.yaml:4:19: X-01: raise: goes round in a ring: X-01 asks for X-01"],
        ),
        (
            {
                "X-01": (*WINDOW, 'raise: max(tilt) > 15 or alarmed("X-02")'),
                "X-02": (*GROUP, 'member: max(tilt) > 3 and alarmed("X-03")'),
                "X-03": (*WINDOW, "raise: max(tilt) > 1", 'severity: {default: minor, major: alarmed("X-01")}'),
            },
            [
                "x-01.yaml:4:37: X-01: raise: goes round in a ring: X-01 asks for X-02 asks for X-03 asks for X-01",
                "x-02.yaml:11:38: X-02: member: goes round in a ring: X-02 asks for X-03 asks for X-01 asks for X-02",
                (
                    "x-03.yaml:5:46: X-03: severity: major: goes round in a ring: "
                    "X-03 asks for X-01 asks for X-02 asks for X-03"
                ),
            ],
        ),
        (
            {"X-01": (*GROUP, "member: max(tilt) > 1", "covers: [X-01]")},
            ["x-01.yaml:12:12: X-01: covers 1: X-01 raises no alarms of single devices of the kind manhole"],
        ),
        (
            {"X-01": (*GROUP, "member: max(tilt) > 1", "covers: [X-02]"), "X-02": ("kind: noise", "raise: laeq > 60")},
            ["x-01.yaml:12:12: X-01: covers 1: X-02 raises no alarms of single devices of the kind manhole"],
        ),
    ],
)
def test_rules_that_ask_for_each_other_in_a_ring_or_cover_what_they_cannot_are_refused(
    refused: Refused, packs: Mapping[str, Sequence[str]], problems: Sequence[str]
) -> None:
    texts = {rule_id.lower(): changed(*lines).replace("id: X-01", f"id: {rule_id}") for rule_id, lines in packs.items()}
    assert refused("[]", **texts) == problems


def test_every_problem_in_every_pack_is_listed_at_once(refused: Refused) -> None:
    wrong = changed("raise: tlt > 15") + "\n" + changed("kind: manhol").replace("X-01", "X-02") + "\n"
    problems = refused(wrong + SOUND.replace("X-01", "X-03"), broken="- [", other=changed("severity: bad"))
    assert [problem.split(": ")[0] for problem in problems] == [
        "broken.yaml:1:4", "other.yaml:5:13", "pack.yaml:4:10", "pack.yaml:10:9",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "id: X-01\n", "- just words\n", "[1, 2]", "- id: X\n- ~\n"])
def test_a_pack_is_a_list_of_rules(refused: Refused, text: str) -> None:
    assert refused(text) == ["pack.yaml: a pack is a list of rules, each starting with '- id:'"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("- id: [", "1:8: not YAML: while parsing a flow node, did not find expected node content"),
        ("- id: X-01\n\tname: y", "2:1: not YAML: while scanning a plain scalar, found a tab character"),
        ("- id: X\x07", "1:8: not YAML: control characters are not allowed"),
        ("- id: X\n---\n- id: Y", "2:1: not YAML: expected a single document in the stream, but found another"),
    ],
)
def test_what_is_no_yaml_is_said_so_with_its_place(refused: Refused, text: str, problem: str) -> None:
    (found,) = refused(text)
    assert found.startswith(f"pack.yaml:{problem}")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (SOUND + "  kind: noise\n", "8:3: 'kind' stands twice"),
        (SOUND.replace("{en: tilted", "{en: a, en: tilted"), "2:17: 'en' stands twice"),
        (SOUND + "  1: 2\n", "8:3: a setting is called by a word"),
        (SOUND + "  <<: {for: 1m}\n", "8:3: a setting is called by a word"),
        (SOUND + "  ? [a, b]\n  : 1\n", "8:5: a setting is called by a word"),
        (
            SOUND + "  clear: &c tilt < 5\n" + SOUND + "  clear: *c\n",
            "16:10: *c repeats what stands elsewhere; write it out",
        ),
        ("- &a {id: *a}", "1:11: *a repeats what stands elsewhere; write it out"),
        (
            SOUND.replace("tilt > 15", "!!bool tilt"),
            "4:10: tag:yaml.org,2002:bool is a tag of YAML; write the value alone, in quotes where it is a word",
        ),
        (
            SOUND.replace("a test", "2026-02-30"),
            "7:11: '2026-02-30' is no value: day is out of range for month; write words in quotes",
        ),
        (SOUND + f"  covers: {'[' * 100_000}{']' * 100_000}", "8:29: nested too deeply"),
    ],
    ids=range(10),
)
def test_what_yaml_can_do_and_packs_do_not_need_is_refused(refused: Refused, text: str, problem: str) -> None:
    assert refused(text) == [f"pack.yaml:{problem}"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("raise: " + "-" * 4000 + "tilt > 1", "4:10: X-01: raise: nested too deeply"),
        ("raise: " + "not " * 1000 + "tilt > 1", "4:10: X-01: raise: nested too deeply"),
        ("raise: " + "tilt + " * 600 + "1 > 1", "4:10: X-01: raise: nested too deeply"),
        (
            "raise: " + "tilt > 1 or " * 10_000 + "tilt > 1",
            "4:10: X-01: raise: is longer than 5000 characters; make several conditions or rules of it",
        ),
        (f"for: {'9' * 400}d", f"8:8: X-01: for: '{'9' * 40}' is longer than a hundred years"),
        ("for: {or: 10m}", "8:3: X-01: for: say how many samples; a time alone is written 10m"),
        ("for: {}", "8:3: X-01: for: say how many samples; a time alone is written 10m"),
        (
            "clear_for: {samples: 2, within: 10m}",
            "8:3: X-01: clear_for: within belongs to for; an end is seen in a row, or for a time",
        ),
        ('id: "X\\x01"', "1:7: X\x01: id: give it letters, digits, - _ and . only, 32 at most"),
        ("id: ''", "1:7: : id: give it letters, digits, - _ and . only, 32 at most"),
    ],
    ids=range(10),
)
def test_what_would_cost_the_reader_dear_or_have_no_effect_is_refused(
    refused: Refused, line: str, problem: str
) -> None:
    assert refused(changed(line)) == [f"pack.yaml:{problem}"]


def test_another_encoding_than_utf8_is_said_so(refused: Refused) -> None:
    (problem,) = refused(SOUND.encode("gb18030"))
    assert re.fullmatch(r"pack\.yaml: byte 3\d: not UTF-8; save the file as UTF-8", problem)


def test_a_folder_without_packs_has_no_rules(kinds: Mapping[str, Kind], tmp_path: Path) -> None:
    assert load_packs(kinds, tmp_path) == []
