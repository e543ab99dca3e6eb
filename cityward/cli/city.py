"""Commands about what stands in the city."""

from pathlib import Path
from typing import Annotated

import typer

from cityward import wiring
from cityward.cli.context import database, head, heads, load_settings, out, table
from cityward.cli.progress import progress
from cityward.showing import many
from devices.moments import MICROS
from devices.registry_csv import read_registry
from storage.device_memory import memories
from storage.migrate import city_grid
from storage.registry_store import also_sent, import_city, import_devices, lags, load_city, load_registry
from storage.rollups import settle

city_app = typer.Typer(no_args_is_help=True)
devices_app = typer.Typer(no_args_is_help=True)

_File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, show_default=False, help="The file, in UTF-8.")]


@city_app.command("import")
def city_import(file: _File) -> None:
    """Take over a city.toml: all of it, or nothing and a list of what is wrong."""
    settings = load_settings()
    kinds = wiring.kinds(settings)
    document = wiring.city_document(file, kinds)
    with database(settings) as connection:
        before = city_grid(connection)
        city = import_city(connection, document, str(file), wiring.clock(settings).now())
        moved = city_grid(connection) != before
    if moved:
        out.print("The time zone or the night has changed: run cityward migrate, so that days are the city's.")
    out.print(
        f"{city.names[settings.language]}: {many(len(city.districts), 'district')}, {many(len(city.units), 'unit')}."
    )
    if city.deadlines:
        plans = wiring.practice(city, wiring.rules(settings, kinds), kinds).plans
        for rule in sorted(city.deadlines.keys() - plans.keys()):
            out.print(f"deadlines.{rule}: no pack has such a rule, so this changes nothing; see cityward rules list")


@city_app.command("show")
def city_show() -> None:
    """The city in force: its districts, and the units that are responsible there."""
    settings = load_settings()
    with database(settings) as connection:
        city = load_city(connection)
    rows = ((key, each.name[settings.language], each.fallback) for key, each in city.districts.items())
    out.print(f"{city.names[settings.language]}, {city.calendar.timezone}, {many(len(city.units), 'unit')}.")
    out.print(table("Districts", ["district", "name", "who gets what nobody else is responsible for"], rows))
    if city.lateness:
        waits = ((kind, f"{wait / MICROS:g} s") for kind, wait in sorted(city.lateness.items()))
        out.print(table("Wait for late ones", ["kind", "before rules see it"], waits))


@devices_app.command("import")
def devices_import(file: _File) -> None:
    """Register the devices of a CSV file: all of them, or none and a list of what is wrong."""
    settings = load_settings()
    kinds = wiring.kinds(settings)
    with database(settings) as connection, progress() as say:
        city = load_city(connection)
        devices = read_registry(file, kinds, units=city.units, districts=city.districts)

        def told(written: int) -> None:
            say("registering", written / len(devices), f"{written} of {many(len(devices), 'device')}")

        import_devices(connection, devices, str(file), wiring.clock(settings).now(), told)
        settle(connection)
    out.print(f"{many(len(devices), 'device')} registered.")


@devices_app.command("list")
def devices_list(
    kind: Annotated[str, typer.Option(help="Only this kind.")] = "",
    district: Annotated[str, typer.Option(help="Only this district.")] = "",
    behind: Annotated[
        float | None,
        typer.Option(
            help="Only devices whose last reading was so many seconds behind its arrival.", show_default=False
        ),
    ] = None,
) -> None:
    """Registered devices, how far their last reading was behind its arrival, and keys that their kind does not know.

    A lag that stays is a clock that is behind; a negative one is a clock that is ahead.
    """
    settings = load_settings()
    with database(settings) as connection:
        registry = load_registry(connection, wiring.kinds(settings))
        extra, lag = also_sent(connection), lags(connection)
    chosen = [
        device
        for device in registry.devices.values()
        if (not kind or device.kind == kind)
        and (not district or device.district == district)
        and (behind is None or (device.device_id in lag and lag[device.device_id].total_seconds() >= behind))
    ]
    language = settings.language
    headings = heads(language, "device", "kind", "name", "district", "road", "maintainer", "owner", "lag", "also_sent")
    least = heads(language, "owner", "also_sent", "road", "lag")
    rows = [
        (each.device_id, each.kind, each.name, each.district, each.road, each.maintainer, each.owner,
         f"{lag[each.device_id].total_seconds():.0f} s" if each.device_id in lag else "-",
         " ".join(extra.get(each.device_id, [])))
        for each in chosen
    ]  # fmt: skip
    out.print(table(head(language, "devices", count=len(chosen)), headings, rows, least=least, language=language))


@devices_app.command("learnt")
def devices_learnt(
    device: Annotated[str, typer.Argument(help="Only this device.", show_default=False)] = "",
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 100,
) -> None:
    """What devices learnt when a case of theirs closed, such as a cover's tilt at rest, beside what was installed.

    It counts in place of what the registry says until a person changes that there.
    """
    with database(load_settings()) as connection:
        found = memories(connection, device, limit)
    rows = [
        (each.device_id, each.attribute, "-" if each.installed is None else each.installed, f"{each.measured:g}",
         each.state, f"{each.ts:%Y-%m-%d %H:%M} UTC", each.case)
        for each in found
    ]  # fmt: skip
    headings = ["device", "attribute", "installed", "measured", "state", "measured at", "after case"]
    out.print(table(f"{len(rows)} measured after cases", headings, rows))
