"""What every process needs, put together from settings."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict

from cases.city import City
from cases.opening import CasePlan
from cityward import embedded
from cityward.clock import Clock
from cityward.settings import Settings
from devices.kind import KINDS_FOLDER, Kind, load_kinds
from rules.local_time import LocalTime
from rules.packs import PACKS_FOLDER, PackError, load_packs
from rules.rule import Rule


def kinds(settings: Settings) -> dict[str, Kind]:
    """The installed kinds."""
    return load_kinds(KINDS_FOLDER, *settings.kinds_dirs)


def rules(settings: Settings, installed: Mapping[str, Kind]) -> list[Rule]:
    """The rules in force."""
    return load_packs(installed, settings.packs_dir or PACKS_FOLDER)


def clock(settings: Settings) -> Clock:
    """The clock."""
    return Clock(settings.clock.factor, settings.clock.start, settings.clock.anchor)


def local_time(city: City) -> LocalTime:
    """The city's time of day."""
    return LocalTime(city.calendar.timezone, *city.night)


def case_plans(rules_in_force: list[Rule]) -> dict[str, CasePlan]:
    """What each rule's alarms open, before a city's own deadlines.

    Raises:
        PackError: naming each rule whose case cannot be.
    """
    made, problems = {}, []
    for rule in rules_in_force:
        try:
            made[rule.id] = CasePlan.parse(**asdict(rule.case))
        except ValueError as error:
            problems.append(f"{rule.id}: case: {error}")
    if problems:
        raise PackError(problems)
    return made


@contextmanager
def database_url(settings: Settings) -> Iterator[str]:
    """The database named in settings, or the embedded one for as long as the context lasts."""
    if settings.database_url:
        yield settings.database_url
    else:
        with embedded.database(settings.data_dir) as url:
            yield url
