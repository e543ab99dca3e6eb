"""Commands about devices that send and are not registered."""

import getpass
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from cityward import wiring
from cityward.cli.context import CommandError, database, load_settings, out, table
from cityward.cli.quarantine import By, NoWait, report
from cityward.showing import many, printable, sent
from devices.device import Device
from devices.kind import Kind
from devices.registry import Registry
from devices.registry_csv import read_row
from devices.skeleton import component_class, skeleton
from devices.topics import CHANNELS, DeviceTopic
from ingest.decoding import Decoder
from ingest.messages import Quarantined
from ingest.replaying import decode_again
from storage import quarantine as store
from storage.quarantine import Unregistered
from storage.registry_store import load_city

_Unit = Annotated[str, typer.Option(help="A unit of the city file.")]


def unregistered(
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    csv: Annotated[
        Path | None,
        typer.Option(help="Write all of them to this new CSV file, to be completed and imported.", show_default=False),
    ] = None,
) -> None:
    """Devices that send and are not registered, and the command that adopts each."""
    settings = load_settings()
    kinds = wiring.kinds(settings)
    with database(settings) as connection:
        zone = load_city(connection).calendar.timezone
        found = store.unregistered(connection, limit=None if csv else limit)
        samples = {} if csv else {each.sample: store.load_message(connection, each.sample) for each in found}
    if csv:
        _write(csv, [each for each in found if each.known_kind is None and each.kind in kinds], kinds)
        return
    cells = [
        (each.device_id, each.kind, each.district, each.messages, f"{each.first.astimezone(zone):%m-%d %H:%M}",
         f"{each.last.astimezone(zone):%m-%d %H:%M}", _sample(samples[each.sample], each, kinds))
        for each in found
    ]  # fmt: skip
    out.print(
        table(many(len(found), "device"), ["device", "kind", "district", "messages", "first", "last", "sends"], cells)
    )
    if found:
        out.print("\nTo adopt one, complete its line; cityward devices adopt --help names what else can be said of it.")
    for each in found:
        out.print(f"  {_command(each, found)}", markup=False, soft_wrap=True)


def adopt(
    device_id: Annotated[str, typer.Argument(help="As on its topic.", show_default=False)],
    name: Annotated[str, typer.Option(help="What people call it.", show_default=False)],
    lon: Annotated[str, typer.Option(help="Degrees east, CGCS2000 or WGS84.", show_default=False)],
    lat: Annotated[str, typer.Option(help="Degrees north.", show_default=False)],
    road: Annotated[str, typer.Option(help="Where it stands.")] = "",
    road_class: Annotated[str, typer.Option(help="Such as carriageway or footway.")] = "",
    grid: Annotated[str, typer.Option(help="Unit grid, 15 digits.")] = "",
    component_class_: Annotated[
        str, typer.Option("--component-class", help="Four digits; without it what the device id states.")
    ] = "",
    circuit: Annotated[str, typer.Option(help="The circuit that feeds it.")] = "",
    cabinet: Annotated[str, typer.Option(help="The cabinet of that circuit.")] = "",
    gateway: Annotated[str, typer.Option(help="The gateway that it sends through.")] = "",
    supervisor: _Unit = "",
    owner: _Unit = "",
    maintainer: _Unit = "",
    limit: Annotated[
        list[str] | None, typer.Option(help="A limit of its own, may be repeated: pm=5.", show_default=False)
    ] = None,
    attr: Annotated[
        list[str] | None, typer.Option(help="An attribute, may be repeated: noise_zone=2.", show_default=False)
    ] = None,
    district: Annotated[str, typer.Option(help="Where the same id sends in several districts: which.")] = "",
    kind: Annotated[str, typer.Option(help="Where the same id sends as several kinds: which.")] = "",
    by: By = "",
    no_wait: NoWait = False,
) -> None:
    """Register a device that sends already, and try its quarantined messages again.

    District and kind are those of its topic; everything else is checked like a row of a registry file.
    """
    settings = load_settings()
    kinds = wiring.kinds(settings)
    with database(settings) as connection:
        one = _the_one(store.unregistered(connection, device_id), device_id, district, kind)
        if one.known_kind is not None:
            raise CommandError(_known(one))
        city = load_city(connection)
        cells = {
            "device_id": device_id, "kind": one.kind, "name": name, "district": one.district, "lon": lon, "lat": lat,
            "grid": grid, "road": road, "road_class": road_class,
            "component_class": component_class_ or component_class(device_id, kinds.get(one.kind)),
            "circuit": circuit, "cabinet": cabinet, "gateway": gateway,
            "supervisor": supervisor, "owner": owner, "maintainer": maintainer,
            **_pairs("limit", limit or ()), **_pairs("attr", attr or ()),
        }  # fmt: skip
        device = read_row(cells, kinds, units=city.units, districts=city.districts)
        if device.device_id != device_id:
            raise CommandError(
                f"{device_id!r} begins or ends with a blank: no registry can name it; correct the device"
            )
        now = wiring.clock(settings).now()
        asked = store.adopt(connection, device, settings.partition_of, now, by or getpass.getuser())
        out.print(f"{device_id} registered as {one.kind} in district {one.district}.", markup=False)
        report(connection, asked, wait=not no_wait)


