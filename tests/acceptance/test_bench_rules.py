"""cityward bench rules: every message is a reading that was judged, and the last line is for programs."""

import json

from tests.fix_processes import Command


def test_all_readings_of_a_small_city_are_judged_and_counted(own_process: Command) -> None:
    ended = own_process("bench", "rules", "--messages", "2000", "--devices", "200", "--json")
    assert ended.code == 0, ended.err
    found = json.loads(ended.out.splitlines()[-1])
    assert found["readings"] == 2000
    assert 0 < sum(each["rules"] for each in found["by_kind"].values()) <= found["rules"]
    assert found["inline_us_per_message"].keys() == {"decode", "copy", "rules"}
    assert 0 < found["inline_share"] < 1
