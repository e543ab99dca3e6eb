"""Reports as workbooks, one sheet for each table. A module of its own: openpyxl takes long to load."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Any, BinaryIO, cast

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from cases.reports.document import Cell, Column, Name, Part, Report, Shape, heading, shown, subtitle, title
from cases.reports.sheets import FORMULA, HEAD, MOST_ROWS, TooLongError
from cases.words import Language

_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # in XML 1.0
_WIDTH: Mapping[Shape, int] = {Shape.MOMENT: 17, Shape.TEXT: 22, Shape.WORD: 18}
_FORMAT: Mapping[Shape, str] = {
    Shape.SHARE: "0.0%",
    Shape.SCORE: "0.0",
    Shape.SPAN: "0.0",
    Shape.MOMENT: "yyyy-mm-dd hh:mm",
}


def write(report: Report, language: Language, stream: BinaryIO) -> None:
    """The whole report; its rows are taken once.

    Raises:
        TooLongError: where a table does not fit on a sheet.
    """
    book = Workbook(write_only=True)
    book.properties.creator = "Cityward"
    book.properties.title = title(report, language)
    for part in report.parts:
        _sheet(cast("Worksheet", book.create_sheet(heading(part.key, language)[:31])), report, part, language)
    book.save(stream)


def _sheet(sheet: Worksheet, report: Report, part: Part, language: Language) -> None:
    for number, column in enumerate(part.columns, 1):
        sheet.column_dimensions[get_column_letter(number)].width = _WIDTH.get(column.shape, 11)
    sheet.freeze_panes = f"A{HEAD + 1}"
    sheet.print_title_rows = f"{HEAD}:{HEAD}"
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
        if count > MOST_ROWS - HEAD:
            raise TooLongError
        sheet.append([_cell(sheet, *pair, language, report.zone) for pair in zip(part.columns, row, strict=True)])
    sheet.auto_filter.ref = f"A{HEAD}:{get_column_letter(len(part.columns))}{HEAD + count}"


def _cell(sheet: Worksheet, column: Column, cell: Cell, language: Language, zone: tzinfo) -> Any:
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
    if not bold and not FORMULA.match(text):
        return _FORBIDDEN.sub("", text)
    cell = WriteOnlyCell(sheet, _FORBIDDEN.sub("", text))
    cell.data_type = "s"
    if bold:
        cell.font = Font(bold=True)
    return cell
