"""What a test needs and this machine may lack: skipped with the way to get it, or failed where all is required."""

import os
from typing import NoReturn

import pytest

REQUIRED = bool(os.environ.get("CITYWARD_REQUIRE_SERVICES"))


def missing(what: str, remedy: str) -> NoReturn:
    """Skip the test that asks; fail it where CITYWARD_REQUIRE_SERVICES says that everything must be there."""
    reason = f"no {what} here: {remedy}"
    if REQUIRED:
        pytest.fail(reason)
    pytest.skip(reason)
