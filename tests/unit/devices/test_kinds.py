"""What a kind.toml may say, and what the five that come along do say."""

from datetime import timedelta
from pathlib import Path

import pytest

from devices.errors import DescriptionError
from devices.kind import Kind, MetricType, load_kind, load_kinds
from tests.unit.devices.gate_kind import HEAD, METRICS

KINDS = load_kinds()
GATE = (
    HEAD
    + METRICS
    + """[metrics.serial]
type = "text"
unit = ""
max_length = 8
doc = "Of the drive."
[limits.opening]
unit = "m"
value = 4
doc = "Wide open."
standard_ref = "project default"
[limits.flow]
unit = "m3/s"
by = "size"
values = { small = 1, large = 9.5 }
doc = "Flood."
standard_ref = "project default"
[attributes.size]
type = "enum"
values = ["small", "large"]
default = "small"
doc = "Of the canal."
"""
)


def describe(folder: Path, text: str, name: str = "gate") -> Path:
    (folder / name).mkdir(parents=True)
    (folder / name / "kind.toml").write_text(text, encoding="utf-8")
    return folder / name


def problems(folder: Path) -> list[str]:
    with pytest.raises(DescriptionError) as wrong:
        load_kind(folder)
    file = str(folder / "kind.toml")
    assert wrong.value.source == file
    assert all(line.startswith(f"{file}: ") for line in str(wrong.value).splitlines())
    return wrong.value.problems


def test_five_kinds_come_along() -> None:
    assert {name: kind.code for name, kind in KINDS.items()} == {
        "manhole": 1, "fume": 2, "noise": 3, "streetlight": 4, "bridge": 5,
    }  # fmt: skip


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_every_limit_says_where_its_number_stands(kind: Kind) -> None:
    assert kind.limits
    assert [limit.name for limit in kind.limits.values() if not limit.standard_ref.strip()] == []


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_every_kind_has_a_name_in_both_languages_and_a_readme(kind: Kind) -> None:
    assert all(kind.names[language] for language in ("en", "zh"))
    assert (Path(__file__).parents[3] / "devices" / "kinds" / kind.name / "README.md").is_file()


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_every_plausible_range_runs_upwards_and_every_default_is_allowed(kind: Kind) -> None:
    for metric in kind.metrics:
        assert metric.range is None or metric.range[0] < metric.range[1], metric.name
    for attribute in kind.attributes.values():
        assert attribute.default is None or not attribute.values or attribute.default in attribute.values
        if attribute.range is not None and attribute.default is not None:
            assert attribute.range[0] <= float(attribute.default) <= attribute.range[1], attribute.name


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_a_limit_by_attribute_has_numbers_for_words_of_it_only(kind: Kind) -> None:
    for limit in kind.limits.values():
        words = kind.attributes[limit.by].values if limit.by else ()
        assert set(limit.values) <= set(words), limit.name


def test_where_a_local_standard_sets_no_limit_there_is_none() -> None:
    limits = KINDS["fume"].limits
    assert [limits[name].resolve({"local_standard": "beijing"}) for name in ("fume", "pm", "nmhc")] == [1, 5, 10]
    assert [limits[name].resolve({"local_standard": "national"}) for name in ("fume", "pm", "nmhc")] == [2, None, None]


def test_noise_limits_follow_the_zone() -> None:
    night = KINDS["noise"].limits["night"]
    zones = ("0", "1", "2", "3", "4a", "4b")
    assert [night.resolve({"noise_zone": zone}) for zone in zones] == [40, 45, 50, 55, 55, 60]
    assert night.resolve({"noise_zone": "5"}) is None
    assert night.resolve({}) is None


def test_a_limit_with_one_value_asks_for_no_attribute() -> None:
    assert KINDS["manhole"].limits["tilt"].resolve({"noise_zone": "1"}) == 15


