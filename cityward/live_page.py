"""The demonstration's page in the terminal: how much, what is wrong, who must do what by when."""

from collections import deque
from collections.abc import Mapping, Sequence
from datetime import timedelta

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from cases.countdown import countdown
from cases.words import Language, Section, say
from cityward.clock import Clock
from devices.kind import Kind
from storage.case_list import CaseRow
from storage.overview import Overview

_COLOURS = {4: "bold red", 3: "red", 2: "yellow", 1: "cyan"}
_COLUMNS = (
    ("case", 19, 19),
    ("severity", 8, 8),
    ("problem", 12, 26),
    ("facility", 8, 40),
    ("responsible", 12, 26),
    ("state", 10, 13),
    ("left", 9, 9),
)
_FATES = ("stored", "duplicate", "quarantined")
_RATE_OVER = 10  # pictures
_URGENT = timedelta(minutes=15)


class Page:
    """Draws one picture after the other; remembers only what it needs for the rate."""

    def __init__(
        self, clock: Clock, language: Language, kinds: Mapping[str, Kind], *, broker: str, database: str, console: str
    ) -> None:
        self._clock = clock
        self._language = language
        self._kinds = kinds
        self._where = f"{self._word('broker')} {broker}   {self._word('database')} {database}"
        if console:
            self._where += f"\n{self._word('console')} {console}"
        self._seen: deque[tuple[int, int]] = deque(maxlen=_RATE_OVER)

    def render(self, now: Overview, cases: Sequence[CaseRow], published: int) -> RenderableType:
        """The page for these totals and newest cases."""
        self._seen.append((self._clock.micros(), now.ledger.received))
        top = Group(self._head(now, published), Text(self._where, "dim"))
        return Group(Panel(top, title="Cityward", title_align="left"), self._totals(now), Text(), self._newest(cases))

    def _word(self, key: str) -> str:
        return say(Section.PAGE, key, self._language)

    def _head(self, now: Overview, published: int) -> Text:
        book, told = now.ledger, now.notifications
        text = Text(f"{self._clock.now():%Y-%m-%d %H:%M:%S} UTC, {self._clock.factor:g}x   ", "bold")
        text.append(f"{self._rate():.0f} {self._word('rate')}\n", "green")
        fates = " + ".join(f"{getattr(book, fate)} {self._word(fate)}" for fate in _FATES)
        text.append(f"{self._word('published')} {published}   {self._word('received')} {book.received} = {fates}\n")
        text.append(f"{self._word('active_alarms')}  ")
        for severity, colour in _COLOURS.items():
            word = say(Section.SEVERITIES, str(severity), self._language)
            text.append(f"{word} {now.active_by_severity.get(severity, 0)}  ", colour)
        states = ", ".join(f"{told.get(state, 0)} {self._word(state)}" for state in ("delivered", "pending"))
        text.append(f"  {self._word('notifications')} {states}")
        return text

    def _rate(self) -> float:
        """Messages for each second on the wall, over the last pictures."""
        (then, before), (at, after) = self._seen[0], self._seen[-1]
        wall = (at - then) / 1e6 / self._clock.factor
        return (after - before) / wall if wall > 0 else 0.0

    def _totals(self, now: Overview) -> Table:
        table = Table(box=None, pad_edge=False, header_style="dim")
        table.add_column(self._word("kind"))
        for heading in ("readings", "active_alarms", "open_cases"):
            table.add_column(self._word(heading), justify="right")
        for kind, each in now.by_kind.items():
            name = self._kinds[kind].names[self._language] if kind in self._kinds else kind
            table.add_row(name, str(each.readings), str(each.active_alarms), str(each.open_cases))
        return table

    def _newest(self, cases: Sequence[CaseRow]) -> Table:
        title = self._word("newest_cases")
        table = Table(box=None, pad_edge=False, header_style="dim", title=title, title_justify="left")
        # A narrow terminal shortens the facility's name first: its case number says the same.
        for heading, least, most in _COLUMNS:
            table.add_column(self._word(heading), no_wrap=True, min_width=least, max_width=most)
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
