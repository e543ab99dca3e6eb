"""The table of what visitors can do."""

import pytest

from alarms.lifecycle import State as AlarmState
from cases.lifecycle import State
from cases.words import Language
from console.access import Action, Role
from console.acting import Said
from console.moves import ALARM_MOVES, CASE_MOVES, AlarmMove, CaseMove, possible, possible_of_alarm
from console.words import word


@pytest.mark.parametrize("language", Language)
def test_every_move_field_role_and_action_has_its_words(language: Language) -> None:
    fields = {name for plan in (*CASE_MOVES.values(), *ALARM_MOVES.values()) for name in plan.required + plan.optional}
    keys = [
        *(f"move.{each}" for each in CaseMove),
        *(f"alarm_move.{each}" for each in AlarmMove),
        *(f"field.{name}" for name in fields),
        *(f"role.{each}" for each in Role),
        *(f"action.{each}" for each in Action),
    ]
    assert all(word(key, language) for key in keys)


def test_every_field_can_be_said() -> None:
    for plan in (*CASE_MOVES.values(), *ALARM_MOVES.values()):
        for name in plan.required + plan.optional:
            assert name in Said.__slots__, name


def test_what_is_offered_follows_the_life_of_the_case_and_the_role() -> None:
    offered = possible(Role.CREW, State.DISPATCHED, delay_pending=False)
    assert offered == [CaseMove.ACCEPT, CaseMove.RETURN]
    waiting = possible(Role.SUPERVISOR, State.ON_SITE, delay_pending=True)
    assert {CaseMove.GRANT_DELAY, CaseMove.REFUSE_DELAY} <= {*waiting}
    assert CaseMove.REQUEST_DELAY not in waiting
    assert CaseMove.CONFIRM not in possible(Role.SUPERVISOR, State.VERIFYING, delay_pending=False)
    assert possible(Role.VIEWER, State.DISPATCHED, delay_pending=False) == []
    assert possible(Role.SUPERVISOR, State.CLOSED, delay_pending=False) == []


def test_what_is_offered_of_an_alarm_follows_its_state() -> None:
    assert possible_of_alarm(Role.OPERATOR, AlarmState.UNACKNOWLEDGED) == [AlarmMove.ACKNOWLEDGE, AlarmMove.SHELVE]
    assert AlarmMove.UNSHELVE in possible_of_alarm(Role.OPERATOR, AlarmState.SHELVED)
    assert possible_of_alarm(Role.CREW, AlarmState.UNACKNOWLEDGED) == []
