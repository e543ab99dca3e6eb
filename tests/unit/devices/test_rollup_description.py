from pathlib import Path

import pytest

from devices.errors import DescriptionError
from devices.kind import load_kind
from tests.unit.devices.gate_kind import HEAD, METRICS

GATE = HEAD + METRICS


def problems(folder: Path, rollup: str) -> str:
    (folder / "gate").mkdir()
    (folder / "gate" / "kind.toml").write_text(GATE + rollup, encoding="utf-8")
    with pytest.raises(DescriptionError) as refused:
        load_kind(folder / "gate")
    return str(refused.value)


@pytest.mark.parametrize(
    ("rollup", "said"),
    [
        ('[rollup]\nskip = ["openning"]', "rollup.skip: 'openning' is not a number that the kind measures"),
        ('[rollup]\ncounters = ["state"]', "rollup.counters: 'state' is not a number"),
        ('[rollup]\nskip = ["opening"]\ncounters = ["opening"]', "'opening' stands in more than one of"),
        ('[rollup.measures.x]\ndoc = "X."', "rollup.measures.x: give one of sum, count, minutes and classes"),
        ('[rollup.measures.x]\ndoc = "X."\ncount = true', "rollup.measures.x: say when it counts"),
        ('[rollup.measures.x]\ndoc = "X."\nminutes = 7\nwhen = "event"', "7 does not divide a quarter of an hour"),
        ('[rollup.measures.x]\ndoc = "X."\nclasses = "state"', "rollup.measures.x.classes: 'state' is not a number"),
        ('[rollup.measures."X y"]\ndoc = "X."\nsum = "opening"', "a measure's name is a column's"),
        ('[rollup.measures.x]\ndoc = "X."\nclasses = "opening"\nwidth = 0', "width"),
        ("[rollup]\nhourly = true", "hourly"),
    ],
)
def test_a_wrong_rollup_section_is_refused_with_its_key(tmp_path: Path, rollup: str, said: str) -> None:
    assert said in problems(tmp_path, rollup)
