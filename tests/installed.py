"""What comes along, read once for all tests."""

from functools import cache

from devices.kind import load_kinds
from rules.packs import load_packs
from rules.rule import Rule


@cache
def installed_rules() -> list[Rule]:
    """Not to be changed."""
    return load_packs(load_kinds())
