"""What devices sent, as people read it. Pure; whatever bytes came, the terminal stays as it is."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from devices.kind import Metric, MetricType
from devices.readings import Readings

_UNSAID = "-"
_LEFT_ALONE = "\n\xa0\u3000"  # lines, and the spaces that Chinese texts and web pages have
_WIDTH = 16  # bytes a line of a hex dump


def printable(text: str) -> str:
    """A text with its control characters spelled out, for they could command a terminal; lines and spaces stay."""
    return "".join(each if each.isprintable() or each in _LEFT_ALONE else ascii(each)[1:-1] for each in text)


def many(count: int, what: str) -> str:
    """So many of something."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def payload_text(payload: bytes, most: int) -> str:
    """The first ``most`` characters of a payload as text where all of it is UTF-8, else so many bytes as a hex dump."""
    try:
        return printable(payload.decode()[:most])
    except UnicodeDecodeError:
        return hex_dump(payload[:most])


def hex_dump(data: bytes) -> str:
    """Offset, bytes and their ASCII, sixteen bytes a line."""
    lines = []
    for at in range(0, len(data), _WIDTH):
        chunk = data[at : at + _WIDTH]
        ascii_text = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in chunk)
        lines.append(f"{at:06x}  {chunk.hex(' '):<{3 * _WIDTH - 1}}  {ascii_text}")
    return "\n".join(lines)


def sent(readings: Readings, row: int) -> dict[str, str]:
    """The metrics that a reading carries, as words."""
    metrics = readings.kind.metrics
    values: dict[str, Any] = {metric.name: readings.values[row, column] for column, metric in enumerate(metrics)}
    values |= {name: column[row] for name, column in readings.texts.items()}
    return _said(metrics, values)


def side_by_side(stored: Mapping[str, Any], refused: Readings, row: int) -> list[tuple[str, str, str, str]]:
    """Metric by metric what is stored, what was refused, and a mark where they differ.

    Args:
        stored: A row of the kind's table.
        refused: Readings of that kind.
        row: Which of them.
    """
    kept, other = _said(refused.kind.metrics, stored), sent(refused, row)
    both = [metric.name for metric in refused.kind.metrics if metric.name in kept or metric.name in other]
    pairs = [(name, kept.get(name, _UNSAID), other.get(name, _UNSAID)) for name in both]
    return [(name, one, another, "" if one == another else "differs") for name, one, another in pairs]


def _said(metrics: tuple[Metric, ...], values: Mapping[str, Any]) -> dict[str, str]:
    present = {metric: values[metric.name] for metric in metrics}
    return {
        metric.name: _word(metric, value)
        for metric, value in present.items()
        if value is not None and value == value  # noqa: PLR0124 - NaN: not measured
    }


def _word(metric: Metric, value: Any) -> str:
    match metric.type:
        case MetricType.TEXT:
            return printable(value)
        case MetricType.ENUM:
            return metric.values[int(value)]
        case MetricType.BOOL:
            return "true" if value else "false"
        case MetricType.SMALLINT | MetricType.INTEGER:
            return str(int(value))
        case MetricType.REAL:
            return str(np.float32(value))  # as the table keeps it
        case _:
            return str(float(value))
