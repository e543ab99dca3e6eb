"""What a driver's errors mean to somebody who waits."""

import psycopg
import pytest
from psycopg import errors

from storage.errors import DatabaseFullError, DatabaseUnavailableError, NotMigratedError, translated


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
