"""What windows that have closed come to: for each device, or for groups of devices together. Pure."""

from dataclasses import replace

import numpy as np

from devices.groups import GROUP
from devices.readings import Floats, Ints
from devices.registry import Membership
from rules.frame import Contents, Frame
from rules.judging import judge
from rules.remembering import Memory
from rules.rule import Input, Rule, Severity
from rules.spells import NONE, Spells
from rules.truth import Bools
from rules.verdicts import Change, RuleCrash, Transition, Verdicts
from rules.windows import blank

MOST_NAMED = 200  # hit members that the detail of a group's alarm names


def close(rule: Rule, frame: Frame, memory: Memory, *, alarms: Spells = NONE) -> Verdicts:
    """What a rule about windows or groups finds in windows that have closed; a crash benches it.

    Args:
        rule: A rule whose input is a window or a group.
        frame: The windows, from ``frame_of``; of a group all members or none.
        memory: What the rule remembers, by number of device or group.
        alarms: When alarms of the rules were active that its conditions ask for.
    """
    verdicts = Verdicts()
    try:
        frame = completed(rule, frame, alarms)
        if rule.input is Input.GROUP:
            _judge_groups(rule, frame, memory, verdicts)
        else:
            judge(rule, frame, memory, verdicts)
    except Exception as error:  # noqa: BLE001 - whatever a rule does, the others go on
        return Verdicts(crashes=[RuleCrash(rule.id, f"{type(error).__name__}: {error}")])
    return verdicts


def dissolved(rule: Rule, memory: Memory, members: Membership, at: int) -> Verdicts:
    """What ends with groups to which no device belongs any more: nobody would ever say that their alarm is over.

    Args:
        rule: A rule about groups.
        memory: What it remembers, by number of the group.
        members: Who belongs to which group now.
        at: µs since 1970 UTC.
    """
    verdicts = Verdicts()
    for group in sorted(memory.states.keys() - set(members.group.tolist())):
        state, because = memory.states[group], {"because": "no device belongs to the group any more"}
        verdicts.states[rule.id, group] = None
        if state.active:
            severity = Severity(state.severity)
            ended = Transition(Change.CLEARED, rule.id, rule.version, group, severity, at, because)
            verdicts.transitions.append(ended)
    return verdicts


def completed(rule: Rule, frame: Frame, alarms: Spells) -> Frame:
    """Windows with what the rule asks of them beside readings: which count, and alarms of others."""
    contents = frame.contents
    if contents is None:
        raise TypeError("windows have contents")
    only = rule.only.truth(contents.frame).true if rule.only is not None else None
    return replace(frame, contents=replace(contents, only=only, alarms=alarms))


def _judge_groups(rule: Rule, frame: Frame, memory: Memory, verdicts: Verdicts) -> None:
    contents = frame.contents
    if rule.member is None or contents is None or not len(frame):
        return
    membership = frame.registry.membership(rule.kind, rule.group)
    truth = rule.member.truth(frame)
    ends, window = np.unique(contents.end, return_inverse=True)
    hit, known = (
        _by_member(membership, frame.readings.device, window, len(ends), rows)
        for rows in (truth.true, truth.true | truth.false)
    )
    seen = _by_member(membership, frame.readings.device, window, len(ends), np.ones(len(frame), dtype=bool))
    groups, place = np.unique(membership.group, return_inverse=True)
    size = np.bincount(place, minlength=len(groups))
    starts = np.cumsum(size) - size

    def total(of: Bools) -> Ints:
        return np.add.reduceat(of, starts, axis=0, dtype=np.int64) if len(groups) else of.astype(np.int64)

    hits, knowns = total(hit), total(known)
    group, at = np.nonzero(total(seen))
    with np.errstate(invalid="ignore", divide="ignore"):
        share = hits / knowns
    figures = {"hits": hits, "known": knowns, "share": share, "run": _runs(hit, starts),
               "members": np.broadcast_to(size[:, np.newaxis], hits.shape)}  # fmt: skip
    rows = blank(GROUP, groups[group], _middles(contents)[at])
    for name, figure in figures.items():
        rows.values[:, GROUP.position[name]] = figure[group, at]

    def named(row: int, _change: Change) -> dict[str, list[str]]:
        of_group = slice(starts[group[row]], starts[group[row]] + size[group[row]])
        numbers = membership.device[of_group][hit[of_group, at[row]]]
        return {"members": [frame.registry.devices[number].device_id for number in numbers[:MOST_NAMED].tolist()]}

    judge(rule, replace(frame, readings=rows, contents=None, ends=ends[at]), memory, verdicts, named)


def _by_member(membership: Membership, device: Ints, window: Ints, windows: int, rows: Bools) -> Bools:
    """For each member and window whether a row that counts is there."""
    found = np.zeros((len(membership.device), windows), dtype=bool)
    order = np.argsort(membership.device)
    place = np.searchsorted(membership.device, device, sorter=order)
    mine = place < len(order)
    member = order[np.where(mine, place, 0)] if len(order) else place
    mine &= membership.device[member] == device if len(order) else False
    found[member[mine & rows], window[mine & rows]] = True
    return found


def _runs(hit: Bools, starts: Ints) -> Floats:
    """The longest unbroken row of hits in each group and window."""
    run = np.zeros(hit.shape[1], dtype=np.int64)
    longest = np.zeros((len(starts), hit.shape[1]), dtype=np.float64)
    begins = set(starts.tolist())
    group = -1
    for member, hits in enumerate(hit):
        if member in begins:
            group, run = group + 1, np.zeros_like(run)
        run = np.where(hits, run + 1, 0)
        longest[group] = np.maximum(longest[group], run)
    return longest


def _middles(contents: Contents) -> Ints:
    ends, first = np.unique(contents.end, return_index=True)
    return ends - (contents.end - contents.start)[first] // 2
