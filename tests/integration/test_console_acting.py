"""What visitors do to cases and alarms: who may, once for each key, on record; on a real database."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from psycopg import Connection

from cases.words import Language
from console import acting, deciding
from console.access import Role
from console.context import Context
from console.errors import BadInput, Conflict, ConsoleError, Missing, NotAllowed, Stale
from console.identity import Visitor
from console.moves import AlarmMove, CaseMove
from storage import console_trail
from storage.case_list import case_file
from tests.fix_console import Time
from tests.integration.desk import Desk
from tests.integration.making import COVER_EAST, LAMP, rows

MINUTE = timedelta(minutes=1)


def visitor(role: Role, unit: str = "") -> Visitor:
    return Visitor(str(role), f"{role} one", role, unit, Language.EN, "10.0.0.7", None)


CREW = visitor(Role.CREW, "drainage")
OPERATOR = visitor(Role.OPERATOR)
SUPERVISOR = visitor(Role.SUPERVISOR)


@pytest.fixture
def number(desk: Desk, time: Time) -> str:
    """A case of an open cover, the drainage company's."""
    desk.alarm(("MH-01", COVER_EAST), at=time.at)
    desk.take_up(time.at)
    return desk.only_number()


def move(context: Context, who: Visitor, number: str, what: CaseMove, **more: Any) -> dict[str, Any]:
    given = {name: more.pop(name) for name in [*more] if name not in {"key", "happened", "seen"}}
    return acting.move_case(context, who, number, what, given, **more)


def history(connection: Connection, number: str) -> list[tuple[str, str]]:
    file = case_file(connection, number)
    assert file is not None
    return [(line["event"], line["actor"]) for line in file.history]


def test_a_crew_works_its_own_case_to_the_check(
    context: Context, connection: Connection, number: str, time: Time
) -> None:
    states = [
        move(context, CREW, number, CaseMove.ACCEPT)["state"],
        move(context, CREW, number, CaseMove.ARRIVE)["state"],
        move(context, CREW, number, CaseMove.MAKE_SAFE, reason="barrier")["state"],
        move(context, CREW, number, CaseMove.DONE, result="new cover", found="other")["state"],
    ]
    assert states == ["accepted", "on_site", "made_safe", "verifying"]
    assert ("finish", "crew one") in history(connection, number)
    trail = console_trail.read(connection, since=time.at, target=number)
    assert [line.action for line in trail] == ["case.accept", "case.arrive", "case.make_safe", "case.done"]
    assert (trail[-1].address, trail[-1].detail) == ("10.0.0.7", {"result": "new cover", "found": "other"})


def test_a_crew_does_not_touch_the_case_of_another_unit(context: Context, connection: Connection, number: str) -> None:
    before = history(connection, number)
    with pytest.raises(NotAllowed, match="another unit's"):
        move(context, visitor(Role.CREW, "lighting"), number, CaseMove.ACCEPT)
    assert history(connection, number) == before


@pytest.mark.parametrize(
    ("who", "what", "said"),
    [
        (visitor(Role.VIEWER), CaseMove.ACCEPT, {}),
        (CREW, CaseMove.ASSIGN, {"unit": "lighting", "reason": "x"}),
        (OPERATOR, CaseMove.CANCEL, {"reason": "x"}),
        (visitor(Role.HOTLINE), CaseMove.FILE, {}),
    ],
    ids=str,
)
def test_the_table_of_roles_is_asked(
    context: Context, number: str, who: Visitor, what: CaseMove, said: dict[str, str]
) -> None:
    with pytest.raises(NotAllowed, match=f"As {who.role} "):
        move(context, who, number, what, **said)


def test_the_same_key_does_it_once_and_answers_the_same(context: Context, connection: Connection, number: str) -> None:
    key = uuid4()
    first = move(context, CREW, number, CaseMove.ACCEPT, key=key)
    move(context, CREW, number, CaseMove.ARRIVE)
    assert move(context, CREW, number, CaseMove.ACCEPT, key=key) == first
    assert [event for event, _ in history(connection, number)].count("accept") == 1
    with pytest.raises(BadInput, match="used for something else"):
        move(context, CREW, number, CaseMove.ARRIVE, key=key)


def test_a_refused_move_may_be_sent_again_with_its_key(context: Context, number: str) -> None:
    key = uuid4()
    with pytest.raises(Conflict, match="dispatched: this is not possible now"):
        move(context, CREW, number, CaseMove.ARRIVE, key=key)
    move(context, CREW, number, CaseMove.ACCEPT)
    assert move(context, CREW, number, CaseMove.ARRIVE, key=key)["state"] == "on_site"


def test_what_has_changed_meanwhile_is_not_moved(context: Context, number: str) -> None:
    seen = move(context, CREW, number, CaseMove.ACCEPT)["version"]
    move(context, OPERATOR, number, CaseMove.ASSIGN, unit="lighting", reason="theirs")
    with pytest.raises(Stale):
        move(context, SUPERVISOR, number, CaseMove.CANCEL, reason="x", seen=seen)


