"""Scenarios: TOML files that say what happens in a pretend city, strictly read.

A scenario knows no devices and no dates: it says how many of which, where, on which day and at what time. Together
with a city, a start and a seed it becomes a ``Story``.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time
from pathlib import Path
from typing import Annotated

import msgspec

from devices.errors import DescriptionError
from devices.shapes import convert
from simulators.faults import FaultKind
from simulators.transport import LINE_KEYS

FOLDER = Path(__file__).parent / "scenarios"

_Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
_Count = Annotated[int, msgspec.Meta(ge=1)]
_Size = Annotated[float, msgspec.Meta(gt=0, le=10)]
_LONGEST_S = 7 * 86_400.0
_DURATION = r"^[0-9]+(\.[0-9]+)?(s|m|h|d)$"
_Duration = Annotated[str, msgspec.Meta(pattern=_DURATION)]
_Moment = Annotated[str, msgspec.Meta(pattern=r"^(\+[0-9]+(\.[0-9]+)?(s|m|h|d)|d[1-9][0-9]* [0-2][0-9]:[0-5][0-9])$")]


class Where(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which devices: every field that is given must be so.

    ``fullest`` picks, within the rest, the one unit grid, road, circuit, cabinet or bridge with the most of them.
    """

    district: str = ""
    road: str = ""
    road_class: str = ""
    component_class: str = ""
    circuit: str = ""
    attributes: dict[str, str] = {}
    fullest: str = ""


class FaultEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something goes wrong: with ``count`` devices or a ``share`` of those that are there, else with all of them.

    Each device has its own beginning within ``spread`` after ``at``; with ``together`` they are one fault. ``every``
    repeats it ``times`` times. ``permit`` names the kind of work that is allowed there meanwhile.
    """

    kind: FaultKind
    at: _Moment
    lasts: _Duration
    device_kind: str = ""
    count: _Count | None = None
    share: _Share | None = None
    where: Where = Where()
    spread: _Duration = "0s"
    size: _Size = 1.0
    every: _Duration = "1d"
    times: _Count = 1
    together: bool = False
    permit: str = ""


class RainEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rain over the whole city, or over the ``fullest`` grid of somewhere with half of it ``radius_m`` away."""

    at: _Moment
    lasts: _Duration
    mm_per_h: Annotated[float, msgspec.Meta(gt=0, le=300)]
    where: Where | None = None
    radius_m: Annotated[float, msgspec.Meta(gt=0)] = 600.0


class GaleEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So much more wind in m/s."""

    at: _Moment
    lasts: _Duration
    m_per_s: Annotated[float, msgspec.Meta(gt=0, le=50)]


class CrowdEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many times the usual traffic."""

    at: _Moment
    lasts: _Duration
    times: Annotated[float, msgspec.Meta(gt=0, le=5)]


