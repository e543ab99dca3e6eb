"""What crews do in the pretend city: a repair ends what is wrong, and a device that is asked reports."""

from datetime import UTC, datetime, timedelta

import msgspec

from devices.moments import MICROS
from simulators.city import build_city
from simulators.faults import HOUR, MINUTE, FaultKind, fault
from simulators.fleet import Fleet
from simulators.message import Message
from simulators.story import Story

CITY = build_city(seed=1, devices=120)
NOON = datetime(2026, 11, 21, 4, tzinfo=UTC)  # 12:00 in the city
START = round(NOON.timestamp()) * MICROS
OPENED = CITY.of_kind("manhole")[0]
STORY = Story(faults=(fault(FaultKind.COVER_OPENED, OPENED, START + MINUTE, START + 6 * HOUR),))


def told(messages: list[Message]) -> list[tuple[int, str]]:
    """Minutes from noon, and how the cover says that it lies."""
    mine = [msgspec.json.decode(each.payload) for each in messages if OPENED.device_id in each.topic]
    return [((each["ts"] * 1000 - START) // MINUTE, each["m"]["open_state"]) for each in mine]


def test_a_repaired_cover_says_that_it_is_closed_and_says_so_again_when_asked() -> None:
    fleet = Fleet(CITY, STORY, 1, slice_s=60)
    before = told([*fleet.messages(NOON, NOON + timedelta(minutes=30))])
    assert [state for _, state in before] == ["open"] * 3
    fleet.repair([OPENED.device_id])
    closed = told([*fleet.messages(NOON + timedelta(minutes=30), NOON + timedelta(minutes=60))])
    assert closed == [(30, "closed")]
    fleet.ask([OPENED.device_id])
    asked = told([*fleet.messages(NOON + timedelta(minutes=60), NOON + timedelta(minutes=90))])
    assert asked == [(60, "closed"), (61, "closed"), (62, "closed")]


def test_a_repair_of_one_is_no_repair_of_another() -> None:
    fleet = Fleet(CITY, STORY, 1, slice_s=60)
    [*fleet.messages(NOON, NOON + timedelta(minutes=30))]
    fleet.repair([CITY.of_kind("manhole")[1].device_id, "unknown"])
    after = told([*fleet.messages(NOON + timedelta(minutes=30), NOON + timedelta(hours=1))])
    assert "open" in {state for _, state in after}
