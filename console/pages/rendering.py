"""Pages from templates: the visitor's language, the city's local time, everything escaped, nothing undefined."""

from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from alarms.lifecycle import State as AlarmState
from cases.clocks import Allowance, ClockType, Unit
from cases.countdown import countdown
from cases.history import Occurrence
from cases.lifecycle import Event
from cases.words import Language, Section, say
from console.access import Action
from console.actors import actor
from console.context import Context, context
from console.identity import Visitor
from console.moves import ALARM_MOVES, CASE_MOVES, possible_of_alarm
from console.pages.moving import SPANS
from console.words import named, word
from devices.groups import GROUP

_FOLDER = Path(__file__).parent.parent / "templates"
_UNITS = {Unit.MINUTE: "minutes", Unit.HOUR: "hours", Unit.DAY: "days"}
_ENVIRONMENT = Environment(
    loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


def page(
    name: str, request: Request, language: Language, who: Visitor | None = None, status: int = 200, **shown: Any
) -> HTMLResponse:
    """A template as an answer; ``rendered`` says what it knows."""
    return HTMLResponse(rendered(name, request, language, who, **shown), status)


def rendered(name: str, request: Request, language: Language, who: Visitor | None = None, **shown: Any) -> str:
    """A template's text.

    In it ``_('section.name')`` is a word of the console, ``noun(count, 'section.name')`` the one for so many, and
    ``say('states', key)`` one of dispatch; ``local(at)`` is a moment as the city's clocks show it, ``left(at)`` how
    long until then, ``ago(at)`` since, ``spelt(at)`` that in words; ``unit``, ``district``, ``pause``, ``kind``,
    ``rule``, ``metric``, ``limit``, ``value``, ``attribute``, ``attribute_value``, ``source``, ``actor``, ``deed``,
    ``field`` and ``permit_kind`` name what an id stands for; ``allowance('2h office')`` is time in words;
    ``may('dispatch')`` says whether they may, ``alarm_moves(state)`` what they may do to an alarm.
    """
    at = context(request)
    now, kinds = at.clock.now(), {GROUP.name: GROUP, **at.kinds}
    return _ENVIRONMENT.get_template(name).render(
        _=partial(word, language=language),
        noun=lambda count, key: word(f"{key}_one" if count == 1 else key, language),
        say=lambda section, key: say(Section(section), str(key), language),
        because=partial(_because, at, language),
        language=language.value,
        who=who,
        may=lambda action: who is not None and who.may(Action(action)),
        token=who.token if who else "",
        path=request.url.path,
        city=at.city,
        fresh_key=uuid4,
        shelf_spans=SPANS,
        alarm_moves=lambda state: possible_of_alarm(who.role, AlarmState(state)) if who else [],
        alarm_plan=lambda move: ALARM_MOVES[move],
        address=f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path,
        now=now,
        local=partial(_local, at),
        left=lambda due: _counted(due, now, language),
        ago=lambda then: _counted(now, then, language),
        spelt=lambda then: _span(now - then, language),
        unit=lambda key: at.city.units[key].name[language] if key in at.city.units else key,
        district=lambda key: at.city.districts[key].name[language] if key in at.city.districts else key,
        pause=partial(_pause, at, language),
        rule=lambda key: at.rules[key].names[language] if key in at.rules else key,
        metric=partial(named, "metric", language=language),
        attribute=partial(named, "attribute", language=language),
        attribute_value=partial(named, "attribute_value", language=language),
        deed=partial(deed, language=language),
        field=partial(named, "field", language=language),
        limit=lambda name: say(Section.LIMITS, name, language),
        value=partial(named, "value", language=language),
        source=lambda name: say(Section.SOURCES, name, language),
        actor=lambda name: actor(name, at.city, language),
        allowance=partial(allowance, language=language),
        permit_kind=partial(named, "permits", language=language),
        kind=lambda key: kinds[key].names[language] if key in kinds else key,
        **shown,
    )


def allowance(allowed: Allowance | str, language: Language) -> str:
    """Time that is allowed, as people say it: ``2h office`` is two office hours."""
    given = Allowance.parse(allowed) if isinstance(allowed, str) else allowed
    unit = "working_days" if given.clock is ClockType.WORK else _UNITS[given.unit]
    office = "office_" if given.clock is ClockType.OFFICE else ""
    one = "_one" if given.value == 1 else ""
    return word(f"allowance.{office}{unit}{one}", language).format(count=f"{given.value:g}")


def deed(action: str, language: Language) -> str:
    """What somebody did, as the record of changes has it: ``case.accept``."""
    of, _, move = action.partition(".")
    if of == "case" and move in CASE_MOVES:
        return f"{word('desk.case', language)}{word('mark.colon', language)}{word(f'move.{move}', language)}"
    if of == "alarm" and move in ALARM_MOVES:
        return f"{word('desk.alarm', language)}{word('mark.colon', language)}{word(f'alarm_move.{move}', language)}"
    return named("deed", action, language)


def _because(at: Context, language: Language, reason: str, event: str) -> str:
    """A reason of a history: a rule, a milestone, a word of dispatch, time asked for and why, or what was written."""
    if reason in at.rules:
        return f"{reason} {at.rules[reason].names[language]}"
    if event == Occurrence.MISSED:
        return word(f"case.{reason}_by", language)
    if event == Event.REQUEST_DELAY:
        more, _, why = reason.partition(": ")
        return f"{allowance(more, language)}{word('mark.colon', language)}{why}"
    if event == Event.SUSPEND:
        pause, colon, why = reason.partition(": ")
        return f"{_pause(at, language, pause)}{word('mark.colon', language) if colon else ''}{why}"
    section = Section.DETAILS if event in {Occurrence.UNATTENDED, Occurrence.SHEET} else Section.REASONS
    return say(section, reason, language)


def _pause(at: Context, language: Language, key: str) -> str:
    return at.city.policy.pauses[key].names[language] if key in at.city.policy.pauses else key


def _counted(deadline: datetime, now: datetime, language: Language) -> str:
    said = countdown(deadline, now)
    return said.replace("d ", "天") if language is Language.ZH else said


def _span(span: timedelta, language: Language) -> str:
    """A span in words, for sentences, where ``06:11`` would be a time of the day."""
    hours, minutes = divmod(max(int(span.total_seconds()), 0) // 60, 60)
    days, rest = divmod(hours, 24)
    key = "days" if days else "hours" if hours else "minutes"
    return word(f"crew_script.{key}", language).format(d=days, h=rest, m=minutes)


def _local(at: Context, moment: datetime | None, form: str = "%Y-%m-%d %H:%M") -> str:
    return moment.astimezone(at.city.calendar.timezone).strftime(form) if moment else "-"