def test_a_button_pressed_without_a_network_counts_from_then(
    context: Context, connection: Connection, number: str, time: Time
) -> None:
    pressed = time.at + 5 * MINUTE
    time.at += 45 * MINUTE
    move(context, CREW, number, CaseMove.ACCEPT, happened=pressed)
    assert rows(connection, "SELECT accepted_at FROM dispatch_case") == [(pressed,)]
    with pytest.raises(BadInput, match="future"):
        move(context, CREW, number, CaseMove.ARRIVE, happened=time.at + 11 * MINUTE)
    with pytest.raises(BadInput, match="before the last move"):
        move(context, CREW, number, CaseMove.ARRIVE, happened=pressed - 11 * MINUTE)
    move(context, CREW, number, CaseMove.ARRIVE, happened=pressed - MINUTE)  # a clock that is a little slow
    assert rows(connection, "SELECT arrived_at FROM dispatch_case") == [(pressed,)]


@pytest.mark.parametrize(
    ("what", "said", "words"),
    [
        (CaseMove.ASSIGN, {"unit": "lighting"}, "Why is required"),
        (CaseMove.ASSIGN, {"unit": "mars", "reason": "x"}, "no such unit"),
        (CaseMove.ACCEPT, {"photo": "x.jpg"}, "photo does not belong"),
        (CaseMove.ACCEPT, {"reason": "x" * 2001}, "Why has more than 2000 characters"),
        (CaseMove.REQUEST_DELAY, {"more": "soon", "reason": "x"}, "no allowance"),
        (CaseMove.DONE, {"result": "x", "found": "gold"}, "gold is not one of"),
        (CaseMove.SUSPEND, {"pause": "tea"}, "not among the reasons for a pause"),
        (CaseMove.MERGE, {"members": ["4201022026112199999"], "reason": "x"}, "no case 4201022026112199999"),
    ],
)
def test_what_is_missing_or_wrong_is_named(
    context: Context, number: str, what: CaseMove, said: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConsoleError, match=words):
        move(context, SUPERVISOR, number, what, **said)


def test_a_refusal_names_what_whoever_asks_can_do_instead(context: Context, number: str) -> None:
    move(context, CREW, number, CaseMove.ACCEPT)
    with pytest.raises(Conflict, match=r"Possible: Arrived, Return, Ask for more time\."):
        move(context, CREW, number, CaseMove.ACCEPT)
    move(context, OPERATOR, number, CaseMove.SUSPEND, pause=next(iter(context.city.policy.pauses)))
    with pytest.raises(Conflict, match="suspended: there is nothing for you to do"):
        move(context, CREW, number, CaseMove.ARRIVE)
    move(context, OPERATOR, number, CaseMove.RESUME)
    move(context, SUPERVISOR, number, CaseMove.CANCEL, reason="a test")
    with pytest.raises(Conflict, match="nothing can be done any more"):
        move(context, SUPERVISOR, number, CaseMove.ACCEPT)


def test_a_case_that_is_not_there_is_missing(context: Context) -> None:
    with pytest.raises(Missing):
        move(context, OPERATOR, "4201022026112199999", CaseMove.ACCEPT)


def test_alarms_are_moved_together_or_not_at_all(
    context: Context, connection: Connection, desk: Desk, number: str, time: Time
) -> None:
    desk.alarm(("SL-01", LAMP), at=time.at)
    ids = [alarm for (alarm,) in rows(connection, "SELECT id FROM alarm ORDER BY id")]
    assert len(ids) == 2, number
    acting.move_alarms(context, OPERATOR, ids[:1], AlarmMove.ACKNOWLEDGE, {})
    with pytest.raises(Conflict, match="is acknowledged: this is not possible"):
        acting.move_alarms(context, OPERATOR, ids, AlarmMove.ACKNOWLEDGE, {})
    acting.move_alarms(context, OPERATOR, ids, AlarmMove.SHELVE, {"span": "1h", "reason": "works"})
    assert rows(connection, "SELECT acknowledged, hushed FROM alarm ORDER BY id") == [(True, True), (False, True)]
    with pytest.raises(BadInput, match="at most"):
        acting.move_alarms(context, OPERATOR, ids, AlarmMove.SHELVE, {"span": "9d", "reason": "x"})
    with pytest.raises(Missing):
        acting.move_alarms(context, OPERATOR, [999], AlarmMove.UNSHELVE, {})


def test_permits_are_granted_and_revoked_by_who_judges(context: Context, time: Time) -> None:
    def grant(who: Visitor, start: datetime | None = None) -> dict[str, Any]:
        return deciding.grant_permit(
            context, who, kind="maintenance", target=COVER_EAST, start=start, span="4h", holder="crew 7", reason="x"
        )

    with pytest.raises(NotAllowed):
        grant(OPERATOR)
    granted = grant(SUPERVISOR)
    assert granted["devices"] == 1
    with pytest.raises(BadInput, match="is over already"):
        grant(SUPERVISOR, time.at - timedelta(days=1))
    deciding.revoke_permit(context, SUPERVISOR, granted["permit"], "rain")
    with pytest.raises(Missing, match="no permit"):
        deciding.revoke_permit(context, SUPERVISOR, granted["permit"], "rain")
