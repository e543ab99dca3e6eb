"""Commands about what stands in the city."""

import tomllib
from pathlib import Path
from typing import Annotated

import typer

from cityward import wiring
from cityward.cli.context import database, load_settings, out, table
from devices.errors import DescriptionError
from devices.registry_csv import read_registry
from storage.registry_store import also_sent, import_city, import_devices, load_city, load_registry

city_app = typer.Typer(no_args_is_help=True)
devices_app = typer.Typer(no_args_is_help=True)

_File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, show_default=False)]


@city_app.command("import")
def city_import(file: _File) -> None:
    """Take over a city.toml: all of it, or nothing and a list of what is wrong."""
    settings = load_settings()
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DescriptionError(str(file), [str(error)]) from error
    with database(settings) as connection:
        city = import_city(connection, document, str(file), wiring.clock(settings).now())
    out.print(f"{city.names[settings.language]}: {len(city.districts)} districts, {len(city.units)} units.")


@devices_app.command("import")
def devices_import(file: _File) -> None:
    """Register the devices of a CSV file: all of them, or none and a list of what is wrong."""
    settings = load_settings()
    kinds = wiring.kinds(settings)
    with database(settings) as connection:
        city = load_city(connection)
        devices = read_registry(file, kinds, units=city.units, districts=city.districts)
        import_devices(connection, devices, str(file), wiring.clock(settings).now())
    out.print(f"{len(devices)} devices registered.")


@devices_app.command("list")
def devices_list(
    kind: Annotated[str, typer.Option(help="Only this kind.")] = "",
    district: Annotated[str, typer.Option(help="Only this district.")] = "",
) -> None:
    """Registered devices, and keys that they send although their kind does not know them."""
    settings = load_settings()
    with database(settings) as connection:
        registry = load_registry(connection, wiring.kinds(settings))
        extra = also_sent(connection)
    chosen = [
        device
        for device in registry.devices.values()
        if (not kind or device.kind == kind) and (not district or device.district == district)
    ]
    headings = ["device", "kind", "name", "district", "road", "maintainer", "owner", "also sent"]
    rows = [
        (each.device_id, each.kind, each.name, each.district, each.road, each.maintainer, each.owner,
         " ".join(extra.get(each.device_id, [])))
        for each in chosen
    ]  # fmt: skip
    out.print(table(f"{len(chosen)} devices", headings, rows))
