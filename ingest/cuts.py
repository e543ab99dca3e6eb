"""Whether a partition may be collected after partitions were cut anew. Pure.

A session at the broker keeps every topic it was ever given, with what is queued for it. MQTT can take a topic back
(UNSUBSCRIBE), but then a broker may drop what is queued under it (MQTT 3.1.1 §3.10.4, MQTT 5 §3.10.4). So a partition
keeps its topics for life, and what is cut anew gets new names: their sessions are filled beside the old ones until
those are worked off. A device is judged by one collector at any time, and what it sent is lost in none.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from devices.errors import Permanent, Retryable
from devices.moments import MICROS, moment
from devices.topics import overlap


@dataclass(frozen=True, slots=True)
class Kept:
    """A partition's session at the broker.

    Attributes:
        topics: All topic filters that it was ever asked for, as in the settings.
        since: What was sent later is kept for it, µs since 1970 UTC; None until the broker has granted the topics.
        reached: What was sent to it before is stored, µs since 1970 UTC; None if it was never collected.
    """

    topics: Sequence[str]
    since: int | None = None
    reached: int | None = None


class KeptNameError(Permanent):
    """A partition of the settings has other topics than its session at the broker, and needs another name."""


class NotItsTurnError(Retryable):
    """Another partition has topics of this one, or what was sent to them before."""


def contradictions(partitions: Mapping[str, Sequence[str]], sessions: Mapping[str, Kept]) -> Iterator[str]:
    """What is wrong with partitions that kept their names and lost topics, or got some that another one had."""
    advice = "give it a name that no partition had, then run cityward partitions prepare"
    for name, topics in partitions.items():
        if name not in sessions:
            continue
        had = sessions[name].topics
        if lost := [topic for topic in had if topic not in topics]:
            yield f"partition {name} had {', '.join(lost)}, and the broker goes on sending it to its session: {advice}"
        gained = [topic for topic in topics if topic not in had]
        for other, theirs in sessions.items():
            if other != name and (taken := _shared(gained, theirs.topics)):
                yield f"partition {name} is to have {', '.join(taken)}, which went to {other}: {advice}"


def check_names(partitions: Mapping[str, Sequence[str]], sessions: Mapping[str, Kept]) -> None:
    """Whether the partitions of the settings can have their sessions at the broker.

    Raises:
        KeptNameError: if a partition kept its name and lost topics, or got some that another partition had.
    """
    if problems := [*contradictions(partitions, sessions)]:
        raise KeptNameError("\n".join(problems))


def check_turn(
    partitions: Mapping[str, Sequence[str]], name: str, sessions: Mapping[str, Kept], collected: Collection[str]
) -> None:
    """Whether a partition may be collected now.

    Args:
        partitions: The topic filters of the partitions of the settings.
        name: One of them.
        sessions: What the broker keeps.
        collected: The partitions that somebody collects.

    Raises:
        KeptNameError: if there is a partition in the settings that needs another name.
        NotItsTurnError: as long as another partition, of other settings, has topics of this one and is collected, or
            what was sent to them before the broker kept it for this one.
    """
    check_names(partitions, sessions)
    since = sessions[name].since if name in sessions else None
    for other, theirs in sessions.items():
        topics = ", ".join(_shared(partitions[name], theirs.topics))
        if other in partitions or not topics:
            continue
        older = theirs.since is not None and (since is None or max(theirs.since, theirs.reached or 0) < since)
        when = "" if since is None else f"{moment(since + MICROS):%Y-%m-%d %H:%M:%S} UTC"  # whole seconds, not before
        give_up = f"or give up what the broker keeps for {other}: cityward partitions forget {other}"
        if older and not when:
            raise NotItsTurnError(
                f"{topics} goes to partition {other} until now: while that is collected with the old settings, run "
                f"cityward partitions prepare with the new ones; {give_up}"
            )
        if other in collected:
            until = f" once it is worked off until {when}" if older else ""
            raise NotItsTurnError(f"{topics} goes to partition {other}, which is collected: end its collector{until}")
        if older:
            raise NotItsTurnError(
                f"partition {other} still has what was sent to {topics} before {when}: collect it with the old "
                f"settings until cityward status says that it is worked off; {give_up}"
            )


def _shared(mine: Sequence[str], theirs: Sequence[str]) -> list[str]:
    """Those of some topic filters of which others have some topic too."""
    return [one for one in mine if any(overlap(one, other) for other in theirs)]
