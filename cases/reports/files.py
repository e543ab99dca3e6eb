"""Reports as files: CSV and XLSX for people in their language, JSON with plain keys for programs."""

import codecs
import csv
import io
import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta, tzinfo
from enum import StrEnum
from typing import BinaryIO

import msgspec

from cases.policy import Colour
from cases.reports.document import (
    Cell,
    Column,
    Name,
    Report,
    Shape,
    heading,
    shown,
)
from cases.reports.sheets import FORMULA
from cases.words import Language

# Excel keeps 15 digits of a number; a case has 19, a component 16.
_LONG_NUMBER = re.compile(r"\d{16,}")


class Format(StrEnum):
    """What a report can be written as."""

    CSV = "csv"
    XLSX = "xlsx"
    JSON = "json"

    @property
    def media_type(self) -> str:
        """For the header ``Content-Type``."""
        return _MEDIA_TYPES[self]


_MEDIA_TYPES = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.JSON: "application/json",
}


def write(report: Report, form: Format, language: Language, stream: BinaryIO) -> None:
    """The whole report; its rows are taken once.

    Raises:
        TooLongError: where a table does not fit on a sheet of XLSX.
    """
    writers: Mapping[Format, Callable[[Report, Language, BinaryIO], None]] = {
        Format.CSV: _csv,
        Format.XLSX: _xlsx,
        Format.JSON: _json,
    }
    writers[form](report, language, stream)


def _csv(report: Report, language: Language, stream: BinaryIO) -> None:
    """UTF-8 with the mark by which Excel knows it; tables one below the other where there are several."""
    stream.write(codecs.BOM_UTF8)
    text = io.TextIOWrapper(stream, encoding="utf-8", newline="", write_through=True)
    rows = csv.writer(text)
    for number, part in enumerate(report.parts):
        if len(report.parts) > 1:
            rows.writerows([[], [heading(part.key, language)]] if number else [[heading(part.key, language)]])
        rows.writerow([heading(column.key, language) for column in part.columns])
        for row in part.rows:
            cells = zip(part.columns, row, strict=True)
            rows.writerow([_csv_cell(column, cell, language, report.zone) for column, cell in cells])
    text.detach()


def _csv_cell(column: Column, cell: Cell, language: Language, zone: tzinfo) -> str:
    if isinstance(cell, timedelta):
        return f"{cell / timedelta(hours=1):.1f}"
    if isinstance(cell, int | float) and column.words is None:
        return (
            f"{cell:.4f}" if column.shape is Shape.SHARE else str(int(cell)) if isinstance(cell, int) else f"{cell:.2f}"
        )
    text = shown(column, cell, language, zone)
    if _LONG_NUMBER.fullmatch(text):
        return f"{text}\t"  # keeps spreadsheets from rounding it
    return f"'{text}" if FORMULA.match(text) else text


def _xlsx(report: Report, language: Language, stream: BinaryIO) -> None:
    from cases.reports import workbook  # noqa: PLC0415 - openpyxl loads longer than most commands run

    workbook.write(report, language, stream)


def _json(report: Report, _language: Language, stream: BinaryIO) -> None:
    """One document; moments in UTC, shares from 0 to 1, spans in hours, units and districts by their ids."""
    head = {
        "report": report.key, "period": report.period, "city": report.city._asdict(), "first": report.first,
        "last": report.last, "at": report.at, "notes": report.notes,
    }  # fmt: skip
    stream.write(msgspec.json.encode(head)[:-1] + b',"parts":{')
    for number, part in enumerate(report.parts):
        stream.write((b"," if number else b"") + msgspec.json.encode(part.key) + b":[")
        for count, row in enumerate(part.rows):
            line = {column.key: _plain(cell) for column, cell in zip(part.columns, row, strict=True)}
            stream.write((b",\n" if count else b"\n") + msgspec.json.encode(line))
        stream.write(b"]")
    stream.write(b"}}\n")


def _plain(cell: Cell) -> str | int | float | date | None:
    if isinstance(cell, Name):
        return cell.key
    if isinstance(cell, timedelta):
        return round(cell / timedelta(hours=1), 3)
    if isinstance(cell, Colour):
        return cell.name.lower()
    return cell
