"""What people report: kept beside the case that it opens or joins, and read by Open311."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum

from psycopg import Connection
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from storage.queries import load

_SQL = load("case_reports")


class Source(StrEnum):
    """Who reports."""

    CITIZEN = "citizen"
    HOTLINE = "hotline"
    PATROL = "patrol"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A report beside its text.

    From whom, by which service of Open311, where (degrees, WGS 84), how to call back, the address of a picture.
    """

    source: Source
    service_code: str = ""
    lon: float | None = None
    lat: float | None = None
    address: str = ""
    contact: Mapping[str, str] = field(default_factory=dict)
    media_url: str = ""


CALLED = Told(source=Source.HOTLINE)


@dataclass(frozen=True, slots=True)
class ReportedCase:
    """A reported case as it may be told to everybody. Times are aware, in UTC."""

    number: str
    state: str
    open: bool
    fix_by: datetime
    service_code: str
    reported_at: datetime
    reporters: int
    media_url: str | None
    device_id: str
    name: str
    road: str
    lon: float
    lat: float
    name_en: str
    name_zh: str
    updated_at: datetime


def write(connection: Connection, number: str, told: Told, text: str, *, taken_by: str, at: datetime) -> None:
    """Keep a report of a case, in the transaction that opens or finds the case."""
    contact = Jsonb(dict(told.contact))
    values = {**asdict(told), "contact": contact, "number": number, "text": text, "taken_by": taken_by, "at": at}
    connection.execute(_SQL["insert_report"], values)


def facility_near(
    connection: Connection, kind: str, problem: str, *, lon: float, lat: float, within: float
) -> str | None:
    """The facility of a kind that a report means: one with an open case of the problem, else the nearest.

    Args:
        connection: The database.
        kind: The kind.
        problem: The problem under which cases are opened.
        lon: Degrees, WGS 84.
        lat: Degrees, WGS 84.
        within: Metres.

    Returns:
        Its device id; None where there is none so near.
    """
    place = {"kind": kind, "problem": problem, "lon": lon, "lat": lat, "within": within}
    row = connection.execute(_SQL["facilities_near"], place).fetchone()
    return str(row[0]) if row else None


def of_case(connection: Connection, number: str) -> tuple[int, Source | None]:
    """How many people reported a case, and who did first; None where telemetry was first."""
    row = connection.execute(_SQL["reports_of_case"], {"number": number}).fetchone()
    return (int(row[0]), Source(row[1]) if row[1] else None) if row else (0, None)


@dataclass(frozen=True, slots=True)
class Report:
    """What somebody has reported, as the desk reads it; ``contact`` is for those who may call back.

    ``at`` is aware, in UTC; ``taken_by`` who handed it on.
    """

    at: datetime
    source: Source
    taken_by: str
    text: str
    address: str
    contact: Mapping[str, str]
    media_url: str


def told(connection: Connection, number: str) -> list[Report]:
    """What people have reported of a case, the first first."""
    with connection.cursor(row_factory=class_row(Report)) as cursor:
        return cursor.execute(_SQL["reports_told"], {"number": number}).fetchall()


def reporters(connection: Connection, numbers: Sequence[str]) -> dict[str, int]:
    """How many people have reported each of these cases, where any has."""
    return dict(connection.execute(_SQL["reporters_of_cases"], {"numbers": list(numbers)}).fetchall())


def reported(
    connection: Connection,
    *,
    numbers: Sequence[str] | None = None,
    services: Sequence[str] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    is_open: bool | None = None,
    limit: int = 1000,
) -> list[ReportedCase]:
    """Cases that people reported by a service, the newest first; None means all."""
    which = {
        "numbers": None if numbers is None else list(numbers), "services": None if services is None else list(services),
        "since": since, "until": until, "open": is_open, "limit": limit,
    }  # fmt: skip
    with connection.cursor(row_factory=class_row(ReportedCase)) as cursor:
        return cursor.execute(_SQL["reported_cases"], which, prepare=False).fetchall()
