"""Reports as files: CSV and XLSX for people in their language, JSON with plain keys for programs."""

import codecs
import csv
import io
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Any, BinaryIO, cast

import msgspec
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from cases.policy import Colour
from cases.reports.document import (
    Cell,
    Column,
    Name,
    Part,
    Report,
    Shape,
    heading,
    shown,
    subtitle,
    title,
)
from cases.words import Language

MOST_ROWS = 1_048_576  # of a sheet, by Excel's specification
_HEAD = 4  # title, subtitle, an empty row, headings
# What a spreadsheet takes for the beginning of a formula or a command (OWASP, CSV injection).
_FORMULA = re.compile(r"[=+\-@\t\r]")
# Excel keeps 15 digits of a number; a case has 19, a component 16.
_LONG_NUMBER = re.compile(r"\d{16,}")
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # in XML 1.0
_WIDTH: Mapping[Shape, int] = {Shape.MOMENT: 17, Shape.TEXT: 22, Shape.WORD: 18}
_FORMAT: Mapping[Shape, str] = {
    Shape.SHARE: "0.0%",
    Shape.SCORE: "0.0",
    Shape.SPAN: "0.0",
    Shape.MOMENT: "yyyy-mm-dd hh:mm",
}


class TooLongError(Exception):
    """A table has more rows than a sheet has."""

    def __init__(self) -> None:
        super().__init__(f"more than {MOST_ROWS - _HEAD:,} rows do not fit on a sheet: take a shorter time, or CSV")


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
        return f"{cell:.4f}" if column.shape is Shape.SHARE else f"{cell:g}" if isinstance(cell, int) else f"{cell:.2f}"
    text = shown(column, cell, language, zone)
    if _LONG_NUMBER.fullmatch(text):
        return f"{text}\t"  # keeps spreadsheets from rounding it
    return f"'{text}" if _FORMULA.match(text) else text


def _xlsx(report: Report, language: Language, stream: BinaryIO) -> None:
    book = Workbook(write_only=True)
    book.properties.creator = "Cityward"
    book.properties.title = title(report, language)
    for part in report.parts:
        _sheet(cast("Worksheet", book.create_sheet(heading(part.key, language)[:31])), report, part, language)
    book.save(stream)


def _sheet(sheet: Worksheet, report: Report, part: Part, language: Language) -> None:
    for number, column in enumerate(part.columns, 1):
        sheet.column_dimensions[get_column_letter(number)].width = _WIDTH.get(column.shape, 11)
    sheet.freeze_panes = f"A{_HEAD + 1}"
    sheet.print_title_rows = f"{_HEAD}:{_HEAD}"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0  # as many pages as it takes, each as wide as the table
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.append([_text(sheet, title(report, language), bold=True)])
    sheet.append([_text(sheet, subtitle(report, language))])
    sheet.append([])
    sheet.append([_text(sheet, heading(column.key, language), bold=True) for column in part.columns])
    count = 0
    for row in part.rows:
        count += 1
        if count > MOST_ROWS - _HEAD:
            raise TooLongError
        sheet.append([_xlsx_cell(sheet, *pair, language, report.zone) for pair in zip(part.columns, row, strict=True)])
    sheet.auto_filter.ref = f"A{_HEAD}:{get_column_letter(len(part.columns))}{_HEAD + count}"


def _xlsx_cell(sheet: Worksheet, column: Column, cell: Cell, language: Language, zone: tzinfo) -> Any:
    if cell is None:
        return None
    value: Any = cell
    if isinstance(cell, datetime):
        value = cell.astimezone(zone).replace(tzinfo=None, microsecond=0)  # a sheet knows no zones
    elif isinstance(cell, timedelta):
        value = cell / timedelta(hours=1)
    elif isinstance(cell, Name | str) or column.words is not None:
        return _text(sheet, shown(column, cell, language, zone))
    if column.shape not in _FORMAT:
        return value
    made = WriteOnlyCell(sheet, value)
    made.number_format = _FORMAT[column.shape]
    return made


def _text(sheet: Worksheet, text: str, *, bold: bool = False) -> Any:
    """A cell of text, whatever it begins with: nothing that a device or a person wrote becomes a formula."""
    if not bold and not _FORMULA.match(text):
        return _FORBIDDEN.sub("", text)
    cell = WriteOnlyCell(sheet, _FORBIDDEN.sub("", text))
    cell.data_type = "s"
    if bold:
        cell.font = Font(bold=True)
    return cell


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
