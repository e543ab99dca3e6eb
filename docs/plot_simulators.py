"""Draws one day of each kind of the pretend city as SVG: ``python docs/plot_simulators.py docs/simulators``.

No library of the product is needed for it but NumPy: an SVG is text.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from devices.moments import MICROS
from devices.readings import Floats, Ints
from simulators.chance import HOUR
from simulators.city import PretendCity, build_city
from simulators.faults import DAY, MINUTE, Fault, FaultKind
from simulators.fleet import Fleet
from simulators.physics.daytime import LOCAL
from simulators.physics.weather import Rain
from simulators.story import Story

_WIDTH, _LEFT, _TOP, _PANEL, _GAP = 900, 64, 34, 120, 26
_COLOURS = ("#1f5a94", "#c2571a", "#3c8031", "#7a4a9e")
_BEGIN = round(datetime(2026, 9, 16, tzinfo=LOCAL).timestamp()) * MICROS  # a Wednesday
_SEED = 7


@dataclass(frozen=True, slots=True)
class Line:
    """A curve: its name, hours since midnight, values."""

    name: str
    hours: Floats
    values: Floats
    dots: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """Curves on one axis."""

    unit: str
    lines: Sequence[Line]


def main() -> None:
    """Write every picture into the folder that is asked for."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    city = build_city(_SEED, 520)
    for name, title, panels in pictures(city):
        (folder / f"{name}.svg").write_text(drawn(title, panels), encoding="utf-8")


def pictures(city: PretendCity) -> Iterator[tuple[str, str, list[Panel]]]:
    """Name, title and panels of each picture."""
    rains = (
        Rain(_BEGIN + 14 * HOUR, _BEGIN + 19 * HOUR, 5),
        Rain(_BEGIN + 15 * HOUR + 30 * MINUTE, _BEGIN + 16 * HOUR + 30 * MINUTE, 80),
    )
    yield "manhole", "Covers on a day with a cloudburst; one is opened at 10:20", _covers(city, rains)
    yield "fume", "A kitchen; its purifier is off from 18:00 to 18:50", _kitchen(city)
    yield (
        "noise",
        "A building site on a main road, which works from 22:30 on without a permit, and a meter among homes",
        _meter(city),
    )
    yield "streetlight", "A lamp through the night; leakage in a shower at 21:00", _lamp(city)
    yield "bridge", "A bridge of one lane each way", _bridge(city)


def _at(step: int, start: int = _BEGIN, span: int = DAY) -> Ints:
    return np.arange(start, start + span, step)


def _hours(at: Ints) -> Floats:
    return np.asarray((at - _BEGIN) / HOUR)


def _fault(kind: FaultKind, city: PretendCity, device_kind: str, row: int, begins: float, ends: float) -> Fault:
    name = city.of_kind(device_kind)[row].device_id
    return Fault(kind, (name,), _BEGIN + round(begins * HOUR), _BEGIN + round(ends * HOUR))


def _covers(city: PretendCity, rains: tuple[Rain, ...]) -> list[Panel]:
    sorts = {each.component_class: row for row, each in reversed([*enumerate(city.of_kind("manhole"))])}
    opened = sorts["0105"]
    fault = _fault(FaultKind.COVER_OPENED, city, "manhole", opened, 10.33, 11.1)
    fleet = Fleet(city, Story((fault,), rains), _SEED)
    at = _at(10 * MINUTE)
    water = [
        Line(name, _hours(at), fleet.measure("manhole", np.full(len(at), sorts[sort]), at)["water_level"])
        for name, sort in (("storm drain", "0103"), ("sewer", "0102"), ("power", "0105"))
    ]
    tilt = fleet.measure("manhole", np.full(len(at), opened), at)["tilt"]
    rain = fleet.measure("noise", np.zeros(len(at), dtype=np.int64), at)["rain"] * 60
    return [
        Panel("rain mm/h", [Line("rain", _hours(at), rain)]),
        Panel("water m", water),
        Panel("tilt °", [Line("power cover", _hours(at), tilt)]),
    ]


def _kitchen(city: PretendCity) -> list[Panel]:
    at = _at(MINUTE)
    off = _fault(FaultKind.PURIFIER_OFF, city, "fume", 4, 18, 18.83)
    found = Fleet(city, Story((off,)), _SEED).measure("fume", np.full(len(at), 4), at)
    hours = _hours(at)
    return [
        Panel("fume mg/m³", [Line("fume", hours, found["fume"])]),
        Panel("A", [Line("fan", hours, found["fan_current"]), Line("purifier", hours, found["purifier_current"])]),
        Panel("flue °C", [Line("temperature", hours, found["flue_temp"])]),
    ]


def _meter(city: PretendCity) -> list[Panel]:
    row = next(n for n, each in enumerate(city.of_kind("noise")) if each.word("site") == "construction")
    at = _at(2 * MINUTE)
    works = _fault(FaultKind.NIGHT_WORKS, city, "noise", row, 22.5, 24)
    found = Fleet(city, Story((works,)), _SEED).measure("noise", np.full(len(at), row), at)
    home = next(n for n, each in enumerate(city.of_kind("noise")) if each.word("noise_zone") == "1")
    quiet = Fleet(city, Story(), _SEED).measure("noise", np.full(len(at), home), at)
    hours = _hours(at)
    return [
        Panel("site dB(A)", [Line(name, hours, found[name]) for name in ("lmax", "laeq", "l90")]),
        Panel("homes dB(A)", [Line(name, hours, quiet[name]) for name in ("lmax", "laeq", "l90")]),
    ]