def _write(path: Path, found: Sequence[Unregistered], kinds: Mapping[str, Kind]) -> None:
    devices = [DeviceTopic(each.district, each.kind, each.device_id, CHANNELS[0]) for each in found]
    try:
        with path.open("x", encoding="utf-8-sig", newline="") as file:  # the mark tells spreadsheets that it is UTF-8
            file.write(skeleton(devices, kinds))
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error
    out.print(f"{many(len(devices), 'device')} written. Complete {path}, then:", markup=False)
    out.print(f"  cityward devices import {path}\n  cityward quarantine replay --code unregistered", markup=False)


def _the_one(found: Iterable[Unregistered], device_id: str, district: str, kind: str) -> Unregistered:
    """The device meant.

    Raises:
        CommandError: if there is none, or more than one.
    """
    meant = [each for each in found if district in {"", each.district} and kind in {"", each.kind}]
    if not meant:
        raise CommandError(
            f"no message of an unregistered device {device_id!r} is in quarantine; cityward devices unregistered lists"
            " those that are, and cityward devices import registers devices that have not sent yet"
        )
    if len(meant) > 1:
        seen = ", ".join(f"{each.kind} in {each.district}" for each in meant)
        raise CommandError(f"{device_id} sends as {seen}: choose with --district and --kind")
    return meant[0]


def _known(sends: Unregistered) -> str:
    registered = f"{sends.device_id} is registered as {sends.known_kind} in district {sends.known_district}"
    if (sends.known_district, sends.known_kind) == (sends.district, sends.kind):
        return f"{registered}; cityward quarantine replay --code unregistered tries its messages again"
    return (
        f"{registered}, but sends as {sends.kind} in {sends.district}: correct the topic that it sends on, or its row"
        " in the registry"
    )


def _pairs(prefix: str, pairs: Iterable[str]) -> dict[str, str]:
    cells = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise CommandError(f"--{prefix}: {pair!r} lacks a value: write name=value")
        cells[f"{prefix}.{name.strip()}"] = value
    return cells


def _command(each: Unregistered, found: Sequence[Unregistered]) -> str:
    if each.known_kind is not None:
        return f"# {_known(each)}"
    twins = [other for other in found if other.device_id == each.device_id]
    which = f" --district {shlex.quote(each.district)} --kind {each.kind}" if len(twins) > 1 else ""
    return f"cityward devices adopt {shlex.quote(each.device_id)}{which} --name '...' --lon ... --lat ..."


def _sample(message: Quarantined | None, each: Unregistered, kinds: Mapping[str, Kind]) -> str:
    """What the device's last message holds, were it registered."""
    if message is None:
        return ""
    pretended = Device(id=1, device_id=each.device_id, kind=each.kind, name="", district=each.district, lon=0, lat=0)
    decoded = decode_again(Decoder(Registry(kinds, [pretended])), [message], message.received_at)
    for readings in decoded.readings:
        return " ".join(f"{name}={value}" for name, value in sent(readings, len(readings) - 1).items())
    return "; ".join(f"{one.code}: {printable(one.detail)}" for one in decoded.rejected)