def test_a_kind_is_read_from_its_file(tmp_path: Path) -> None:
    kind = load_kind(describe(tmp_path, GATE))
    assert (kind.interval, kind.heartbeat) == (timedelta(minutes=1), timedelta(minutes=10))
    assert list(kind.position.items()) == [("opening", 0), ("state", 1), ("serial", 2)]
    assert kind.metric("state").values == ("shut", "open")
    assert [metric.is_number for metric in kind.metrics] == [True, False, False]
    assert kind.metric("opening").type is MetricType.REAL
    assert kind.limits["flow"].resolve({"size": "large"}) == 9.5
    assert kind.attributes["size"].default == "small"
    with pytest.raises(KeyError):
        kind.metric("closing")


@pytest.mark.parametrize(
    ("said", "instead", "complaint"),
    [
        ('kind = "gate"', 'kind = "lock"', "kind is 'lock', but its folder is 'gate'"),
        ('values = ["shut", "open"]', "", "metric state: an enum, and only an enum, lists its values"),
        ("range = [0, 5]", 'range = [0, 5]\nvalues = ["a"]', "metric opening: an enum, and only an enum, lists"),
        ("max_length = 8", "", "metric serial: a text, and only a text, has a max_length"),
        ("range = [0, 5]", "range = [0, 5]\nmax_length = 8", "metric opening: a text, and only a text, has"),
        ("range = [0, 5]", "", "metric opening: a number needs its plausible range"),
        ("range = [0, 5]", "range = [5, 0]", "metric opening: range goes from the least to the most, not from 5 to 0"),
        (
            "range = [0, 5]",
            "range = [0, 5]\ntypical = [3, 1]",
            "metric opening: typical goes from the least to the most",
        ),
        ("value = 4", "", "limit opening: give either value, or by and values"),
        ("value = 4", 'value = 4\nby = "size"', "limit opening: give either value, or by and values"),
        ("value = 4", "value = 4\nvalues = { small = 1 }", "limit opening: give either value, or by and values"),
        ('by = "size"', "", "limit flow: give either value, or by and values"),
        ('by = "size"', 'by = "size"\nvalue = 4', "limit flow: give either value, or by and values"),
        ('by = "size"', 'by = "width"', "limit flow: by names the attribute 'width', which the kind does not have"),
        ("range = [0, 5]", "range = [0, 5]\nlive = true", "frozen_after_s: give it where metrics are live"),
        ("interval_s = 60", "interval_s = 60\nfrozen_after_s = 600", "frozen_after_s: give it where metrics are live"),
        ("[metrics.serial]", "[metrics.serial-no]", "metric 'serial-no': a name is a lower-case letter, then"),
        ("[metrics.serial]", "[metrics.class]", "metric 'class': a name is a lower-case letter, then"),
        ("[metrics.serial]", "[metrics.seq]", "metric seq: every reading has something of this name already"),
        (
            'type = "enum"\nvalues = ["small", "large"]\ndefault = "small"',
            'type = "time"\ndefault = "9am"',
            "attribute size: its default '9am' is no time of day; write HH:MM",
        ),
        (
            'type = "enum"\nvalues = ["small", "large"]\ndefault = "small"',
            'type = "hours"\ndefault = "09:00"',
            "attribute size: its default '09:00' is no span; write HH:MM-HH:MM",
        ),
        (
            'default = "small"',
            'default = "small"\nlearnt = { metric = "opening", after = ["gate_open"], within = 5 }',
            "attribute size: only a number is learnt, from a metric of the kind that is a number",
        ),
    ],
)
def test_a_contradiction_names_its_file_and_key(tmp_path: Path, said: str, instead: str, complaint: str) -> None:
    assert GATE.count(said) == 1
    [problem] = problems(describe(tmp_path, GATE.replace(said, instead)))
    assert problem.startswith(complaint)


