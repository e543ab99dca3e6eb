"""What routes work with: connections, the clock, the city, the rules. Where these change, there is a new one."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Protocol, cast

from fastapi import Request
from procrastinate import App

from cases.city import City
from cases.dispatching import Practice
from cases.words import Language
from console.defaults import GUESTS_SHARE, RATE, REPORT_WITHIN_M
from console.limits import Limits
from console.signing import Signing
from devices.kind import Kind
from rules.rule import Rule
from storage.alarm_list import AlarmRow
from storage.connection import Connection
from storage.outbox import deferring_app
from storage.pool import Pool

TONGUE = "cityward_language"  # the cookie of who has chosen a language
_TONGUES = frozenset(language.value for language in Language)


class Explain(Protocol):
    """Whoever can say why an alarm was raised."""

    def __call__(self, connection: Connection, alarm: AlarmRow, /) -> Mapping[str, Any]:
        """What it was judged on, limits, the rule as it was, and whether the same raises it again; times are aware."""


class Clock(Protocol):
    """The city's time."""

    def now(self) -> datetime:
        """The current time, aware, in UTC."""


@dataclass(frozen=True, slots=True)
class Context:
    """Everything a route needs.

    Attributes:
        pool: Connections.
        clock: The city's time.
        practice: The city and how it dispatches.
        kinds: The installed kinds.
        rules: The rules in force, by id.
        signing: Signs cookies and links.
        home_language: Where a browser asks for none that we speak.
        explain: Says why an alarm was raised, as one document.
        secure: Whether cookies need https.
        jobs: Where notifications go.
        limits: How many requests a second a visitor may send.
        guests: How many may come from an address that nobody has signed in at.
        entry: The word of the demonstration's link that signs in once, as ``ENTRY_USER``; empty: there is none.
        report_within_m: How near, in metres, the facility is that a report of a place means.
        map_style: The address of the map's style; empty: a plain ground.
    """

    pool: Pool
    clock: Clock
    practice: Practice
    kinds: Mapping[str, Kind]
    rules: Mapping[str, Rule]
    signing: Signing
    home_language: Language
    explain: Explain
    secure: bool
    jobs: App = field(default_factory=deferring_app)
    limits: Limits = field(default_factory=partial(Limits, RATE))
    guests: Limits = field(default_factory=partial(Limits, RATE / GUESTS_SHARE))
    entry: str = ""
    report_within_m: float = REPORT_WITHIN_M
    map_style: str = ""

    @property
    def city(self) -> City:
        """The city."""
        return self.practice.city

    def rule_of(self, rule: str, problem: str, kind: str) -> Rule | None:
        """The rule of a case; of one that people reported, the first of its kind that finds the same problem."""
        if rule:
            return self.rules.get(rule)
        found = (each for each in self.rules.values() if each.kind == kind and each.id in self.practice.plans)
        return next((each for each in found if self.practice.plans[each.id].problem == problem), None)

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection of the pool, in autocommit mode, for as long as one answer takes.

        Raises:
            DatabaseUnavailableError: if none is to be had.
        """
        with self.pool.connection() as connection:
            yield connection

    def language(self, request: Request) -> Language:
        """The language that was chosen here, else the browser's, as far as we speak it."""
        if chosen := self.chosen(request):
            return chosen
        for wanted in request.headers.get("Accept-Language", "").split(","):
            tongue = wanted.split(";")[0].strip().split("-")[0].lower()
            if tongue in _TONGUES:
                return Language(tongue)
        return self.home_language

    def chosen(self, request: Request) -> Language | None:
        """The language that somebody has chosen in this browser; None where nobody has."""
        tongue = request.cookies.get(TONGUE, "")
        return Language(tongue) if tongue in _TONGUES else None


def context(request: Request) -> Context:
    """The dependency."""
    return cast("Context", request.app.state.context)
