"""What a driver's errors mean to somebody who waits."""

import psycopg
import pytest
from psycopg import errors

from storage.connection import describe
from storage.errors import (
    AddressError,
    DatabaseFullError,
    DatabaseUnavailableError,
    NotMigratedError,
    RoleError,
    translated,
)


@pytest.mark.parametrize(
    ("raised", "ours"),
    [
        (errors.DiskFull("could not extend file"), DatabaseFullError),
        (errors.AdminShutdown("terminating connection"), DatabaseUnavailableError),
        (errors.ReadOnlySqlTransaction("a standby"), DatabaseUnavailableError),
        (errors.IdleInTransactionSessionTimeout("terminating connection"), DatabaseUnavailableError),
        (errors.FeatureNotSupported("no such thing"), errors.FeatureNotSupported),
        (psycopg.InterfaceError("the connection is closed"), DatabaseUnavailableError),
        (errors.UndefinedTable("no relation"), NotMigratedError),
        (errors.InsufficientPrivilege("permission denied for table reading"), RoleError),
        (errors.UniqueViolation("twice"), errors.UniqueViolation),
    ],
    ids=lambda each: "" if isinstance(each, type) else type(each).__name__,
)
def test_an_error_is_one_to_wait_for_or_a_defect(raised: psycopg.Error, ours: type[Exception]) -> None:
    with pytest.raises(ours) as caught, translated("db:5432/city"):
        raise raised
    assert type(caught.value) is ours


def test_a_full_disk_is_said_in_the_same_words_every_time() -> None:
    """The server's own words name another file and block each time."""
    said = set()
    for block in (1, 2):
        with pytest.raises(DatabaseFullError) as caught, translated("db:5432/city"):
            raise errors.DiskFull(f'could not extend file "base/5/{block}": No space left on device')
        said.add(str(caught.value))
    assert said == {
        "no room in the database at db:5432/city: make room on its disk or raise its quota; until then all waits"
    }


@pytest.mark.parametrize("address", ["nonsense", "host=db s3cret", "postgres//user:s3cret@db/city"])
def test_an_address_that_is_none_is_not_repeated_for_it_may_hold_a_password(address: str) -> None:
    with pytest.raises(AddressError) as caught:
        describe(address)
    assert str(caught.value).startswith("database_url is no address of a database")
    assert "s3cret" not in str(caught.value)
