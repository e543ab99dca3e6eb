"""Delays in event time: how long a condition has been seen to hold, and across which gaps that still counts.

Only observed time counts. A gap longer than the rule's ``max_gap`` interrupts the observation: what the device did
in it is unknown, and unknown is neither wrong nor right.
"""

import msgspec

from rules.rule import Hold


class Observation(msgspec.Struct, frozen=True, omit_defaults=True):
    """A condition that holds and is being watched; times in microseconds since 1970 UTC.

    ``hits`` are the times of the latest samples, kept only for holds of n samples within a window.
    """

    since: int
    last: int
    samples: int
    hits: tuple[int, ...] = ()


def observe(seen: Observation | None, at: int, hold: Hold, max_gap: int) -> Observation:
    """The observation after the condition was true at ``at``."""
    if hold.within:
        hits = (*(hit for hit in (seen.hits if seen else ()) if at - hit <= hold.within), at)
        return Observation(hits[0], at, len(hits), hits[-hold.samples :])
    if seen is None or at - seen.last > max_gap:
        return Observation(at, at, 1)
    return Observation(seen.since, at, seen.samples + 1)


def interrupted(seen: Observation | None, at: int, hold: Hold) -> Observation | None:
    """The observation after the condition was false at ``at``: only a window survives that."""
    # A rule whose pack was changed may have remembered no hits.
    if seen is None or not hold.within or not seen.hits or at - seen.hits[-1] > hold.within:
        return None
    return seen


def met(seen: Observation, hold: Hold) -> bool:
    """Whether the hold is fulfilled."""
    if hold.immediate:
        return True
    if hold.samples and seen.samples >= hold.samples:
        return True
    return bool(hold.duration) and seen.last - seen.since >= hold.duration
