"""Which kind speaks which codec, and what its kind.toml may say of it."""

from pathlib import Path

import pytest

from devices.codecs import CODECS, codecs_of
from devices.errors import DescriptionError
from devices.kind import load_kind, load_kinds
from tests.unit.devices.gate_kind import HEAD

GATE = (
    HEAD
    + """[metrics.flow]
type = "real"
unit = "m3/s"
range = [0, 5]
doc = "Through it."
[metrics.shut]
type = "bool"
unit = ""
doc = "Nothing flows."
[attributes.mn]
type = "text"
doc = "Its name in HJ 212."
[attributes.minute_interval]
type = "number"
default = 1
doc = "Minutes."
[codecs.hj212.realtime]
flow = ["w00000-Rtd", "B01-Rtd"]
"""
)


def describe(folder: Path, text: str) -> Path:
    (folder / "gate").mkdir()
    (folder / "gate" / "kind.toml").write_text(text, encoding="utf-8")
    return folder / "gate"


def test_a_kind_speaks_the_codecs_of_which_it_has_a_table() -> None:
    spoken = {name: list(codecs_of(kind)) for name, kind in load_kinds().items()}
    assert spoken == {"bridge": [], "fume": ["hj212"], "manhole": [], "noise": ["hj212"], "streetlight": []}
    assert list(CODECS) == ["hj212"]


@pytest.mark.parametrize(
    ("said", "instead", "complaint"),
    [
        ('flow = ["w0', 'flaw = ["w0', "codecs.hj212.realtime: 'flaw' is not a metric of the kind"),
        ('"B01-Rtd"', '"w00000-Rtd"', "codecs.hj212.realtime: 'w00000-Rtd' stands for two metrics, or twice for one"),
        ('"B01-Rtd"]', '"B01-Rtd"]\nshut = ["B01-Rtd"]', "codecs.hj212.realtime: 'B01-Rtd' stands for two metrics"),
        ('["w00000-Rtd", "B01-Rtd"]', '"w00000-Rtd"', "Expected `array`, got `str`"),
        ("hj212.realtime", "hj213.realtime", "codecs.hj213: no such codec; there is hj212"),
        ("hj212.realtime", "hj212.second", "codecs.hj212.second: the tables are realtime, minute, hour, day"),
        ('flow = ["w0', 'shut = ["w0', "codecs.hj212.realtime: metric shut is not a real number"),
        ("attributes.mn]", "attributes.nm]", "codecs.hj212: the kind needs an attribute 'mn'"),
        ("attributes.minute_", "attributes.hour_", "codecs.hj212: the kind needs an attribute 'minute_interval'"),
    ],
)
def test_a_contradiction_names_its_file_and_key(tmp_path: Path, said: str, instead: str, complaint: str) -> None:
    assert GATE.count(said) == 1
    folder = describe(tmp_path, GATE.replace(said, instead))
    with pytest.raises(DescriptionError) as wrong:
        codecs_of(load_kind(folder))
    assert wrong.value.source == str(folder / "kind.toml")
    assert len(wrong.value.problems) == 1
    assert complaint in wrong.value.problems[0]


def test_a_kind_of_ones_own_speaks_a_codec_by_its_file_alone(tmp_path: Path) -> None:
    kind = load_kind(describe(tmp_path, GATE))
    assert kind.codecs["hj212"]["realtime"]["flow"] == ("w00000-Rtd", "B01-Rtd")
    assert list(codecs_of(kind)) == ["hj212"]