@pytest.mark.parametrize(
    ("said", "instead", "key"),
    [
        ("code = 9", 'code = "9"', "$.code"),
        ("code = 9", "", "code"),
        ("code = 9", "code = 9\ncolour = 3", "colour"),
        ('type = "real"', 'type = "float"', "at `$.type`; possible are real, double,"),
        ("range = [0, 5]", "range = [0, 5, 9]", "metric opening: "),
        ("range = [0, 5]", "ranges = [0, 5]", "metric opening: "),
        ("value = 4", 'value = "4"', "limit opening: "),
        ('doc = "Of the canal."', "", "attribute size: "),
        ("interval_s = 60", "interval_s = inf", "interval_s"),
        ("interval_s = 60", "interval_s = nan", "interval_s"),
        ("heartbeat_s = 600", "heartbeat_s = 0", "heartbeat_s"),
        ("value = 4", "value = ", "line 26"),
    ],
)
def test_what_does_not_fit_the_shape_names_its_file_and_key(tmp_path: Path, said: str, instead: str, key: str) -> None:
    assert GATE.count(said) == 1
    [problem] = problems(describe(tmp_path, GATE.replace(said, instead)))
    assert key in problem


def test_a_kind_without_metrics_measures_nothing(tmp_path: Path) -> None:
    text = GATE.partition("[metrics.opening]")[0] + "[metrics]\n"
    assert problems(describe(tmp_path, text)) == [
        "metrics: a kind measures something; describe at least one [metrics.<name>]"
    ]


def test_only_a_number_is_live(tmp_path: Path) -> None:
    text = GATE.replace("interval_s = 60", "interval_s = 60\nfrozen_after_s = 600")
    text = text.replace('values = ["shut", "open"]', 'values = ["shut", "open"]\nlive = true')
    assert problems(describe(tmp_path, text)) == ["metric state: only a number is live"]
    text = text.replace("range = [0, 5]", "range = [0, 5]\nlive = true").replace('"open"]\nlive = true', '"open"]')
    (tmp_path / "gate" / "kind.toml").write_text(text, encoding="utf-8")
    assert load_kind(tmp_path / "gate").frozen_after == timedelta(minutes=10)


def test_all_contradictions_are_listed_at_once(tmp_path: Path) -> None:
    text = GATE.replace("range = [0, 5]", "").replace("max_length = 8", "").replace("value = 4", "")
    named = [problem.partition(":")[0] for problem in problems(describe(tmp_path, text))]
    assert named == ["metric opening", "metric serial", "limit opening"]


def test_a_file_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    folder = describe(tmp_path, GATE)
    (folder / "kind.toml").write_bytes(GATE.replace("水闸", "城市").encode("gb18030"))
    [problem] = problems(folder)
    assert "utf-8" in problem


def test_a_folder_without_a_description_is_named(tmp_path: Path) -> None:
    assert "No such file" in problems(tmp_path)[0]


def test_two_kinds_cannot_share_a_code(tmp_path: Path) -> None:
    describe(tmp_path, GATE)
    describe(tmp_path, GATE.replace('"gate"', '"lock"'), "lock")
    with pytest.raises(DescriptionError, match="two kinds share a code") as wrong:
        load_kinds(tmp_path)
    assert str(tmp_path) in wrong.value.source
    assert all(kind in str(wrong.value) for kind in ("gate", "lock"))


def test_two_folders_cannot_hold_the_same_kind(tmp_path: Path) -> None:
    describe(tmp_path / "ours", GATE)
    describe(tmp_path / "theirs", GATE.replace("code = 9", "code = 10"))
    with pytest.raises(DescriptionError, match="two kinds share"):
        load_kinds(tmp_path / "ours", tmp_path / "theirs")


def test_kinds_of_several_folders_come_together(tmp_path: Path) -> None:
    describe(tmp_path / "ours", GATE)
    describe(tmp_path / "theirs", GATE.replace('"gate"', '"lock"').replace("code = 9", "code = 10"), "lock")
    assert list(load_kinds(tmp_path / "ours", tmp_path / "theirs")) == ["gate", "lock"]


def test_kinds_are_the_folders_that_hold_a_description(tmp_path: Path) -> None:
    describe(tmp_path, GATE)
    (tmp_path / "notes").mkdir()
    assert list(load_kinds(tmp_path)) == ["gate"]
