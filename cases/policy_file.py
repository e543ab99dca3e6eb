"""A city's way of dispatching, as city.toml writes it: ``[dispatch]``, ``[pauses]``, ``[joint]``, ``[[contracts]]``."""

from collections.abc import Collection, Iterator, Mapping
from datetime import date, timedelta
from typing import Annotated, TypeVar

import msgspec

from cases.clocks import Allowance
from cases.people import Manners
from cases.pieces import Pieces
from cases.policy import Colour, Contract, Pause, Policy

_STANDARD = Policy()
_SEVERITIES = {"critical": 4, "major": 3, "minor": 2, "notice": 1}
_Key = TypeVar("_Key", int, Colour)
_Count = Annotated[int, msgspec.Meta(ge=0)]


class _Dispatch(msgspec.Struct, forbid_unknown_fields=True):
    arbiter: str = ""
    ownerless_classes: list[str] = []
    public_notice: str = ""
    settle_s: _Count | None = None
    incident_minutes: _Count | None = None
    regression_days: _Count | None = None
    observe: str = ""
    photo_holds: str = ""
    accept: dict[str, str] = {}
    reply: dict[str, str] = {}
    points: dict[str, int] = {}


class _Pause(msgspec.Struct, forbid_unknown_fields=True):
    name: dict[str, str]
    at_most: str = ""


class _Contract(msgspec.Struct, forbid_unknown_fields=True):
    unit: str
    owner: str
    begins: date
    ends: date
    classes: list[str] = []
    districts: list[str] = []


def read_policy(pieces: Pieces) -> Policy:
    """The policy that a city file describes; what is wrong is noted in ``pieces``."""
    raw = pieces.piece("dispatch", _Dispatch, required=False) or _Dispatch()
    pauses = pieces.table("pauses", _Pause, required=False)
    return Policy(
        arbiter=raw.arbiter,
        ownerless_classes=frozenset(raw.ownerless_classes),
        public_notice=pieces.allowance("dispatch.public_notice", raw.public_notice) or _STANDARD.public_notice,
        settle=_span(raw.settle_s, timedelta(seconds=1), _STANDARD.settle),
        incident_within=_span(raw.incident_minutes, timedelta(minutes=1), _STANDARD.incident_within),
        regression_within=_span(raw.regression_days, timedelta(days=1), _STANDARD.regression_within),
        observe=pieces.allowance("dispatch.observe", raw.observe) or _STANDARD.observe,
        photo_holds=pieces.allowance("dispatch.photo_holds", raw.photo_holds) or _STANDARD.photo_holds,
        accept={**_STANDARD.accept, **_named(pieces, "dispatch.accept", raw.accept, _SEVERITIES)},
        reply={**_STANDARD.reply, **_named(pieces, "dispatch.reply", raw.reply, _colours())},
        points={**_STANDARD.points, **_points(pieces, raw.points)},
        pauses=_pauses(pieces, pauses) or _STANDARD.pauses,
        joint={problem: tuple(units) for problem, units in pieces.table("joint", list[str], required=False).items()},
        contracts=tuple(_contracts(pieces)),
    )


class _Notify(msgspec.Struct, forbid_unknown_fields=True):
    settle_s: _Count | None = None
    per_minute: Annotated[int, msgspec.Meta(ge=1)] = Manners().per_minute
    repeat_minutes: _Count | None = None


def read_manners(pieces: Pieces) -> Manners:
    """How people of a city are told; what is wrong is noted in ``pieces``."""
    raw, standard = pieces.piece("notify", _Notify, required=False) or _Notify(), Manners()
    return Manners(
        settle=_span(raw.settle_s, timedelta(seconds=1), standard.settle),
        per_minute=raw.per_minute,
        repeat_after=_span(raw.repeat_minutes, timedelta(minutes=1), standard.repeat_after),
    )


def unknown_units(policy: Policy, units: Collection[str]) -> Iterator[str]:
    """A problem for each unit that the policy names and the file does not have."""
    if policy.arbiter and policy.arbiter not in units:
        yield f"dispatch.arbiter: the unit {policy.arbiter!r} is not among [units]"
    for problem, jointly in policy.joint.items():
        yield from (f"joint.{problem}: the unit {unit!r} is not among [units]" for unit in jointly if unit not in units)
    for contract in policy.contracts:
        for unit in (contract.unit, contract.owner):
            if unit not in units:
                yield f"contracts: the unit {unit!r} is not among [units]"


def _colours() -> dict[str, Colour]:
    return {colour.name.lower(): colour for colour in Colour if colour}


def _span(count: int | None, unit: timedelta, standard: timedelta) -> timedelta:
    return standard if count is None else count * unit


def _named(pieces: Pieces, where: str, texts: dict[str, str], known: Mapping[str, _Key]) -> dict[_Key, Allowance]:
    named = {}
    for name, text in texts.items():
        if name not in known:
            pieces.problems.append(f"{where}.{name}: unknown; write {', '.join(known)}")
        elif allowance := pieces.allowance(f"{where}.{name}", text):
            named[known[name]] = allowance
    return named


def _points(pieces: Pieces, points: dict[str, int]) -> dict[Colour, int]:
    known = _colours()
    pieces.problems += [
        f"dispatch.points.{name}: unknown; write {', '.join(known)}" for name in points if name not in known
    ]
    return {known[name]: count for name, count in points.items() if name in known}


def _pauses(pieces: Pieces, raw: dict[str, _Pause]) -> dict[str, Pause]:
    pieces.problems += [
        f"pauses.{key}.name: give it in en and zh" for key, pause in raw.items() if {"en", "zh"} - pause.name.keys()
    ]
    return {
        key: Pause(pause.name, pieces.allowance(f"pauses.{key}.at_most", pause.at_most)) for key, pause in raw.items()
    }


def _contracts(pieces: Pieces) -> Iterator[Contract]:
    for raw in pieces.piece("contracts", list[_Contract], required=False) or ():
        if raw.ends < raw.begins:
            pieces.problems.append(f"contracts: that of {raw.unit} ends on {raw.ends}, before it begins")
        yield Contract(raw.unit, raw.owner, raw.begins, raw.ends, frozenset(raw.classes), frozenset(raw.districts))
