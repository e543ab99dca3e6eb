"""Cases and sheets as tables."""

from collections.abc import Iterable, Iterator
from datetime import datetime, tzinfo

from rich.table import Table

from cases.city import City
from cases.countdown import countdown
from cases.indicators import indicators
from cases.policy import Colour
from cases.words import Language, Section, say
from cityward.cli.context import head, heads, table
from console.actors import actor
from storage.case_list import CaseFile, CaseRow, SheetRow
from storage.report_book import CountRow


def case_rows(cases: list[CaseRow], now: datetime, language: Language) -> Table:
    """A list of cases."""
    headings = heads(language, "case", "severity", "problem", "facility", "road", "unit", "state", "sheet", "left")
    rows = (_row(case, now, language) for case in cases)
    least = heads(language, "road", "sheet", "facility")
    return table(head(language, "cases", count=len(cases)), headings, rows, least=least, language=language)


def sheet_rows(sheets: list[SheetRow], zone: tzinfo, now: datetime, language: Language) -> Table:
    """A list of supervision sheets."""
    keys = ("sheet", "colour", "case", "why", "unit", "told", "points", "issued", "reply_by", "left", "answer")
    rows = [
        (sheet.number, colour_word(sheet.colour, language), sheet.case_number,
         say(Section.REASONS, sheet.because, language), _named(sheet, language), " ".join(sheet.recipients),
         sheet.points, _local(sheet.issued_at, zone), _local(sheet.reply_by, zone),
         "-" if sheet.answered_at else countdown(sheet.reply_by, now), sheet.answer or "-")
        for sheet in sheets
    ]  # fmt: skip
    least = heads(language, "points", "issued", "told", "answer")
    title = head(language, "sheets", count=len(sheets))
    return table(title, heads(language, *keys), rows, least=least, language=language)


def kpi_rows(by: str, rows: list[CountRow], language: Language) -> Table:
    """Indicators, in percent."""
    keys = ("due", "handled", "on_time", "closed", "rework", "delayed", "overdue", "precision", "points", "score")
    lines = []
    for row in rows:
        name = row.name.say(language) or "-"
        of = indicators(row.counts)
        shares = (of.handling, of.on_time, of.closure, of.rework, of.delay, of.overdue, of.precision)
        score = "-" if of.score is None else f"{of.score:.1f}"
        lines.append((name, row.counts.should_handle, *map(_percent, shares), row.counts.points, score))
    least = heads(language, "delayed", "rework", "closed")
    return table(head(language, "by_deadline"), [by, *heads(language, *keys)], lines, least=least, language=language)


def show_file(file: CaseFile, city: City, now: datetime, language: Language) -> Iterator[Table]:
    """One case, table by table."""
    zone = city.calendar.timezone
    facts = [(say(Section.COLUMNS, fact, language), value) for fact, value in _facts(file.case, zone, now, language)]
    yield table(head(language, "case", number=file.case.number), ["", ""], facts)
    alarms = [
        (alarm["rule_id"], say(Section.SEVERITIES, str(alarm["severity"]), language),
         head(language, "active" if alarm["active"] else "cleared"), _local(alarm["raised_at"], zone),
         _local(alarm["cleared_at"], zone), alarm["occurrences"])
        for alarm in file.alarms
    ]  # fmt: skip
    headings = heads(language, "rule", "severity", "state", "raised", "cleared", "times")
    yield table(head(language, "alarms_of_case"), headings, alarms)
    if file.carried:
        yield case_rows(file.carried, now, language)
    if file.sheets:
        yield sheet_rows(file.sheets, zone, now, language)
    told = [
        (each["channel"], each["target"], say(Section.EVENTS, each["event"], language), each["state"],
         each["attempts"], _local(each["delivered_at"], zone), each["last_error"])
        for each in file.notifications
    ]  # fmt: skip
    headings = heads(language, "channel", "target", "of", "state", "attempts", "delivered", "error")
    yield table(head(language, "told"), headings, told)
    history = [
        (_local(line["at"], zone), say(Section.EVENTS, line["event"], language),
         say(Section.STATES, line["state"], language), actor(line["actor"], city, language),
         say(Section.REASONS, line["reason"], language))
        for line in file.history
    ]  # fmt: skip
    yield table(head(language, "history"), heads(language, "happened", "event", "state", "by", "reason"), history)


def colour_word(colour: int, language: Language) -> str:
    """The colour of a sheet; a dash for none."""
    return say(Section.COLOURS, Colour(colour).name.lower(), language) if colour else "-"


def _facts(case: CaseRow, zone: tzinfo, now: datetime, language: Language) -> Iterable[tuple[str, str]]:
    yield "problem", say(Section.PROBLEMS, case.problem, language)
    yield "severity", say(Section.SEVERITIES, str(case.severity), language)
    yield "facility", f"{case.name} ({case.kind} {case.device_id}), {case.road}, {case.district}"
    yield "unit", f"{_named(case, language)} ({case.unit}), as {say(Section.REASONS, case.reason, language)}"
    yield "state", say(Section.STATES, case.state, language)
    yield "arrive_by", _local(case.arrive_by, zone)
    yield "fix_by", f"{_local(case.fix_by, zone)}  {_left(case, now)}"
    yield "sheet", colour_word(case.colour, language)
    if case.delay:
        yield "asked_for", f"{case.delay} more"
    if case.rework:
        yield "rework", str(case.rework)
    if case.parent:
        yield "carried_by", case.parent
    if case.incident:
        yield "incident", case.incident


def _row(case: CaseRow, now: datetime, language: Language) -> tuple[str, ...]:
    return (
        case.number,
        say(Section.SEVERITIES, str(case.severity), language),
        say(Section.PROBLEMS, case.problem, language),
        case.name,
        case.road,
        _named(case, language),
        say(Section.STATES, case.state, language),
        colour_word(case.colour, language),
        _left(case, now) or "-",
    )


def _left(case: CaseRow, now: datetime) -> str:
    """What is left to fix it; nothing where the clock stands or the work is done."""
    return countdown(case.fix_by, now) if case.runs else ""


def _named(row: CaseRow | SheetRow, language: Language) -> str:
    return row.name_zh if language is Language.ZH else row.name_en


def _local(at: datetime | None, zone: tzinfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}" if at else "-"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"
