"""The bench of the console: Ctrl-C while it fills its database ends it."""

import signal
from pathlib import Path

from tests.fix_processes import Starter


def test_ctrl_c_while_a_database_is_filled_ends_at_once_and_leaves_nothing(
    start_without_broker: Starter, open_folder: Path
) -> None:
    folder = open_folder / "stopped"
    folder.mkdir(mode=0o711)
    bench = start_without_broker("bench", "console", "--cases", "1000000", TMPDIR=str(folder))
    bench.says("opening 1000000 cases")
    bench.kill(signal.SIGINT)
    assert bench.log().splitlines()[-1] == "cityward: stopped by Ctrl-C"
    assert not [*folder.glob("cityward-bench-*")]
