"""Pictures of life cycles. Each is a table of what an event makes of a state; its picture is made from the table."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import TypeVar

State = TypeVar("State", bound=StrEnum)
Event = TypeVar("Event", bound=StrEnum)


def diagram(
    table: Mapping[State, Mapping[Event, State]],
    begins: Iterable[str],
    ends: Iterable[State] = (),
    *,
    loops: bool = True,
) -> str:
    """A table as a Mermaid state diagram, with one arrow for all events that lead the same way.

    Args:
        table: What each event makes of each state.
        begins: Where a life begins, a state's name or ``name: why``.
        ends: Where it ends.
        loops: Whether what leaves a state where it is has an arrow.
    """
    lines = ["stateDiagram-v2", *(f"    [*] --> {each}" for each in begins)]
    for state, moves in table.items():
        events: dict[State, list[str]] = {}
        for event, target in moves.items():
            if loops or target is not state:
                events.setdefault(target, []).append(event)
        lines += [f"    {state} --> {target}: {', '.join(names)}" for target, names in events.items()]
    return "\n".join([*lines, *(f"    {state} --> [*]" for state in ends)])
