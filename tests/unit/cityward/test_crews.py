"""What a pretended crew does next: a table of cases as they stand."""

from datetime import UTC, datetime, timedelta

import pytest

from cases.lifecycle import State
from cityward.crews import Step, next_step
from storage.crew_list import CrewCase

NOON = datetime(2026, 11, 21, 4, tzinfo=UTC)
HOUR = timedelta(hours=1)


def case(state: State, *, safe_by: datetime | None = None, safe_at: datetime | None = None) -> CrewCase:
    """A case of which everything that its state says happened at noon."""
    return CrewCase(
        number="4201022026112100001", problem="cover_open", severity=4, state=state, open=True, unit="drainage",
        joint=[], opened_at=NOON, started_at=NOON, accept_by=NOON + HOUR, accepted_at=NOON, arrive_by=NOON + HOUR,
        arrived_at=NOON, safe_by=safe_by, safe_at=safe_at, fix_by=NOON + 4 * HOUR, done_at=None, rework=0,
        delay=None, pause="", incident=None, parent=None, district="east", device_id="d", kind="manhole", name="",
        road="", grid="", lon=None, lat=None, alarms=1, carried=0, version=1,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("standing", "repaired", "step"),
    [
        (case(State.DISPATCHED), False, Step.ACCEPT),
        (case(State.ACCEPTED), False, Step.ARRIVE),
        (case(State.ON_SITE, safe_by=NOON + HOUR), False, Step.MAKE_SAFE),
        (case(State.ON_SITE), False, Step.REPAIR),
        (case(State.MADE_SAFE, safe_by=NOON + HOUR, safe_at=NOON), False, Step.REPAIR),
        (case(State.MADE_SAFE, safe_by=NOON + HOUR, safe_at=NOON), True, Step.DONE),
        (case(State.VERIFYING), True, None),
        (case(State.SUSPENDED), False, None),
    ],
    ids=lambda value: value.state if isinstance(value, CrewCase) else str(value),
)
def test_a_crew_does_the_next_step_in_its_time_and_none_at_once(
    standing: CrewCase,
    repaired: bool,  # noqa: FBT001 - a column of the table
    step: Step | None,
) -> None:
    assert next_step(standing, NOON, repaired=repaired) is None
    assert next_step(standing, NOON + HOUR, repaired=repaired) is step
