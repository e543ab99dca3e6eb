"""Which metrics must move, and how long they may stand still."""

import re
import shutil
from pathlib import Path

import pytest

from devices.errors import DescriptionError
from devices.kind import KINDS_FOLDER, load_kind, load_kinds

KINDS = load_kinds()


def edited(folder: Path, name: str, old: str, new: str) -> Path:
    """A copy of an installed kind with an edit."""
    shutil.copytree(KINDS_FOLDER / name, folder / name)
    file = folder / name / "kind.toml"
    text, count = re.subn(old, new, file.read_text(encoding="utf-8"), count=1, flags=re.MULTILINE)
    assert count
    file.write_text(text, encoding="utf-8")
    return folder / name


def test_what_runs_on_mains_and_measures_all_the_time_may_freeze() -> None:
    minutes = {name: kind.frozen_after.total_seconds() / 60 for name, kind in KINDS.items() if kind.frozen_after}
    assert minutes == {"noise": 30, "fume": 240, "bridge": 360}


def test_a_standstill_is_judged_by_several_readings() -> None:
    assert [kind.name for kind in KINDS.values() if kind.frozen_after and kind.frozen_after < 3 * kind.heartbeat] == []


@pytest.mark.parametrize(
    ("name", "old", "new", "complaint"),
    [
        ("noise", r"^frozen_after_s.*\n", "", "frozen_after_s: give it where metrics are live, and only there"),
        (
            "manhole",
            r"^heartbeat_s",
            "frozen_after_s = 60\nheartbeat_s",
            "frozen_after_s: give it where metrics are live, and only there",
        ),
        ("fume", r"^\[metrics\.fan_on\]\n", "[metrics.fan_on]\nlive = true\n", "metric fan_on: only a number is live"),
        ("noise", r"^frozen_after_s = \d+", "frozen_after_s = 0", "Expected `float` > 0.0 - at `$.frozen_after_s`"),
    ],
)
def test_a_contradiction_about_standing_still_is_named(
    tmp_path: Path, name: str, old: str, new: str, complaint: str
) -> None:
    with pytest.raises(DescriptionError) as wrong:
        load_kind(edited(tmp_path, name, old, new))
    assert wrong.value.problems == [complaint]
