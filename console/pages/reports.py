"""Reports in the browser: the same tables as at the prompt, to read, print and download; closing a month."""

from collections.abc import Iterator
from datetime import date, timedelta
from tempfile import SpooledTemporaryFile
from typing import IO, Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import Response, StreamingResponse
from starlette.datastructures import FormData

from cases.reports import periods
from cases.reports.document import Part, Report, Shape, heading, on_screen, shown, subtitle, title
from cases.reports.files import Format, write
from cases.reports.periods import Period
from cases.reports.sheets import TooLongError
from cases.words import Language
from console import deciding
from console.access import Action
from console.context import Context, context
from console.errors import BadInput
from console.identity import May, Visitor
from console.pages.moving import back, filled, key_of
from console.pages.rendering import page
from console.words import entry
from storage import month_close, reports

router = APIRouter()
ROWS = 200  # of a table on a page; files have all
_IN_MEMORY = 4 * 1024 * 1024  # bytes of a file; more goes to the disk
_PIECE = 64 * 1024
_WEEKS, _MONTHS, _QUARTERS = 6, 6, 4  # offered by name
_NUMBERS = frozenset({Shape.COUNT, Shape.SHARE, Shape.SCORE, Shape.SPAN})
_Looking = Annotated[Visitor, Depends(May(Action.LOOK))]
_At = Annotated[Context, Depends(context)]
_Form = Annotated[Format | None, Query(alias="format", description="As a file; without it a page.")]
_Day = Annotated[str, Query(max_length=20)]
_Key = Annotated[str, Query(max_length=80)]


@router.get("/reports")
def choose(request: Request, who: _Looking, at: _At) -> Response:
    """What there is to read."""
    today = _today(at)
    weeks = [periods.week(today - timedelta(weeks=back)) for back in range(_WEEKS)]
    months = [periods.month(today)]
    quarters = [periods.quarter(today)]
    while len(months) < _MONTHS:
        months.append(periods.before(months[-1]))
    while len(quarters) < _QUARTERS:
        quarters.append(periods.quarter(quarters[-1].first - timedelta(days=1)))
    with at.connection() as connection:
        closed = month_close.closes(connection, [month.first for month in months])
    offered: dict[str, Any] = {"weeks": weeks, "months": months, "quarters": quarters}
    offered |= {"units": [*at.city.units], "districts": [*at.city.districts]}
    return page("reports.html", request, who.language, who, today=today, closed=closed, **offered)


@router.get("/reports/weekly")
def weekly(request: Request, who: _Looking, at: _At, day: _Day = "", form: _Form = None) -> Response:
    """The weekly supervision list."""
    week = periods.week(_read("day", day, _today(at)))
    with at.connection() as connection:
        return _answer(request, who, reports.weekly_list(connection, at.city, week, at.clock.now()), form)


@router.get("/reports/month")
def month(request: Request, who: _Looking, at: _At, month: _Day = "", form: _Form = None) -> Response:
    """The monthly bulletin."""
    period = _period("month", month) if month else periods.month(_today(at))
    with at.connection() as connection:
        closed = period.first in month_close.closes(connection, [period.first])
        report = reports.bulletin(connection, at.city, period, at.clock.now())
        over = period.last < _today(at)
        return _answer(request, who, report, form, closing=period.name if over and not closed else "")


@router.get("/reports/quarter")
def quarter(request: Request, who: _Looking, at: _At, quarter: _Day = "", form: _Form = None) -> Response:
    """Quarterly scores."""
    period = _period("quarter", quarter) if quarter else periods.quarter(_today(at))
    with at.connection() as connection:
        return _answer(request, who, reports.quarterly_scores(connection, at.city, period, at.clock.now()), form)


@router.get("/reports/watchlist")
def watchlist(
    request: Request, who: _Looking, at: _At, first: _Day = "", last: _Day = "", form: _Form = None
) -> Response:
    """The watch list of restaurants."""
    period = _days(first, last, _today(at).replace(month=1, day=1), _today(at))
    with at.connection() as connection:
        return _answer(request, who, reports.watch_list(connection, at.city, period, at.clock.now()), form)


@router.get("/reports/ledger")
def ledger(
    request: Request,
    who: _Looking,
    at: _At,
    first: _Day = "",
    last: _Day = "",
    unit: _Key = "",
    district: _Key = "",
    form: _Form = None,
) -> Response:
    """The ledger of cases."""
    period = _days(first, last, _today(at).replace(day=1), _today(at))
    with at.connection() as connection:
        now = at.clock.now()
        most = None if form else ROWS + 1
        report = reports.ledger(connection, at.city, period, now, unit=unit, district=district, most=most)
        return _answer(request, who, report, form)


@router.post("/reports/close")
def close(
    who: Annotated[Visitor, Depends(May(Action.JUDGE))],
    at: _At,
    form: Annotated[FormData, Depends(filled)],
    month: Annotated[str, Form(max_length=20)],
) -> Response:
    """Freeze the scores of a month."""
    period = _period("month", month)
    deciding.close_month(at, who, period, key=key_of(form))
    return back(form, f"/reports/month?month={period.name}")


def _answer(request: Request, who: Visitor, report: Report, form: Format | None, *, closing: str = "") -> Response:
    if form is not None:
        return _file(report, form, who.language)
    tables = [_table(part, report, who.language) for part in map(on_screen, report.parts)]
    return page(
        "report.html",
        request,
        who.language,
        who,
        title=title(report, who.language),
        subtitle=subtitle(report, who.language),
        tables=tables,
        formats=[*Format],
        files=request.url.query,
        closing=closing,
        most=ROWS,
    )


def _table(part: Part, report: Report, language: Language) -> dict[str, Any]:
    """A table as the page shows it; of a long one the beginning."""
    headings = [(heading(column.key, language), column.shape in _NUMBERS) for column in part.columns]
    rows = [
        [
            (shown(column, cell, language, report.zone), column.shape in _NUMBERS, column.key)
            for column, cell in zip(part.columns, row, strict=True)
        ]
        for row in part.rows  # to their end: they may come from a cursor
    ]
    return {"key": part.key, "title": heading(part.key, language), "headings": headings, "rows": rows}


def _file(report: Report, form: Format, language: Language) -> Response:
    made: IO[bytes] = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed when it has been sent
    try:
        write(report, form, language, made)  # type: ignore[arg-type]
    except TooLongError as error:
        made.close()
        raise BadInput("told", text=str(error)) from error
    made.seek(0)
    name = f"{report.key}-{report.first}-{report.last}.{form}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(_pieces(made), media_type=form.media_type, headers=headers)


def _pieces(made: IO[bytes]) -> Iterator[bytes]:
    with made:
        while piece := made.read(_PIECE):
            yield piece


def _today(at: Context) -> date:
    return at.city.calendar.local_day(at.clock.now())


def _days(first: str, last: str, begin: date, today: date) -> Period:
    since = _read("first", first, begin)
    try:
        return periods.days(since, _read("last", last, max(today, since)))
    except ValueError as error:
        raise BadInput("field_wrong", field="last", text=entry("wrong.days")) from error


def _read(field: str, text: str, otherwise: date) -> date:
    try:
        return periods.read_day(text) if text else otherwise
    except ValueError as error:
        raise BadInput("field_wrong", field=field, text=entry("wrong.day")) from error


def _period(field: str, text: str) -> Period:
    try:
        return periods.read_month(text) if field == "month" else periods.read_quarter(text)
    except ValueError as error:
        raise BadInput("field_wrong", field=field, text=entry(f"wrong.{field}")) from error
