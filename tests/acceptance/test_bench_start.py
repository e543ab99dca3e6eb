"""The bench of a start, with a small city: it runs to its end and says what it is asked for."""

import json

import pytest

from tests.fix_processes import Command

pytestmark = pytest.mark.usefixtures("mosquitto_installed")


def test_a_collector_and_a_dispatcher_start_with_a_whole_city(own_process: Command) -> None:
    ended = own_process("bench", "load", "--devices", "500", "--json")
    assert ended.code == 0, ended.err
    found = json.loads(ended.out.splitlines()[-1])
    assert (found["passed"], found["devices"], found["rule_states"], found["first_heard"]) == (True, 500, 5, 400)
    assert min(found[name] for name in ("collector_start_s", "collector_peak_mib", "dispatcher_peak_mib")) > 0
    assert "registering 500 devices" in ended.err
