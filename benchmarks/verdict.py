"""Comparing what was published with what is written. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from benchmarks.load import STRANGER, FaultyCity, Happening
from storage.audit import Books, Run, Told

Flags = NDArray[np.bool_]  # by device and sequence number, from 0 and from 1
Gap = tuple[str, int, int]  # device id, first and last missing sequence number
_SHOWN = 20  # of a long list


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of everything that was published.

    ``published``, ``stored``, ``quarantined`` and ``missing`` count (device, sequence number), each once; ``doubled``
    counts rows that should not be. What arrived, duplicates and all, is in ``received``, ``duplicate`` and
    ``quarantined_again``. ``alarms`` counts how often one was raised. ``missing_by_gaps`` is seen in the database,
    ``missing_by_publisher`` is what the broker has acknowledged and the database does not have.
    """

    published: int
    stored: int
    quarantined: int
    missing: int
    doubled: int
    received: int
    duplicate: int
    quarantined_again: int
    alarms: int
    alarms_expected: int
    cases: int
    cases_expected: int
    notified: int
    missing_by_gaps: list[Gap]
    missing_by_publisher: list[Gap]
    problems: list[str] = field(default_factory=list)


def judge(city: FaultyCity, acknowledged: Sequence[int], books: Books, *, may_miss: bool) -> Verdict:
    """Compare.

    Args:
        city: What was published, in whole rounds of all devices.
        acknowledged: 1 for each message that the broker has acknowledged, by its number.
        books: What is written.
        may_miss: Whether the broker was killed: then both lists of what is missing must be the same, not empty.
    """
    sent = np.array(acknowledged, dtype=bool).reshape(-1, city.devices).T
    place = {name: number for number, name in enumerate(city.names)}
    stored, quarantined = _flags(books.stored, place, sent.shape), _flags(books.quarantined, place, sent.shape)
    lost = sent & ~stored & ~quarantined
    by_gaps = _gaps(chain(books.stored, books.quarantined), city.names)
    by_publisher = [
        (name, first, last) for name, row in zip(city.names, lost, strict=True) for first, last in _spans(row)
    ]
    doubled = _doubled(books.stored)
    happened = [Happening(*line) for line in books.alarms]
    expected = [
        line
        for device in range(1, city.devices)
        for line in city.history(device, (np.flatnonzero(stored[device]) + 1).tolist())
    ]
    raised = [each.device_id for each in expected if each.event == "raised"]
    problems = [
        *_about_readings(sent, stored, quarantined, doubled, books),
        *_about_losses(by_gaps, by_publisher, may_miss=may_miss),
        *_about_alarms(expected, happened),
        *_about_cases(sorted(set(raised)), books.cases),
    ]
    return Verdict(
        published=sent.size,
        stored=int(stored.sum()),
        quarantined=int(quarantined.sum()),
        missing=int(lost.sum()),
        doubled=sum(doubled.values()),
        received=books.ledger.received,
        duplicate=books.ledger.duplicate,
        quarantined_again=books.ledger.quarantined - int(quarantined.sum()),
        alarms=sum(each.event == "raised" for each in happened),
        alarms_expected=len(raised),
        cases=len(books.cases),
        cases_expected=len(set(raised)),
        notified=sum(case.arrived for case in books.cases),
        missing_by_gaps=by_gaps,
        missing_by_publisher=by_publisher,
        problems=problems,
    )


def _flags(runs: Iterable[Run], place: Mapping[str, int], shape: tuple[int, ...]) -> Flags:
    flags = np.zeros(shape, dtype=bool)
    for run in runs:
        flags[place[run.device_id], run.first - 1 : run.last] = True
    return flags


def _gaps(runs: Iterable[Run], names: Sequence[str]) -> list[Gap]:
    """What is missing before each run: from 1 on, or from the run before it; devices in the order of ``names``."""
    next_expected = dict.fromkeys(names, 1)
    gaps: dict[str, list[Gap]] = {name: [] for name in names}
    for run in sorted(runs, key=lambda run: run.first):
        if run.first > next_expected[run.device_id]:
            gaps[run.device_id].append((run.device_id, next_expected[run.device_id], run.first - 1))
        next_expected[run.device_id] = max(next_expected[run.device_id], run.last + 1)
    return [gap for name in names for gap in gaps[name]]


def _spans(row: Flags) -> list[tuple[int, int]]:
    """First and last sequence number of each stretch that is set."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], row, [False])).astype(np.int8)))
    return [(int(first) + 1, int(end)) for first, end in zip(edges[::2], edges[1::2], strict=True)]


def _doubled(runs: Iterable[Run]) -> Counter[str]:
    """Rows too many, by device."""
    doubled: Counter[str] = Counter()
    for run in runs:
        doubled[run.device_id] += run.times - (run.last - run.first + 1)
    return +doubled


def _about_readings(
    sent: Flags, stored: Flags, quarantined: Flags, doubled: Counter[str], books: Books
) -> Iterable[str]:
    if not sent.all():
        yield f"{sent.size - int(sent.sum())} messages were never acknowledged"
    for device, surplus in doubled.items():
        yield f"{device}: {surplus} readings are there twice"
    if (stored & quarantined).any() or quarantined[1:].any() or stored[0].any():
        yield f"only what {STRANGER} sends belongs into quarantine"
    if books.rows != int(stored.sum()) + doubled.total():
        yield f"the tables hold {books.rows} readings, {int(stored.sum())} of them as published"
    if books.ledger.stored != books.rows:
        yield f"the ledger says {books.ledger.stored} stored, the tables hold {books.rows}"
    if books.ledger.quarantined != books.quarantine:
        yield f"the ledger says {books.ledger.quarantined} quarantined, the quarantine holds {books.quarantine}"


def _about_losses(by_gaps: list[Gap], by_publisher: list[Gap], *, may_miss: bool) -> Iterable[str]:
    if by_gaps != by_publisher:
        yield f"sequence gaps {by_gaps[:_SHOWN]} are not what was acknowledged and is missing {by_publisher[:_SHOWN]}"
    if by_publisher and not may_miss:
        yield f"missing: {by_publisher[:_SHOWN]}"


def _about_alarms(expected: list[Happening], happened: list[Happening]) -> Iterable[str]:
    wanted, found = Counter(expected), Counter(happened)
    for line in wanted - found:
        yield f"no alarm: {line}"
    for line, times in (found - wanted).items():
        yield f"an alarm that should not be, or {times} times too often: {line}"


def _about_cases(raised: list[str], cases: Sequence[Told]) -> Iterable[str]:
    filed = sorted(case.device_id for case in cases)
    if filed != raised:
        yield f"cases of {filed}, alarms of {raised}"
    for case in cases:
        if (case.sent, case.arrived) != (1, 1):
            yield f"the case of {case.device_id} ({case.problem}) was sent {case.sent} times, {case.arrived} arrived"
