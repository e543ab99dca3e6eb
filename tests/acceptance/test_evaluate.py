"""``cityward evaluate``, whole: a bad evening on a bad network is noticed, nobody comes in vain, the books balance."""

import json
from pathlib import Path

from tests.fix_processes import Command

# What the demonstration breaks, over lines on which messages are lost, late, twice and spoilt.
EVENING = """
title = "An evening on a bad network"
doc = "As demo, with more of what every city puts up with."
days = 0.06
begins = "21:50"
include = ["nuisances", "demo"]
"""


def test_what_breaks_on_a_bad_network_is_noticed_and_nobody_is_sent_for_nothing(
    own_process: Command, tmp_path: Path
) -> None:
    (tmp_path / "evening.toml").write_text(EVENING, encoding="utf-8")
    ran = own_process("evaluate", "evening.toml", "--devices", "100", "--json")
    said = json.loads(ran.out.splitlines()[-1])
    assert ran.code == 0, (ran.err, said)
    assert said["recall"] >= 0.99
    assert said["false_dispatches_per_1000_device_days"] <= 1
    assert {"MH-01", "FU-01", "FU-08", "NO-04", "SL-02", "SL-06", "BR-04"} <= said["rules"].keys()
    ledger = said["ledger"]
    assert ledger["received"] == said["published"] == ledger["stored"] + ledger["duplicate"] + ledger["quarantined"]
    assert min(ledger.values()) > 0
    assert said["cases"] > 20


def test_a_scenario_that_is_not_there_is_refused_in_a_line(command: Command) -> None:
    refused = command("evaluate", "flod")
    assert refused.code == 1
    assert "no scenario 'flod'; there are blackout, cloudburst" in " ".join(refused.err.split())


def test_a_database_that_holds_something_is_left_alone_and_no_folder_stays(
    own_process: Command, dsn: str, tmp_path: Path
) -> None:
    (tmp_path / "own").mkdir()
    refused = own_process("evaluate", "demo", "--dsn", dsn, TMPDIR=str(tmp_path / "own"))
    assert refused.code == 1
    assert not [*(tmp_path / "own").glob("cityward-evaluate-*")]
    assert "this database is not empty" in " ".join(refused.err.split())
