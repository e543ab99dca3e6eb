"""A query as the database gets it from Grafana: macros and variables replaced.

As its documentation says for the PostgreSQL source, without the source's TimescaleDB option. The tests and the
benchmark ask with it what Grafana would ask.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

# Like Grafana's: arguments end at the first closing bracket and are split at every comma, so no calls within.
_MACRO = re.compile(r"\$__(\w+)\(([^)]*)\)")
_VARIABLE = re.compile(r"\$\{(\w+)(?::(\w+))?\}|\$(\w+)")
_SPAN = re.compile(r"(\d+)(ms|s|m|h|d|w)")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


class ExpansionError(ValueError):
    """A macro or variable that Grafana does not know."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a reader looks at: a stretch of time (aware), the step between two points, the chosen values."""

    since: datetime
    until: datetime
    interval: timedelta
    chosen: Mapping[str, Sequence[str]]


def expand(query: str, shown: Shown) -> str:
    """The query with everything replaced.

    Raises:
        ExpansionError: for what Grafana would hand on unreplaced.
    """
    step = f"{round(shown.interval.total_seconds())}s"
    query = query.replace("$__interval_ms", str(round(shown.interval.total_seconds() * 1000)))
    query = query.replace("$__interval", step)
    query = _MACRO.sub(lambda found: _macro(found[1], [word.strip() for word in found[2].split(",")], shown), query)
    return _VARIABLE.sub(lambda found: _variable(found[1] or found[3], found[2] or "", shown), query)


def _macro(name: str, words: Sequence[str], shown: Shown) -> str:
    since, until, column = _literal(shown.since), _literal(shown.until), words[0]
    written: dict[str, Callable[[], str]] = {
        "time": lambda: f'{column} AS "time"',
        "timeFilter": lambda: f"{column} BETWEEN {since} AND {until}",
        "timeFrom": lambda: since,
        "timeTo": lambda: until,
        "timeGroup": lambda: _grouped(column, words),
        "timeGroupAlias": lambda: f'{_grouped(column, words)} AS "time"',
    }
    if name not in written:
        raise ExpansionError(f"$__{name}(): not a macro that the boards use; known are {', '.join(written)}")
    return written[name]()


def _grouped(column: str, words: Sequence[str]) -> str:
    width = _seconds(words[1].strip("'"))
    return f"floor(extract(epoch from {column})/{width:g})*{width:g}"


def _variable(name: str, form: str, shown: Shown) -> str:
    milliseconds = {"__from": shown.since, "__to": shown.until}
    if name in milliseconds:
        return str(round(milliseconds[name].timestamp() * 1000))
    if name not in shown.chosen:
        raise ExpansionError(f"${name}: the board has no such variable")
    values = shown.chosen[name]
    match form:
        case "sqlstring":
            return ",".join("'" + value.replace("'", "''") + "'" for value in values)
        case "" | "raw" | "csv":
            return ",".join(values)
        case _:
            raise ExpansionError(f"${{{name}:{form}}}: not a format used here; known are sqlstring, raw, csv")


def _literal(at: datetime) -> str:
    return f"'{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}'"


def _seconds(span: str) -> float:
    found = _SPAN.fullmatch(span)
    if found is None:
        raise ExpansionError(f"{span!r} is not an interval such as 5m")
    return int(found[1]) * _SECONDS[found[2]]
