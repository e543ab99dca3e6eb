"""Who may do what: one table, asked by every route."""

from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    """What somebody is at the console."""

    VIEWER = "viewer"
    CREW = "crew"  # of one unit: sees and works that unit's cases only
    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"  # a supervisor who also looks after people
    HOTLINE = "hotline"  # another system that hands on what citizens report


class Action(StrEnum):
    """What a route does."""

    LOOK = "look"  # at everything that the centre sees
    LOOK_OWN = "look_own"  # at the cases of one's unit
    WORK = "work"  # accept, arrive, make safe, report done, return: the unit's side of a case
    DISPATCH = "dispatch"  # assign, join, split, suspend; acknowledge and shelve alarms
    JUDGE = "judge"  # grant delays, decide checks, cancel, answer sheets
    REPORT = "report"  # hand on what citizens report
    MANAGE = "manage"  # see who may sign in and what everybody did; shut people out


_OPERATOR = frozenset({Action.LOOK, Action.LOOK_OWN, Action.WORK, Action.DISPATCH, Action.REPORT})
_SUPERVISOR = _OPERATOR | {Action.JUDGE}
MAY: Mapping[Role, frozenset[Action]] = {
    Role.VIEWER: frozenset({Action.LOOK, Action.LOOK_OWN}),
    Role.CREW: frozenset({Action.LOOK_OWN, Action.WORK}),
    Role.OPERATOR: _OPERATOR,
    Role.SUPERVISOR: _SUPERVISOR,
    Role.ADMIN: _SUPERVISOR | {Action.MANAGE},
    Role.HOTLINE: frozenset({Action.REPORT}),
}
