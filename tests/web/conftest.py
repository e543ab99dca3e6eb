"""What every test with a browser needs."""

import pytest

from cityward.clock import Clock
from tests.fix_console import Time


@pytest.fixture
def time() -> Time:
    """The wall's: a browser keeps cookies by its own clock."""
    time = Time()
    time.at = Clock().now()
    return time
