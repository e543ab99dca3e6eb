"""``cityward rules backtest``: what rules would have raised over stored history, or over the readings of a file."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from cityward import wiring
from cityward.backtest import judging as trying
from cityward.backtest.history import History, filed, stored
from cityward.backtest.report import report
from cityward.cli.backtest_tables import show
from cityward.cli.context import CommandError, database, load_settings, out
from cityward.cli.progress import Say, progress
from cityward.settings import Settings
from devices.kind import Kind
from devices.moments import micros
from devices.registry import Registry
from rules.hindsight import HindsightError
from rules.packs import PACKS_FOLDER, load_packs, rule_ids
from rules.rule import Rule

_FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M"]
_FileOption = Annotated[
    Path | None,
    typer.Option("--file", exists=True, dir_okay=False, help="Readings to go through in place of stored ones: "
                 ".csv or .jsonl, gzipped or not, with device_id, ts, metrics by name, and quality if known.",
                 show_default=False),
]  # fmt: skip
_DevicesOption = Annotated[
    Path | None,
    typer.Option("--devices", exists=True, dir_okay=False, help="With --file: the devices, as cityward devices import "
                 "takes them; no database is needed then.", show_default=False),
]  # fmt: skip
_CityOption = Annotated[
    Path | None,
    typer.Option("--city", exists=True, dir_okay=False, help="With --devices: the city file, for its time zone, night "
                 "hours and holidays; without it China's.", show_default=False),
]  # fmt: skip


def backtest(
    pack: Annotated[
        str,
        typer.Argument(
            help="A pack in force, such as manhole, or a pack or a folder of packs to try instead; without it all in "
            "force.",
            show_default=False,
        ),
    ] = "",
    since: Annotated[
        datetime | None, typer.Option("--from", formats=_FORMATS, help="The beginning, in the city's time.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option("--to", formats=_FORMATS, help="The end, which is not part of it.")
    ] = None,
    file: _FileOption = None,
    devices: _DevicesOption = None,
    city: _CityOption = None,
    rule: Annotated[list[str] | None, typer.Option(help="Only this rule; may be repeated.", show_default=False)] = None,
    limit: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="Try another default limit; devices with a limit of their own keep it. May be repeated.",
            show_default=False,
        ),
    ] = None,
    district: Annotated[str, typer.Option(help="Only devices in this district.")] = "",
    device: Annotated[
        list[str] | None, typer.Option(help="Only this device, and the groups it belongs to.", show_default=False)
    ] = None,
    json_line: Annotated[bool, typer.Option("--json", help="One JSON line instead of tables.")] = False,
) -> None:
    """Say what rules would have raised over history, before they page anybody.

    What judges the city judges here: rules on readings, windows, groups, silence and, over stored history, jobs. Shows
    alarms and cases that would have been, what differs from the rules in force, what crews found where they went, and
    for the noisiest devices the delay or deadband that would have made them quieter. Silence goes by the devices' own
    times; of what was before the beginning it is only known who was heard when.

    A month that is stored:   cityward rules backtest my/packs --from 2026-11-01 --to 2026-12-01

    A file, no database:   cityward rules backtest noise --file readings.csv.gz --devices devices.csv
    """
    settings = load_settings()
    kinds = wiring.kinds(settings)
    if (devices and not file) or (city and not devices):
        raise CommandError("--devices goes with --file, and --city with --devices")
    if not file and not (since and until):
        raise CommandError("give --from and --to, or a --file")
    in_force = wiring.rules(settings, kinds)
    wanted, among = _chosen(pack, in_force, kinds, settings.packs_dir or PACKS_FOLDER, rule or [])
    try:
        tried_kinds = trying.with_limits(kinds, _limits(limit or []))
    except ValueError as error:
        raise CommandError(f"--limit: {error}") from error
    with progress() as say, _history(settings, kinds, file, devices, city, say) as history:
        asked = _span(history, since, until, _devices(history.registry, district, device or []))
        tried = trying.Side.of(wanted, among, history.registry.with_kinds(tried_kinds))
        beside = trying.Side.of(wanted, in_force, history.registry) if limit or among != in_force else None
        try:
            found = trying.run(history.world, asked, tried, beside, lambda at: say(at.kind, at.share, at.speed))
        except HindsightError as error:
            raise CommandError(str(error)) from error
        past = history.visits(asked)
    rules = {each.id: each for each in [*in_force, *among]}
    told = report(found, rules, asked, past, history.watched) | dict(history.left_out)
    if json_line:
        print(json.dumps(told, ensure_ascii=False))  # noqa: T201 - another program reads it
    else:
        names = {each.id: each.names[settings.language] for each in among}
        for part in show(told, names, settings.language, history.world.local_time.zone):
            out.print(part)


def _chosen(
    pack: str, in_force: Sequence[Rule], kinds: Mapping[str, Kind], folder: Path, only: Sequence[str]
) -> tuple[list[str], Sequence[Rule]]:
    """The ids of the rules to try, and the set that they are of."""
    path = next((each for each in (Path(pack), folder / f"{pack}.yaml") if pack and each.exists()), None)
    among, ids = in_force, [rule.id for rule in in_force]
    if path is not None and path.is_dir():
        among = load_packs(kinds, path)
        ids = [rule.id for rule in among]
    elif path is not None:
        among = in_force if path.parent.samefile(folder) else load_packs(kinds, path.parent)
        ids = rule_ids(path)
    elif pack in kinds:
        ids = [rule.id for rule in in_force if rule.kind == pack]
    elif pack:
        raise CommandError(f"no pack {pack!r}: neither a file, nor a folder, nor in {folder}, nor a kind")
    if unknown := set(only) - {*ids}:
        raise CommandError(f"--rule: no {', '.join(sorted(unknown))} among {', '.join(ids)}")
    return [each for each in ids if not only or each in only], among


def _devices(registry: Registry, district: str, names: Sequence[str]) -> set[int]:
    for name in names:
        if registry.named(name) is None:
            raise CommandError(f"--device: no device {name}; cityward devices list shows them")
    chosen = {
        device.id
        for device in registry.devices.values()
        if (not district or device.district == district) and (not names or device.device_id in names)
    }
    if not chosen:
        raise CommandError(f"--district: no device in {district!r}")
    return chosen if district or names else set()


def _limits(texts: Sequence[str]) -> dict[str, float]:
    found = {}
    for text in texts:
        name, _, value = text.partition("=")
        try:
            found[name] = float(value)
        except ValueError:
            raise ValueError(f"{text!r} is not NAME=NUMBER") from None
    return found


def _span(history: History, since: datetime | None, until: datetime | None, devices: set[int]) -> trying.Asked:
    """From when to when; of a file all of it where nothing is said."""
    zone = history.world.local_time.zone
    begin, end = (
        fallback if at is None else micros(at.replace(tzinfo=zone))
        for at, fallback in zip((since, until), history.span, strict=True)
    )
    if not any(history.span) and not (since and until):
        raise CommandError("--file: has no reading of a registered device")
    if end <= begin:
        raise CommandError("--to: must be later than --from")
    return trying.Asked(begin, end, devices)


@contextmanager
def _history(
    settings: Settings,
    kinds: Mapping[str, Kind],
    file: Path | None,
    devices: Path | None,
    city: Path | None,
    say: Say,
) -> Iterator[History]:
    def reading(share: float) -> None:
        say(file.name if file else "", share, "")

    if file and devices:
        yield filed(kinds, file, devices, city, reading)
        return
    with database(settings) as connection:
        yield stored(connection, kinds, file, reading)
