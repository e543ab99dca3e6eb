"""What a unit is told about a case: one value, rendered as text for people and as JSON for machines."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from cases.words import Language, Section, say

_SHOWN = 10  # cases of a message about many


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Something happened to a case of a unit.

    ``event`` is a ``cases.lifecycle.Event`` or a ``cases.history.Occurrence``; ``severity`` counts from 1,
    notice, to 4, critical. Deadlines are aware and in the city's time, None where they do not matter any
    more. ``lon`` and ``lat`` are degrees (CGCS2000), both None where the registry has no position.
    ``detail`` is the colour of a sheet, or the step up the chain that hears of it.
    """

    notification_id: int
    case_number: str
    district: str
    unit: str
    event: str
    severity: int
    problem: str
    device_id: str
    facility: str
    road: str
    arrive_by: datetime | None = None
    fix_by: datetime | None = None
    lon: float | None = None
    lat: float | None = None
    detail: str = ""


def render(message: Message, language: Language) -> str:
    """The message as a crew reads it: a line of what, then a line each of where and until when."""
    separator = _label("separator", language)
    lines = [
        _label("title", language).format(
            severity=say(Section.SEVERITIES, str(message.severity), language),
            headline=say(Section.HEADLINES, message.event, language),
            number=message.case_number,
            problem=say(Section.PROBLEMS, message.problem, language),
        )
    ]
    if message.detail:
        lines.append(_label("detail", language).format(detail=say(Section.DETAILS, message.detail, language)))
    if place := separator.join(part for part in (message.facility, message.road) if part):
        lines.append(_label("place", language).format(place=place))
    if message.lon is not None and message.lat is not None:
        lines.append(_label("position", language).format(lat=message.lat, lon=message.lon))
    if message.arrive_by is not None:
        lines.append(_label("arrive_by", language).format(time=_minute(message.arrive_by)))
    if message.fix_by is not None:
        lines.append(_label("fix_by", language).format(time=_minute(message.fix_by)))
    lines.append(_label("device", language).format(device=message.device_id))
    return "\n".join(lines)


def render_all(message: Message, others: Sequence[Message], language: Language, link: str = "") -> str:
    """Messages of one event as one text: for several how many, then a line for each of the first; the link last."""
    text = _render_many(message, others, language) if others else render(message, language)
    return f"{text}\n{_label('link', language).format(link=link)}" if link else text


def _render_many(message: Message, others: Sequence[Message], language: Language) -> str:
    everything = (message, *others)
    worst = max(each.severity for each in everything)
    lines = [
        _label("title_of_many", language).format(
            severity=say(Section.SEVERITIES, str(worst), language),
            headline=say(Section.HEADLINES, message.event, language),
            count=len(everything),
        )
    ]
    separator = _label("separator", language)
    for each in everything[:_SHOWN]:
        problem = say(Section.PROBLEMS, each.problem, language)
        lines.append(separator.join(part for part in (each.case_number, problem, each.facility, each.road) if part))
    if more := len(everything) - _SHOWN:
        lines += [_label("more", language).format(count=more)] if more > 0 else []
    return "\n".join(lines)


def as_json(message: Message, others: Sequence[Message] = (), link: str = "") -> bytes:
    """The message as MQTT and webhooks carry it, in UTF-8.

    The keys are a promise to receivers:

    - ``id``: of the notification, an integer; the same again means that it was sent twice, drop it
    - ``case``, ``district``, ``unit``, ``device``, ``facility``, ``road``: texts
    - ``event``, ``problem``: stable words such as ``dispatch`` and ``cover_open``
    - ``severity``: 1 notice, 2 minor, 3 major, 4 critical
    - ``arrive_by``, ``fix_by``: RFC 3339 with the city's offset, or null
    - ``lon``, ``lat``: degrees, or null
    - ``detail``: the colour of a sheet, or the step up the chain; mostly empty
    - ``cases``: the numbers of all cases that it tells of; all else speaks of the first
    - ``link``: of the page where something can be done about it; empty where the console has no address
    - ``text``: ``{"en": ..., "zh": ...}`` for people
    """
    return msgspec.json.encode(
        {
            "id": message.notification_id,
            "case": message.case_number,
            "event": message.event,
            "severity": message.severity,
            "problem": message.problem,
            "district": message.district,
            "unit": message.unit,
            "device": message.device_id,
            "facility": message.facility,
            "road": message.road,
            "arrive_by": message.arrive_by,
            "fix_by": message.fix_by,
            "lon": message.lon,
            "lat": message.lat,
            "detail": message.detail,
            "cases": [each.case_number for each in (message, *others)],
            "link": link,
            "text": {language.value: render_all(message, others, language, link) for language in Language},
        }
    )


def _label(key: str, language: Language) -> str:
    return say(Section.LABELS, key, language)


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
