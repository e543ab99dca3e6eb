"""The setting that names proxies before the console: what it does not understand it refuses, not ignores."""

import pytest
from pydantic import ValidationError

from cityward.settings import Settings


@pytest.mark.parametrize("named", ["", "10.0.0.5", "10.0.0.5, 2001:db8::/64"])
def test_addresses_and_networks_are_taken(named: str) -> None:
    assert Settings(console_proxy=named).console_proxy == named


@pytest.mark.parametrize("named", ["*", "nginx", "10.0.0.5/24", "10.0.0.5;10.0.0.6"])
def test_what_is_neither_is_refused_with_an_example(named: str) -> None:
    with pytest.raises(ValidationError, match=r"is no address and no network: write 10\.0\.0\.5 or"):
        Settings(console_proxy=named)
