"""How the whole is: alive, what was received and what became of it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from console.api.common import At, Looks, Shape
from console.identity import guest
from storage import overview
from storage.errors import DatabaseUnavailableError

router = APIRouter(tags=["the whole"])


class Health(Shape):
    """Whether the console and its database answer, and how fresh the readings are."""

    alive: bool
    database: Annotated[bool, Field(description="Whether it answers; where not, the status is 503.")]
    last_reading_age_s: Annotated[
        float | None,
        Field(description="Seconds since the minute began in which any device was last heard; null: never."),
    ]


class LedgerNow(Shape):
    """Every message has one of three fates; the database refuses a ledger that is out of balance."""

    received: int
    stored: int
    duplicate: int
    quarantined: int
    balanced: Annotated[bool, Field(description="received = stored + duplicate + quarantined.")]


@router.get("/health", summary="Health", dependencies=[Depends(guest)])
def health(response: Response, at: At) -> Health:
    """Open to everybody, for load balancers and monitoring."""
    try:
        with at.connection() as connection:
            last = overview.last_heard(connection)
    except DatabaseUnavailableError:
        response.status_code = 503
        return Health(alive=True, database=False, last_reading_age_s=None)
    age = (at.clock.now() - last).total_seconds() if last else None
    return Health(alive=True, database=True, last_reading_age_s=age)


@router.get("/ledger", summary="The ledger")
def ledger(who: Looks, at: At) -> LedgerNow:
    """Everything received since the beginning, by what became of it."""
    del who
    with at.connection() as connection:
        book = overview.ledger(connection)
    return LedgerNow(
        received=book.received,
        stored=book.stored,
        duplicate=book.duplicate,
        quarantined=book.quarantined,
        balanced=book.received == book.stored + book.duplicate + book.quarantined,
    )