class _ScenarioFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    title: str
    doc: str
    days: Annotated[float, msgspec.Meta(gt=0)] | None = None
    begins: Annotated[str, msgspec.Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")] = "00:00"
    include: tuple[str, ...] = ()
    fault: tuple[FaultEntry, ...] = ()
    rain: tuple[RainEntry, ...] = ()
    gale: tuple[GaleEntry, ...] = ()
    crowd: tuple[CrowdEntry, ...] = ()
    transport: dict[str, dict[str, float]] = {}


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario with all that it includes, each file once; it lasts its own ``days``, else the longest of theirs.

    ``begins`` is the local time of the first day that it is told for.
    """

    name: str
    title: str
    doc: str
    days: float
    begins: time
    faults: tuple[FaultEntry, ...]
    rains: tuple[RainEntry, ...]
    gales: tuple[GaleEntry, ...]
    crowds: tuple[CrowdEntry, ...]
    transport: dict[str, dict[str, float]]


def shipped() -> list[str]:
    """The names of the scenarios that come along."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load_scenario(name: str, kinds: tuple[str, ...]) -> Scenario:
    """A scenario that comes along, by name, or one's own, by the path of its file.

    Args:
        name: The name or path.
        kinds: The installed kinds, which ``transport`` and ``device_kind`` may name.

    Raises:
        DescriptionError: naming the file and the key that is wrong.
    """
    files: dict[Path, _ScenarioFile] = {}
    path = _path(name, Path(), "a scenario")
    _read(path, kinds, files, ())
    own, parts = files[path], [*files.values()]
    transport: dict[str, dict[str, float]] = {}
    for part in parts:
        for kind, line in part.transport.items():
            transport[kind] = {**transport.get(kind, {}), **line}
    return Scenario(
        name=path.stem,
        title=own.title,
        doc=own.doc,
        days=own.days or max((part.days or 0 for part in parts), default=0) or 1,
        begins=time.fromisoformat(own.begins),
        faults=tuple(each for part in parts for each in part.fault),
        rains=tuple(each for part in parts for each in part.rain),
        gales=tuple(each for part in parts for each in part.gale),
        crowds=tuple(each for part in parts for each in part.crowd),
        transport=transport,
    )


def _path(name: str, beside: Path, asked: str) -> Path:
    if name.endswith(".toml"):
        return beside / name
    if name not in shipped():
        raise DescriptionError(asked, [f"no scenario {name!r}; there are {', '.join(shipped())}, or give a file.toml"])
    return FOLDER / f"{name}.toml"


def _read(path: Path, kinds: tuple[str, ...], files: dict[Path, _ScenarioFile], above: tuple[Path, ...]) -> None:
    """Read a file after those that it includes, each once."""
    if path in above:
        raise DescriptionError(str(path), ["include: it includes itself"])
    if path in files:
        return
    try:
        file = convert(tomllib.loads(path.read_text(encoding="utf-8")), _ScenarioFile)
    except (msgspec.ValidationError, tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise DescriptionError(str(path), [_in_words(error)]) from error
    if problems := [*_problems(file, kinds)]:
        raise DescriptionError(str(path), problems)
    for each in file.include:
        _read(_path(each, path.parent, f"{path}: include"), kinds, files, (*above, path))
    files[path] = file


_GROUPS = ("grid", "road", "circuit", "cabinet", "gateway", "bridge")


def _problems(file: _ScenarioFile, kinds: tuple[str, ...]) -> Iterator[str]:
    for number, entry in enumerate(file.fault):
        here = f"fault[{number}] ({entry.kind})"
        if entry.count is not None and entry.share is not None:
            yield f"{here}: give count or share, not both"
        if entry.device_kind and entry.device_kind not in kinds:
            yield f"{here}: device_kind {entry.device_kind!r} is not one of {', '.join(kinds)}"
    wheres = [(f"fault[{number}]", each.where) for number, each in enumerate(file.fault)]
    wheres += [(f"rain[{number}]", each.where) for number, each in enumerate(file.rain) if each.where]
    for here, where in wheres:
        if where.fullest and where.fullest not in _GROUPS:
            yield f"{here}.where.fullest: {where.fullest!r} is not one of {', '.join(_GROUPS)}"
    for kind, line in file.transport.items():
        if kind not in ("all", *kinds):
            yield f"transport.{kind}: not one of all, {', '.join(kinds)}"
        yield from (f"transport.{kind}.{problem}" for problem in _problems_of_line(line))


def _problems_of_line(line: dict[str, float]) -> Iterator[str]:
    for key, value in line.items():
        if key not in LINE_KEYS:
            yield f"{key}: unknown; there are {', '.join(LINE_KEYS)}"
        elif not 0 <= value <= (_LONGEST_S if key.endswith("_s") else 1):
            yield f"{key}: {value:g} is out of range"


def _in_words(error: Exception) -> str:
    """The library's message with its path as people write it: ``$.fault[0].at`` is ``fault[0].at``."""
    return str(error).replace("`$.", "`").replace("...", "")


def seconds(duration: str) -> float:
    """A duration such as ``90s``, ``1.5h`` or ``2d``."""
    return float(duration[:-1]) * {"s": 1, "m": 60, "h": 3600, "d": 86_400}[duration[-1]]
