"""Stretches of time by word and device: when alarms were active, when permits were in force."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from devices.readings import Ints
from rules.truth import Bools

OPEN = np.iinfo(np.int64).max  # the end of what has not ended


@dataclass(frozen=True, slots=True)
class Spell:
    """From ``since`` until ``until`` (excluded; ``OPEN``: it lasts), microseconds since 1970 UTC.

    ``word`` is what it is a spell of: the id of a rule, the kind of a permit.
    """

    word: str
    device: int
    since: int
    until: int = OPEN


@dataclass(frozen=True, slots=True)
class Spells:
    """An immutable set of spells, to be asked by columns."""

    _by_word: Mapping[str, Mapping[int, tuple[Spell, ...]]] = field(default_factory=dict)

    @classmethod
    def of(cls, spells: Iterable[Spell]) -> "Spells":
        """These spells."""
        words: dict[str, dict[int, tuple[Spell, ...]]] = defaultdict(dict)
        for spell in spells:
            devices = words[spell.word]
            devices[spell.device] = (*devices.get(spell.device, ()), spell)
        return cls(dict(words))

    def touch(self, word: str, device: Ints, start: Ints, end: Ints) -> Bools:
        """For each row whether a spell of the device shares a moment with ``[start, end]``."""
        found = np.zeros(len(device), dtype=bool)
        devices = self._by_word.get(word)
        if not devices:
            return found
        for row in np.flatnonzero(np.isin(device, list(devices))).tolist():
            found[row] = any(
                spell.since <= end[row] and spell.until > start[row] for spell in devices[int(device[row])]
            )
        return found


NONE = Spells()
