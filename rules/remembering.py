"""What one rule remembers, by device: its states, and for columns of devices whether there is one."""

from collections.abc import Mapping

import numpy as np

from devices.readings import Ints
from rules.truth import Bools
from rules.verdicts import RuleState


class Memory:
    """The states of one rule by device number."""

    def __init__(self, states: Mapping[int, RuleState] | None = None) -> None:
        self.states: dict[int, RuleState] = {}
        self._known: Bools = np.zeros(1024, dtype=bool)
        for device, state in (states or {}).items():
            self.keep(device, state)

    def keep(self, device: int, state: RuleState | None) -> None:
        """Remember a state; None is nothing to remember."""
        self._grow(device)
        self._known[device] = state is not None
        if state is None:
            self.states.pop(device, None)
        else:
            self.states[device] = state

    def of(self, device: Ints) -> Bools:
        """For which of these devices, in ascending order, something is remembered."""
        self._grow(int(device[-1]))
        return self._known[device]

    def _grow(self, device: int) -> None:
        if device >= len(self._known):
            more = max(device + 1, 2 * len(self._known)) - len(self._known)
            self._known = np.concatenate([self._known, np.zeros(more, dtype=bool)])
