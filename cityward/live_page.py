"""The demonstration's page in the terminal: how much, what is wrong, who must do what by when."""

from collections import deque
from collections.abc import Sequence
from datetime import timedelta

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from cases.words import Language, Section, say
from cityward.clock import Clock
from cityward.countdown import countdown
from storage.case_list import CaseRow
from storage.overview import Overview

_COLOURS = {4: "bold red", 3: "red", 2: "yellow", 1: "cyan"}
_RATE_OVER = 10  # pictures
_URGENT = timedelta(minutes=15)


class Page:
    """Draws one picture after the other; remembers only what it needs for the rate."""

    def __init__(self, clock: Clock, language: Language, broker: str, database: str) -> None:
        self._clock = clock
        self._language = language
        self._where = f"broker {broker}   database {database}"
        self._seen: deque[tuple[int, int]] = deque(maxlen=_RATE_OVER)

    def render(self, now: Overview, cases: Sequence[CaseRow], published: int) -> RenderableType:
        """The page for these totals and newest cases."""
        self._seen.append((self._clock.micros(), now.ledger.received))
        return Group(
            Panel(
                Group(self._head(now, published), Text(self._where, "dim")),
                title="Cityward",
                title_align="left",
            ),
            self._kinds(now),
            Text(),
            self._cases(cases),
        )

    def _head(self, now: Overview, published: int) -> Text:
        book = now.ledger
        text = Text(f"{self._clock.now():%Y-%m-%d %H:%M:%S} UTC, {self._clock.factor:g}x   ", "bold")
        text.append(f"{self._rate():.0f} messages/s\n", "green")
        text.append(
            f"published {published}   received {book.received} = {book.stored} stored + {book.duplicate} duplicate"
            f" + {book.quarantined} quarantined\n"
        )
        text.append("active alarms  ")
        for severity, colour in _COLOURS.items():
            word = say(Section.SEVERITIES, str(severity), self._language)
            text.append(f"{word} {now.active_by_severity.get(severity, 0)}  ", colour)
        told = now.notifications
        text.append(f"  notifications {told.get('delivered', 0)} delivered, {told.get('pending', 0)} on their way")
        return text

    def _rate(self) -> float:
        """Messages for each second on the wall, over the last pictures."""
        (then, before), (at, after) = self._seen[0], self._seen[-1]
        wall = (at - then) / 1e6 / self._clock.factor
        return (after - before) / wall if wall > 0 else 0.0

    def _kinds(self, now: Overview) -> Table:
        table = Table(box=None, pad_edge=False, header_style="dim")
        for heading in ("kind", "readings", "active alarms", "open cases"):
            table.add_column(heading, justify="left" if heading == "kind" else "right")
        for kind, each in now.by_kind.items():
            table.add_row(kind, str(each.readings), str(each.active_alarms), str(each.open_cases))
        return table

    def _cases(self, cases: Sequence[CaseRow]) -> Table:
        table = Table(box=None, pad_edge=False, header_style="dim", title="newest cases", title_justify="left")
        # What a narrow terminal shortens first is what the other columns already tell.
        for heading, least in (("case", 19), ("severity", 8), ("problem", 12), ("facility", 8), ("responsible", 12),
                               ("state", 10), ("left", 8)):  # fmt: skip
            table.add_column(heading, no_wrap=True, min_width=least)
        now = self._clock.now()
        for case in cases:
            left = Text(countdown(case.fix_by, now), "red" if case.fix_by - now < _URGENT else "")
            table.add_row(
                case.number,
                Text(say(Section.SEVERITIES, str(case.severity), self._language), _COLOURS[case.severity]),
                say(Section.PROBLEMS, case.problem, self._language),
                case.name,
                case.name_zh if self._language is Language.ZH else case.name_en,
                say(Section.STATES, case.state, self._language),
                left,
            )
        return table
