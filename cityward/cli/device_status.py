"""What is known of devices: when they were heard, what they sent last, battery, signal, firmware, connection."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated

import msgspec
import typer

from cases.countdown import countdown
from cityward import wiring
from cityward.cli.context import CommandError, database, head, heads, load_settings, out, table
from devices.battery import METRICS, is_low
from devices.kind import Kind
from devices.quality import Quality
from storage import device_status as store
from storage.device_status import DeviceStatus

_SIGNAL = {"rsrp": "dBm", "csq": ""}
_UNKNOWN = "-"
_COLUMNS = (
    "device", "kind", "district", "name", "last_heard", "ago", "connection", "battery", "signal", "firmware",
)  # fmt: skip


def status(
    device_id: Annotated[
        str | None, typer.Argument(help="One device in full; without it a list.", show_default=False)
    ] = None,
    kind: Annotated[str, typer.Option(help="Only this kind.")] = "",
    district: Annotated[str, typer.Option(help="Only this district.")] = "",
    silent: Annotated[
        bool, typer.Option("--silent", help="Only devices not heard for longer than their kind allows, or never.")
    ] = False,
    low_battery: Annotated[
        bool, typer.Option("--low-battery", help="Only devices whose battery is below its limit.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many devices.")] = 50,
    json_lines: Annotated[bool, typer.Option("--json", help="A JSON line for each device instead of a table.")] = False,
) -> None:
    """What is known of devices: last heard, last values, battery, signal, firmware, connection.

    At most seconds behind. The list begins with devices never heard, then the longest silent.
    """
    settings = load_settings()
    kinds = wiring.kinds(settings)
    if kind and kind not in kinds:
        raise CommandError(f"--kind: {kind!r} is not one of {', '.join(kinds)}")
    chosen = [kinds[kind]] if kind else list(kinds.values())
    now = wiring.clock(settings).now()
    with database(settings) as connection, connection.transaction():
        if device_id is not None:
            found = store.one(connection, device_id)
            if found is None:
                raise CommandError(f"no device {device_id!r} is registered; cityward devices list shows those that are")
            if json_lines:
                _print_lines([found])
            else:
                _print_one(found, kinds.get(found.kind), now)
            return
        statuses = store.many(connection, chosen, now, district=district or None, silent=silent, on_battery=low_battery)
        first = _first(statuses, kinds, limit, low_battery=low_battery)
    if json_lines:
        _print_lines(first[:limit])
        return
    language = settings.language
    title = head(language, "devices_first" if len(first) > limit else "devices", count=min(limit, len(first)))
    rows = (_row(each, now) for each in first[:limit])
    least = heads(language, "firmware", "signal", "connection", "battery", "name")
    out.print(table(title, heads(language, *_COLUMNS), rows, least=least, language=language))


def _first(
    statuses: Iterator[DeviceStatus], kinds: Mapping[str, Kind], limit: int, *, low_battery: bool
) -> list[DeviceStatus]:
    """One more than the limit, if there are so many."""
    found: list[DeviceStatus] = []
    for each in statuses:
        if not low_battery or is_low(kinds[each.kind], each.limits, each.latest or {}):
            found.append(each)
            if len(found) > limit:
                break
    return found


def _print_lines(statuses: Sequence[DeviceStatus]) -> None:
    for each in statuses:
        print(msgspec.json.encode(each).decode())  # noqa: T201 - another program reads it


def _row(each: DeviceStatus, now: datetime) -> tuple[str, ...]:
    heard, ago = _heard(each.last_received_at, now)
    return (
        each.device_id, each.kind, each.district, each.name, heard, ago, _connection(each),
        _measured(each, METRICS), _measured(each, _SIGNAL), each.firmware or _UNKNOWN,
    )  # fmt: skip


def _print_one(each: DeviceStatus, kind: Kind | None, now: datetime) -> None:
    heard, ago = _heard(each.last_received_at, now)
    low = kind is not None and is_low(kind, each.limits, each.latest or {})
    rows = [
        ("device", f"{each.device_id}, a {each.kind}"),
        ("name", each.name),
        ("where", " ".join(filter(None, (each.district, each.road)))),
        ("gateway", each.gateway or _UNKNOWN),
        ("last heard", heard if each.last_received_at is None else f"{heard}, {ago} ago"),
        ("last reading", _heard(each.last_ts, now)[0]),
        ("lag", _UNKNOWN if each.lag is None else f"{each.lag.total_seconds():.1f} s"),
        ("readings", each.readings or 0),
        ("doubts", _doubts(each.quality)),
        ("connection", _connection(each)),
        ("battery", _measured(each, METRICS) + (" LOW" if low else "")),
        ("signal", _measured(each, _SIGNAL)),
        ("firmware", each.firmware or _UNKNOWN),
        ("also sent", " ".join(each.also_sent or ()) or _UNKNOWN),
    ]
    out.print(table("Status", ["", ""], rows))
    units = {metric.name: metric.unit for metric in kind.metrics} if kind else {}
    values = [(name, value, units.get(name, "")) for name, value in (each.latest or {}).items()]
    out.print(table("Last values", ["metric", "value", "unit"], values))


def _heard(at: datetime | None, now: datetime) -> tuple[str, str]:
    """When, and how long ago."""
    return ("never", _UNKNOWN) if at is None else (f"{at:%Y-%m-%d %H:%M:%S} UTC", countdown(now, at))


def _connection(each: DeviceStatus) -> str:
    if each.online is None or each.since is None:
        return _UNKNOWN
    return f"{'online' if each.online else 'offline'} since {each.since:%Y-%m-%d %H:%M:%S} UTC"


def _measured(each: DeviceStatus, units: Mapping[str, str]) -> str:
    latest = each.latest or {}
    found = [f"{latest[name]:g} {unit or name}" for name, unit in units.items() if name in latest]
    return ", ".join(found) or _UNKNOWN


def _doubts(quality: int | None) -> str:
    if quality is None:
        return _UNKNOWN
    return (Quality(quality).name or "").lower().replace("|", ", ") or "none"
