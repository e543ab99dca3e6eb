"""What a cover learns when its case has closed."""

from datetime import timedelta

import msgspec
import pytest

from devices.kind import Kind
from devices.moments import micros
from devices.quality import Quality
from rules.verdicts import Change
from storage import device_memory, reading_writer
from storage.registry_store import import_devices, load_judged, load_registry
from tests.integration.desk import FRIDAY, Desk
from tests.integration.making import COVER_EAST, LAMP, device_of, readings

pytestmark = pytest.mark.each_server

MINUTE = timedelta(minutes=1)
DONE = FRIDAY + 60 * MINUTE
LATER = DONE + 30 * MINUTE


class Street:
    """A cover whose cases come and go."""

    def __init__(self, desk: Desk, kinds: dict[str, Kind]) -> None:
        self.desk, self.kinds = desk, kinds
        self._closed = 0

    def mend(self, rule: str = "MH-01", device: str = COVER_EAST) -> None:
        """An alarm, a case, a crew, an end."""
        at = DONE + self._closed * MINUTE
        self._closed += 1
        self.desk.alarm((rule, device), at=FRIDAY)
        self.desk.take_up()
        moves = self.desk.moves(at)
        number = self.desk.numbers()[-1]
        moves.accept(number)
        moves.arrive(number)
        moves.done(number, "set right")
        self.desk.alarm((rule, device), change=Change.CLEARED, at=at + MINUTE)
        self.desk.take_up(at + MINUTE)
        self.desk.hear(device, at + MINUTE)
        self.desk.ask(at + MINUTE)

    def reports(self, tilt: float | None, after: timedelta = 10 * MINUTE, quality: Quality = Quality.GOOD) -> None:
        number = self.desk.number(COVER_EAST)
        metrics = {"battery_v": 3.6} if tilt is None else {"tilt": tilt}
        row = {"device": number, "ts": micros(DONE + after), "quality": int(quality), **metrics}
        reading_writer.write(self.desk.connection, readings(self.kinds["manhole"], row))

    def learn(self) -> int:
        return device_memory.learn(self.desk.connection, self.kinds, LATER + self._closed * MINUTE)

    @property
    def baseline(self) -> object:
        """As the rules see it, and as the explanation of an alarm sees it."""
        connection = self.desk.connection
        known = load_registry(connection, self.kinds), load_judged(connection, self.kinds, COVER_EAST, "manhole", ())
        found, again = (each and each.attribute(device_of(each, COVER_EAST), "baseline_tilt") for each in known)
        assert found == again
        return found


@pytest.fixture
def street(desk: Desk, kinds: dict[str, Kind]) -> Street:
    return Street(desk, kinds)


def test_the_tilt_of_a_mended_cover_becomes_its_baseline_and_what_was_installed_stays_visible(street: Street) -> None:
    before = load_registry(street.desk.connection, street.kinds).revision
    street.mend()
    street.reports(2.5)
    assert street.learn() == 1
    assert street.baseline == 2.5
    assert load_registry(street.desk.connection, street.kinds).revision == before + 1
    (memory,) = device_memory.memories(street.desk.connection)
    assert (memory.device_id, memory.attribute, memory.installed, memory.measured, memory.state, memory.case) == (
        COVER_EAST, "baseline_tilt", None, 2.5, "in force", street.desk.only_number()
    )  # fmt: skip


def test_no_case_teaches_twice(street: Street) -> None:
    street.mend()
    street.reports(2.5)
    street.learn()
    street.reports(3.5, after=20 * MINUTE)
    assert street.learn() == 0
    assert street.baseline == 2.5


def test_the_next_case_teaches_anew(street: Street) -> None:
    street.mend()
    street.reports(2.5)
    street.learn()
    street.mend("MH-03")
    street.reports(1.5, after=20 * MINUTE)
    assert street.learn() == 1
    assert street.baseline == 1.5
    assert [memory.state for memory in device_memory.memories(street.desk.connection)] == ["in force", "replaced"]


def test_a_cover_that_has_not_spoken_of_its_tilt_since_the_work_is_waited_for(street: Street) -> None:
    street.reports(1, after=-90 * MINUTE)
    street.mend()
    assert street.learn() == 0
    street.reports(None)
    assert street.learn() == 0
    street.reports(2.5, after=15 * MINUTE)
    assert street.learn() == 1


def test_a_doubtful_reading_teaches_nothing(street: Street) -> None:
    street.mend()
    street.reports(2.5, quality=Quality.IMPLAUSIBLE)
    assert street.learn() == 0


def test_a_cover_that_rests_far_off_is_not_level_by_definition(street: Street) -> None:
    street.mend()
    street.reports(5.5)
    assert street.learn() == 0
    assert street.baseline == 0
    assert [memory.state for memory in device_memory.memories(street.desk.connection)] == ["too far off"]


def test_a_case_of_another_problem_teaches_nothing(street: Street) -> None:
    street.mend("MH-08")
    street.reports(2.5)
    assert street.learn() == 0
    assert device_memory.memories(street.desk.connection) == []


@pytest.mark.parametrize("said", [0.0, 4.0])
def test_what_a_person_says_later_counts_again(street: Street, said: float) -> None:
    street.mend()
    street.reports(2.5)
    street.learn()
    registry = load_registry(street.desk.connection, street.kinds)
    described = msgspec.structs.replace(device_of(registry, COVER_EAST), attributes={"baseline_tilt": said})
    import_devices(street.desk.connection, [described], "devices.csv", LATER)
    assert street.baseline == said
    assert [memory.state for memory in device_memory.memories(street.desk.connection)] == ["registry changed"]


def test_one_cover_is_asked_about_alone(street: Street) -> None:
    street.mend()
    street.reports(2.5)
    street.learn()
    assert device_memory.memories(street.desk.connection, LAMP) == []
    assert len(device_memory.memories(street.desk.connection, COVER_EAST)) == 1
