"""The bench of the boards, with a small city on plain PostgreSQL: every query of every board is asked."""

import json

from cases.words import Language
from grafana.pushing import committed
from tests.fix_processes import Command


def test_every_panel_of_every_board_is_measured_on_a_city_that_was_filled_for_it(own_process: Command) -> None:
    ended = own_process("bench", "dashboards", "--days", "1", "--devices", "100", "--rounds", "1", "--json")
    assert ended.code == 0, ended.err
    found = json.loads(ended.out.splitlines()[-1])
    assert (found["devices"], found["rounds"], found["days"]) == (100, 1, 1)
    measured = {(panel["board"], panel["panel"]) for panel in found["panels"]}
    for board in committed(Language.EN):
        name = board["uid"].split("-")[1]
        titles = {panel["title"] for panel in board["panels"] if panel["type"] != "row"}
        assert titles <= {panel.removesuffix(" (noise)") for of_board, panel in measured if of_board == name}, name
    empty = {panel["panel"] for panel in found["panels"] if not panel["rows"] and panel["board"] != "device"}
    assert empty <= RARE


# What a hundred devices may not have: an alarm on a bridge, a sensor that feels it shake, a scale, a gauge of wind.
RARE = {"Alarms", "Vibration by the hour, rms", "Vehicles by the hour", "Heaviest vehicles", "Strongest wind"}


def test_measuring_again_needs_the_database_that_was_filled(command: Command) -> None:
    ended = command("bench", "dashboards", "--again")
    assert ended.code == 1
    assert "--database" in ended.err
