"""What the pretend city breaks, the shipped rules notice in time; what only looks broken, they leave alone."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import groupby

import pytest

from cityward.trial.evaluating import Raised, Score, evaluate
from devices.device import Device
from devices.moments import MICROS
from devices.registry import Registry
from ingest.decoding import Decoder
from ingest.marking import Marking
from ingest.messages import Batch, Message
from rules.engine import Engine
from rules.local_time import LocalTime
from rules.packs import load_packs
from rules.rule import Input
from rules.verdicts import Change
from simulators.city import PretendCity, build_city
from simulators.faults import MINUTE, FaultKind
from simulators.fleet import Fleet
from simulators.labels import truth
from simulators.physics.daytime import LOCAL
from simulators.scenario import load_scenario
from simulators.story import Story
from simulators.telling import tell

CITY = build_city(seed=2, devices=300)
EVENING = datetime(2026, 11, 21, 21, 50, tzinfo=LOCAL)
MORNING = datetime(2026, 11, 17, 6, tzinfo=LOCAL)
FIELDS = ("device_id", "kind", "name", "district", "lon", "lat", "road_class", "limits", "attributes")


def judged(city: PretendCity, story: Story, since: datetime, lasting: timedelta) -> Score:
    """The score of all shipped rules about readings, as a collector would judge them."""
    numbered = enumerate(city.devices, start=1)
    devices = [Device(id=n, **{field: getattr(each, field) for field in FIELDS}) for n, each in numbered]
    registry = Registry(city.kinds, devices)
    rules = [rule for rule in load_packs(city.kinds) if rule.input is Input.READING]
    decoder, marking = Decoder(registry), Marking(city.kinds.values())
    engine = Engine(rules, registry, LocalTime(LOCAL))
    alarms: list[Raised] = []
    messages = Fleet(city, story, 1).messages(since, since + lasting)
    for span, sent in groupby(messages, key=lambda message: message.at // (10 * MINUTE)):
        batch = Batch([Message(each.topic, each.payload) for each in sent], (span + 1) * 10 * MINUTE)
        marked = [marking.mark(readings) for readings in decoder.decode(batch).readings]
        verdicts = engine.step(marked)
        assert not verdicts.crashes
        engine.apply(verdicts)
        for readings in marked:
            marking.advance(readings)
        alarms += [
            Raised(each.rule_id, registry.devices[each.device].device_id, datetime.fromtimestamp(each.at / MICROS, UTC))
            for each in verdicts.transitions
            if each.change is Change.RAISED
        ]
    watched = len(city.devices) * lasting / timedelta(days=1)
    names = [rule.id for rule in rules]
    return evaluate(truth(story, CITY, 1).labels, alarms, rules=names, device_days=watched, until=since + lasting)


def told(name: str, start: datetime, *, only: Sequence[FaultKind] = ()) -> Story:
    story = tell(load_scenario(name, tuple(CITY.kinds)), CITY, start, 1)
    faults = tuple(each for each in story.faults if not only or each.kind in only)
    return Story(faults, story.rains, story.gales, story.crowds, story.permits, story.lines)


def test_in_the_demonstrations_evening_everything_is_noticed_in_time_and_nothing_else() -> None:
    score = judged(CITY, told("demo", EVENING), EVENING, timedelta(hours=2.25))
    assert score.missed == ()
    assert score.recall == 1
    assert score.false == ()
    noticed = {rule for rule, each in score.rules.items() if each.expected}
    assert noticed >= {"MH-01", "MH-02", "MH-05", "MH-08", "FU-03", "NO-03", "SL-01", "SL-04"}
    assert noticed >= {"BR-01", "BR-04", "BR-06"}


def test_on_a_quiet_day_with_all_its_nuisances_nobody_is_sent() -> None:
    score = judged(CITY, told("quiet_week", MORNING), MORNING, timedelta(hours=20))
    assert score.false == ()


def test_a_cloudburst_fills_wells_which_are_noticed() -> None:
    story = told("cloudburst", MORNING, only=[FaultKind.OVERFLOW, FaultKind.TRUCK_SHOCKS])
    wells = PretendCity(tuple(CITY.of_kind("manhole")), CITY.kinds)
    filled = [each for each in truth(story, CITY, 1).labels if each.kind == "high_water"]
    assert len(filled) >= 3
    score = judged(wells, story, MORNING, timedelta(hours=18))
    assert score.rules["MH-05"].recall == 1
    assert score.rules["MH-05"].precision == 1


@pytest.mark.parametrize(
    ("fault", "rule", "lamps"),
    [(FaultKind.DAY_BURNER, "SL-03", 8), (FaultKind.WORN_LAMP, "SL-05", 2), (FaultKind.FLICKERING_LAMP, "SL-06", 2)],
)
def test_a_lamp_in_trouble_is_noticed_and_its_neighbours_are_not(fault: FaultKind, rule: str, lamps: int) -> None:
    street = PretendCity(tuple(CITY.of_kind("streetlight")), CITY.kinds)
    permitted = told("sensor_swap_and_maintenance_week", MORNING, only=[fault])
    story = Story(tuple(replace(each, under_permit=False) for each in permitted.faults))  # it is noticed all the same
    since = datetime.fromtimestamp(min(each.start for each in story.faults) / MICROS, UTC) - timedelta(hours=1)
    score = judged(street, story, since, timedelta(hours=5))
    if rule in score.rules:
        assert score.rules[rule].in_time >= min(lamps, score.rules[rule].expected)
        assert score.rules[rule].recall == 1
    assert score.false == ()


def test_the_truth_knows_what_was_permitted() -> None:
    story = told("sensor_swap_and_maintenance_week", MORNING)
    written = truth(story, CITY, 1)
    permitted = [each for each in written.labels if each.under_permit]
    assert len(permitted) == len(written.permits) > 0
    assert {each.kind for each in permitted} == {"cover_opened", "day_burner"}
    assert not any(each.expects for each in permitted)
    assert {"MH-01", "SL-03"} <= {rule for each in permitted for rule in each.allows}
