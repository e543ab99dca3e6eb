"""Photos of cases: each picture kept once, listed and read by the number of its case."""

from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection
from psycopg.rows import class_row

from cases.photos import Photo
from storage.queries import load

_SQL = load("photos")


@dataclass(frozen=True, slots=True)
class PhotoRow:
    """A photo in a list: its SHA-256 in hexadecimal digits, its size in bytes. Times are aware, in UTC.

    ``taken_at`` is what the phone said, ``added_at`` when it arrived.
    """

    hash: str
    media_type: str
    size: int
    taken_at: datetime
    added_at: datetime
    added_by: str


def add(connection: Connection, case_id: int, photo: Photo, *, taken_at: datetime, at: datetime, by: str) -> bool:
    """Keep a photo with a case, in the transaction of the caller; False if the case has it already."""
    hashed = photo.hash
    connection.execute(_SQL["keep_photo"], {"hash": hashed, "media_type": photo.media_type, "content": photo.content})
    parameters = {"case_id": case_id, "hash": hashed, "taken_at": taken_at, "at": at, "by": by}
    return connection.execute(_SQL["add_case_photo"], parameters).rowcount == 1


def of_case(connection: Connection, number: str) -> list[PhotoRow]:
    """The photos of a case, in the order in which they were taken."""
    with connection.cursor(row_factory=class_row(PhotoRow)) as cursor:
        return cursor.execute(_SQL["photos_of_case"], {"number": number}).fetchall()


def read(connection: Connection, number: str, hashed: str) -> Photo | None:
    """A photo of a case by its SHA-256, 64 hexadecimal digits; None where the case has no such photo."""
    with connection.cursor(row_factory=class_row(Photo)) as cursor:
        return cursor.execute(_SQL["photo_of_case"], {"number": number, "hash": hashed}).fetchone()
