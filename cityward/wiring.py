"""What every process needs, put together from settings."""

import ssl
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from alarms import storms
from cases import supervision
from cases.checking import Standard
from cases.city import City, read_city
from cases.dispatching import Practice
from cases.opening import CasePlan, PlanError
from cityward import embedded
from cityward.clock import Clock, Driven
from cityward.settings import Settings
from devices.codecs import codecs_of
from devices.errors import DescriptionError
from devices.hearers import Hears
from devices.kind import KINDS_FOLDER, Kind, load_kinds
from devices.topics import device_topic
from rules.local_time import LocalTime
from rules.pack_rule import FieldError
from rules.packs import PACKS_FOLDER, load_packs
from rules.rule import Rule
from storage.hypertables import Keep


def kinds(settings: Settings) -> dict[str, Kind]:
    """The installed kinds, with codecs that can be made for them.

    Raises:
        DescriptionError: naming the kind.toml and what is wrong in it.
    """
    installed = load_kinds(KINDS_FOLDER, *settings.kinds_dirs)
    for kind in installed.values():
        codecs_of(kind)
    return installed


def keep(settings: Settings) -> Keep:
    """For how long what is stored is kept.

    Raises:
        DescriptionError: naming the setting that speaks of an unknown kind.
    """
    known = kinds(settings)
    problems = [
        f"keep_readings_days: {kind!r} is no kind; there are {', '.join(sorted(known))}"
        for kind in settings.keep_readings_days
        if kind not in known
    ]
    if problems:
        raise DescriptionError("settings", problems)
    return Keep(settings.keep_readings_days, settings.keep_rollups_days)


def rules(settings: Settings, installed: Mapping[str, Kind], folder: Path | None = None) -> list[Rule]:
    """The rules in force, or those of a folder.

    Raises:
        PackError: naming everything that is wrong with them and with the cases that they open.
    """
    return load_packs(installed, folder or settings.packs_dir or PACKS_FOLDER, _check_case)


def _check_case(rule: Rule) -> None:
    if rule.id in {storms.RULE, supervision.RULE_ID}:
        raise FieldError(("id",), "Cityward has a rule of this id itself")
    try:
        CasePlan.parse(**asdict(rule.case))
    except PlanError as error:
        raise FieldError(("case", error.field), error.why) from error


def rule_ids(settings: Settings, installed: Mapping[str, Kind]) -> set[str]:
    """The ids of everything that raises alarms: the rules of the packs, and storms."""
    return {rule.id for rule in rules(settings, installed)} | {storms.RULE}


def hears(settings: Settings) -> Hears:
    """Which partition of the settings hears a device."""
    filters = [each.split("/") for name in settings.partitions for each in settings.filters(name)]
    return Hears(
        lambda device: settings.partition_of(device_topic(device.district, device.kind, device.device_id)),
        by_district=not any(len(levels) > 3 and levels[3] not in {"+", "#"} for levels in filters),
    )


def clock(settings: Settings) -> Clock:
    """The clock."""
    if settings.clock.file:
        return Driven(settings.clock.file)
    return Clock(settings.clock.factor, settings.clock.start, settings.clock.anchor)


def local_time(city: City) -> LocalTime:
    """The city's time of day and its days off."""
    calendar = city.calendar
    return LocalTime(calendar.timezone, *city.night, calendar.holidays, calendar.make_up_days)


def check_lateness(city: City, installed: Mapping[str, Kind], source: str) -> None:
    """Refuse bounds for kinds that are not there; ``source`` names the file.

    Raises:
        DescriptionError: naming each of them.
    """
    unknown = city.lateness.keys() - installed.keys()
    if unknown:
        known = ", ".join(sorted(installed))
        raise DescriptionError(source, [f"lateness.{kind}: is no kind; there are {known}" for kind in sorted(unknown)])


def city_document(file: Path, installed: Mapping[str, Kind]) -> dict[str, Any]:
    """A city file, checked as far as no database is needed for it.

    Raises:
        DescriptionError: naming what is wrong in it.
    """
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DescriptionError(str(file), [str(error)]) from error
    check_lateness(read_city(document, str(file)), installed, str(file))
    return document


def practice(city: City, rules_in_force: list[Rule], installed: Mapping[str, Kind]) -> Practice:
    """What dispatch goes by in this city."""
    plans = {rule.id: CasePlan.parse(**asdict(rule.case)) for rule in rules_in_force}
    plans[storms.RULE] = CasePlan.parse(problem=storms.PROBLEM, fix="4h natural")
    return Practice(
        city=city,
        plans={rule: plan.in_city(rule, city) for rule, plan in plans.items()},
        standards={name: Standard.of(kind.heartbeat) for name, kind in installed.items()},
        covers={rule.id: frozenset(rule.covers) for rule in rules_in_force if rule.covers},
    )


def broker_tls(settings: Settings) -> ssl.SSLContext | None:
    """How to encrypt the way to the broker and whom to trust there; None where its URL says plain.

    Raises:
        DescriptionError: naming the file that is missing or not what its setting says.
    """
    if not settings.broker.tls:
        return None
    ca, certificate, key = settings.broker_ca, settings.broker_certificate, settings.broker_key
    with _reading("broker_ca", ca, "holds no certificate in PEM"):
        context = ssl.create_default_context(cafile=ca)
    if certificate or key:
        if certificate is None or key is None:
            raise DescriptionError("settings", ["broker_certificate and broker_key go together: set both or none"])
        with _reading("broker_certificate", certificate, "holds no certificate in PEM"):
            ssl.create_default_context(cafile=certificate)
        with _reading("broker_key", key, f"holds no key in PEM, an encrypted one, or not the one of {certificate}"):
            # The empty password keeps OpenSSL from asking for one on the terminal.
            context.load_cert_chain(certificate, key, password="")
    return context


@contextmanager
def _reading(setting: str, path: Path | None, wrong: str) -> Iterator[None]:
    """Errors of what happens inside as errors of this file."""
    try:
        yield
    except ssl.SSLError as error:
        raise DescriptionError(f"{setting}: {path}", [wrong]) from error
    except OSError as error:
        raise DescriptionError(f"{setting}: {path}", [str(error.strerror)]) from error


@contextmanager
def database_url(settings: Settings) -> Iterator[str]:
    """The database named in settings, or the embedded one for as long as the context lasts."""
    if settings.database_url:
        yield settings.database_url
    else:
        with embedded.database(settings.data_dir) as url:
            yield url