def _lamp(city: PretendCity) -> list[Panel]:
    noon = _BEGIN + 12 * HOUR
    at = _at(5 * MINUTE, noon)
    wet = Rain(_BEGIN + 20 * HOUR, _BEGIN + 22 * HOUR, 9)
    row = int(np.argmax([each.trait for each in city.of_kind("streetlight")]))
    found = Fleet(city, Story(rains=(wet,)), _SEED).measure("streetlight", np.full(len(at), row), at)
    hours = _hours(at)
    return [
        Panel("W", [Line("power", hours, found["active_power"])]),
        Panel("V", [Line("voltage", hours, found["voltage"])]),
        Panel("°C", [Line("gear", hours, found["gear_temp"])]),
        Panel("mA", [Line("leakage", hours, found["leakage_ma"])]),
    ]


def _bridge(city: PretendCity) -> list[Panel]:
    sensors = [each.word("sensor_type") for each in city.of_kind("bridge")]
    at = _at(2 * MINUTE)
    fleet = Fleet(city, Story(), _SEED)
    hours = _hours(at)

    def of(sort: str, times: Ints = at) -> dict[str, Floats]:
        return fleet.measure("bridge", np.full(len(times), sensors.index(sort)), times)

    strain = of("strain")
    scale = sensors.index("wim")
    only = PretendCity((city.of_kind("bridge")[scale],), city.kinds)
    begin = datetime.fromtimestamp(_BEGIN / MICROS, LOCAL)
    end = datetime.fromtimestamp((_BEGIN + DAY) / MICROS, LOCAL)
    weighed = np.concatenate([each.ts for each in Fleet(only, Story(), _SEED).reports(begin, end)])[::3]
    lorries = Line("every third vehicle", _hours(weighed), of("wim", weighed)["gross_t"], dots=True)
    return [
        Panel("µε", [Line("strain", hours, strain["strain"])]),
        Panel("°C", [Line("steel", hours, strain["structure_temp"])]),
        Panel("mm", [Line("deflection", hours, of("deflection")["deflection"])]),
        Panel("t", [lorries]),
        Panel("m/s", [Line("wind", hours, of("wind")["wind_speed"]), Line("gusts", hours, of("wind")["wind_gust"])]),
    ]


def drawn(title: str, panels: Sequence[Panel]) -> str:
    """The picture as SVG."""
    height = _TOP + len(panels) * (_PANEL + _GAP) + 6
    begins = min(line.hours.min() for panel in panels for line in panel.lines)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif">',
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="{_LEFT}" y="20" font-size="15" fill="#222">{title}</text>',
    ]
    for number, panel in enumerate(panels):
        parts += _panel(panel, _TOP + number * (_PANEL + _GAP), float(np.floor(begins)))
    return "\n".join([*parts, "</svg>", ""])


def _panel(panel: Panel, top: int, begins: float) -> Iterator[str]:
    values = np.concatenate([line.values for line in panel.lines])
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    low = 0.0 if 0 <= low < 0.4 * high else low
    room = max(high - low, 1e-6) * 0.06
    low, high = low - (room if low else 0), high + room
    wide = _WIDTH - _LEFT - 24
    yield f'<rect x="{_LEFT}" y="{top}" width="{wide}" height="{_PANEL}" fill="none" stroke="#999"/>'
    for hour in range(0, 25, 3):
        x = _LEFT + wide * hour / 24
        yield f'<path d="M{x:.1f} {top}v{_PANEL}" stroke="#e4e4e4"/>'
        yield _text(x, top + _PANEL + 13, f"{int(begins + hour) % 24}:00", 'text-anchor="middle"')
    for share in (0, 0.5, 1):
        yield _text(_LEFT - 5, top + _PANEL * (1 - share) + 4, _short(low, high, share), 'text-anchor="end"')
    middle = top + _PANEL / 2
    yield _text(14, middle, panel.unit, f'transform="rotate(-90 14 {middle})" text-anchor="middle"')
    for number, line in enumerate(panel.lines):
        x = _LEFT + (line.hours - begins) / 24 * wide
        y = top + _PANEL * (1 - (line.values - low) / (high - low))
        colour = _COLOURS[number]
        points = [f"{a:.1f} {b:.1f}" for a, b in zip(x.tolist(), y.tolist(), strict=True)]
        if line.dots:
            marks = "".join(f"M{point}h1v1h-1z" for point in points)
            yield f'<path d="{marks}" fill="{colour}"/>'
        else:
            yield f'<path d="M{"L".join(points)}" fill="none" stroke="{colour}" stroke-width="1"/>'
        yield _text(_LEFT + 8 + 110 * number, top + 14, line.name, f'fill="{colour}"')


def _text(x: float, y: float, text: str, how: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="11" {how}>{text}</text>'


def _short(low: float, high: float, share: float) -> str:
    value = low + (high - low) * share
    return f"{value:.0f}" if high - low >= 8 else f"{value:.1f}" if high - low >= 0.8 else f"{value:.2f}"


if __name__ == "__main__":
    main()
