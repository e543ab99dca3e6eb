"""The demonstration's page in the terminal: how much, what is wrong, who must do what by when."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta, tzinfo

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from cases.countdown import countdown
from cases.words import Language, Section, say
from cityward.clock import Clock
from devices.groups import GROUP
from devices.kind import Kind
from storage.case_list import CaseRow
from storage.overview import Overview

_COLOURS = {4: "bold red", 3: "red", 2: "yellow", 1: "cyan"}
_NAMED = 12  # columns that a name has at least; its end goes where there is no room
_COLUMNS = {
    "case": (19, 19),
    "severity": (8, 8),
    "problem": (_NAMED, 26),
    "facility": (_NAMED, 40),
    "responsible": (_NAMED, 26),
    "state": (13, 13),
    "left": (9, 9),
}
_LEAST = ("state", "severity", "facility")  # what a narrow terminal goes without, in this order
_GAP = 2  # between two columns
_FEWEST = 3  # cases on however low a terminal
_FATES = ("stored", "duplicate", "quarantined")
_RATE_OVER = 10  # pictures
_URGENT = timedelta(minutes=15)


class Page:
    """Draws one picture after the other; remembers only what it needs for the rate."""

    def __init__(
        self,
        clock: Clock,
        zone: tzinfo,
        language: Language,
        kinds: Mapping[str, Kind],
        *,
        broker: str,
        database: str,
        console: str,
    ) -> None:
        self._clock = clock
        self._zone = zone
        self._language = language
        self._kinds = {GROUP.name: GROUP, **kinds}
        self._broker = f"{self._word('broker')} {broker}"
        self._where = f"{self._word('database')} {database}"
        if console:
            self._where = f"{self._word('console')} {console}\n{self._where}"
        self._seen: deque[tuple[int, int]] = deque(maxlen=_RATE_OVER)

    def render(self, now: Overview, cases: Sequence[CaseRow], published: int) -> RenderableType:
        """The page for these totals and newest cases."""
        self._seen.append((self._clock.micros(), now.ledger.received))
        top = Group(self._head(now, published), Text(self._where, "dim"))
        above = Group(Panel(top, title="Cityward", title_align="left"), self._totals(now), Text())
        return _Fitted(above, [self._row(case) for case in cases], self._heading)

    def _word(self, key: str) -> str:
        return say(Section.PAGE, key, self._language)

    def _head(self, now: Overview, published: int) -> Text:
        book, told = now.ledger, now.notifications
        local = self._clock.now().astimezone(self._zone)
        text = Text(f"{local:%Y-%m-%d %H:%M:%S}, {self._clock.factor:g}x   ", "bold")
        text.append(f"{self._rate():.0f} {self._word('rate')}   ", "green")
        text.append(f"{self._broker}\n", "not bold dim")
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

    def _heading(self, column: str) -> str:
        return self._word("newest_cases" if column == "case" else column)

    def _row(self, case: CaseRow) -> dict[str, Text]:
        now = self._clock.now()
        return {
            "case": Text(case.number),
            "severity": Text(say(Section.SEVERITIES, str(case.severity), self._language), _COLOURS[case.severity]),
            "problem": _name(say(Section.PROBLEMS, case.problem, self._language)),
            "facility": _name(case.name),
            "responsible": _name(case.name_zh if self._language is Language.ZH else case.name_en),
            "state": Text(say(Section.STATES, case.state, self._language)),
            "left": Text(countdown(case.fix_by, now), "red" if case.fix_by - now < _URGENT else "")
            if case.runs
            else Text(),
        }


@dataclass(frozen=True, slots=True)
class _Fitted:
    """The page as large as the terminal: a low one has fewer cases, a narrow one fewer columns."""

    above: RenderableType
    rows: Sequence[Mapping[str, Text]]
    heading: Callable[[str], str]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        above = console.render_lines(self.above, options)
        room = options.size.height - len(above) - 2 if console.is_terminal else len(self.rows)
        kept = list(_COLUMNS)
        for column in _LEAST:
            if sum(_COLUMNS[each][0] + _GAP for each in kept) - _GAP > options.max_width:
                kept.remove(column)
        table = Table(box=None, pad_edge=False, header_style="dim")
        for column in kept:
            least, most = _COLUMNS[column]
            table.add_column(self.heading(column), no_wrap=least == most, min_width=least, max_width=most)
        for row in self.rows[: max(room, _FEWEST)]:
            table.add_row(*(row[column] for column in kept))
        yield self.above
        yield table
        yield Text()  # where ^C is echoed: at the end of a full line it would begin another


def _name(text: str) -> Text:
    return Text(text, no_wrap=True, overflow="ellipsis")
