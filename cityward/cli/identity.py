"""Commands about who may connect to the broker: its access list, its users, their passwords."""

import csv
import os
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

import typer

from cityward import wiring
from cityward.cli.context import CommandError, database, load_settings, out
from cityward.settings import Settings
from devices.access import PRETEND_CITY, access_list, contradictions, service_users
from devices.credentials import hashed, new_password, password_file
from devices.errors import DescriptionError
from storage import credential_store as store
from storage.connection import Connection
from storage.registry_store import load_city, load_registry

_ACCESS, _HASHES, _PASSWORDS = "acl", "passwd", "passwords.csv"
_Out = Annotated[
    Path, typer.Option("--out", file_okay=False, help="The folder for Mosquitto's files.", show_default=False)
]


def acl(
    folder: _Out,
    service: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VARIABLE",
            help="Give collector, dispatcher, crew-UNIT or gateway-NAME the password in this variable of the "
            "environment; may be repeated. Nobody else gets a password then.",
            show_default=False,
        ),
    ] = None,
    pretend_city: Annotated[
        str,
        typer.Option(
            metavar="VARIABLE",
            help="For a trial only: a user pretend-city with the password in this variable, who may speak for every "
            "device. Without this option he is taken out again.",
            show_default=False,
        ),
    ] = "",
) -> None:
    """Write Mosquitto's access list and password file; users that have no password yet get one.

    Users are every device under its id, collector, dispatcher, crew-UNIT for every unit, and gateway-NAME for every
    gateway of the registry, which may publish for the devices behind it. New passwords are in
    passwords.csv and nowhere else; the database keeps hashes. Repeat it whenever devices or units were added.
    """
    settings = load_settings()
    guests = {}
    if pretend_city:
        if not os.environ.get(pretend_city):
            raise CommandError(f"--pretend-city {pretend_city}: this variable of the environment is empty")
        guests[PRETEND_CITY] = hashed(os.environ[pretend_city])
    with database(settings) as connection:
        users = _load_users(connection, settings)
        if service:
            _take(connection, settings, users, service)
        else:
            _issue(connection, settings, users, folder)
        _write(folder / _ACCESS, access_list(users.units, users.gateways, pretend_city=bool(guests)))
        _write_hashes(connection, folder, guests)
    _say_reload(f"{_ACCESS} and {_HASHES}", folder)


def rotate(
    folder: _Out,
    users: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="DEVICE_ID", help="Devices, or collector, dispatcher, crew-UNIT, gateway-NAME.", show_default=False
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every device.")] = False,
) -> None:
    """Give devices new passwords. The old ones stop working when the broker reads its password file again."""
    if bool(users) == everything:
        raise CommandError("say which: device ids, or --all for every device")
    settings = load_settings()
    with database(settings) as connection:
        there = _load_users(connection, settings)
        if unknown := sorted(set(users or ()) - set(there.all)):
            raise CommandError(f"no such device or user: {', '.join(unknown)}; cityward devices list shows the devices")
        _issue(connection, settings, there, folder, users or there.devices)
        _write_hashes(connection, folder)
    _say_reload(_HASHES, folder)


@dataclass(frozen=True, slots=True)
class _Users:
    devices: list[str]
    units: list[str]
    gateways: dict[str, list[str]]  # with the devices behind them

    @property
    def all(self) -> list[str]:
        return [*self.devices, *service_users(self.units, self.gateways)]


def _load_users(connection: Connection, settings: Settings) -> _Users:
    """Everybody who may have a password.

    Raises:
        DescriptionError: listing names that would give somebody another one's rights.
    """
    registry = load_registry(connection, wiring.kinds(settings))
    gateways: dict[str, list[str]] = defaultdict(list)
    for device in registry.devices.values():
        if device.gateway:
            gateways[device.gateway].append(device.device_id)
    users = _Users(
        sorted(device.device_id for device in registry.devices.values()),
        sorted(load_city(connection).units),
        {name: sorted(gateways[name]) for name in sorted(gateways)},
    )
    if problems := [*contradictions(users.devices, users.units, users.gateways, settings.partitions)]:
        raise DescriptionError("users of the broker", problems)
    return users


def _issue(
    connection: Connection, settings: Settings, users: _Users, folder: Path, chosen: Collection[str] | None = None
) -> None:
    """Give new passwords to these users, or to all that have none, and keep the hashes: both or neither."""
    path, devices = folder / _PASSWORDS, set(users.devices)
    written = False
    try:
        with connection.transaction():
            store.lock(connection)
            if chosen is None:
                known = store.load_hashes(connection)
                chosen = [user for user in users.all if user not in known]
            if not chosen:
                return
            passwords = {user: new_password() for user in chosen}
            hashes = {user: hashed(password) for user, password in passwords.items()}
            now = wiring.clock(settings).now()
            store.save_devices(connection, {user: kept for user, kept in hashes.items() if user in devices}, now)
            store.save_services(connection, {user: kept for user, kept in hashes.items() if user not in devices}, now)
            _write_passwords(path, passwords)
            written = True
    except BaseException:
        if written:  # and the database has not taken the hashes
            path.unlink()
        raise
    out.print(f"{len(passwords)} new passwords in {path}: hand them out and delete it, they are nowhere else.")


def _take(connection: Connection, settings: Settings, users: _Users, given: Collection[str]) -> None:
    """Keep the hashes of passwords that services already have: the start of a container is no time to make new ones."""
    hashes = {}
    for each in given:
        name, _, variable = each.partition("=")
        if name not in service_users(users.units, users.gateways):
            known = "collector, dispatcher, crew-UNIT and gateway-NAME"
            raise CommandError(f"--service {each}: {name!r} is no service; there are {known}")
        if not os.environ.get(variable):
            raise CommandError(f"--service {each}: the variable {variable or '?'} of the environment is empty")
        hashes[name] = hashed(os.environ[variable])
    with connection.transaction():
        store.lock(connection)
        store.save_services(connection, hashes, wiring.clock(settings).now())


def _write_passwords(path: Path, passwords: Mapping[str, str]) -> None:
    with _writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            raise CommandError(f"{path} is still there: hand out what it holds and delete it, then run this again")
        # Nobody else reads it, from its first moment on.
        with open(path, "x", encoding="utf-8", newline="", opener=_private) as file:
            csv.writer(file, lineterminator="\n").writerows([("user", "password"), *passwords.items()])


def _write_hashes(connection: Connection, folder: Path, guests: Mapping[str, str] = MappingProxyType({})) -> None:
    """The password file: who is kept in the database, and guests, who are not."""
    _write(folder / _HASHES, password_file({**store.load_hashes(connection), **guests}))


def _write(path: Path, text: str) -> None:
    """In place: the broker's user keeps the right to read it that somebody has given."""
    with _writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "w", encoding="utf-8", opener=_for_the_group) as file:
            file.write(text)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _for_the_group(path: str, flags: int) -> int:
    return os.open(path, flags, 0o640)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error


def _say_reload(files: str, folder: Path) -> None:
    out.print(f"{files} written to {folder}. Mosquitto reads them again on SIGHUP: systemctl reload mosquitto")
