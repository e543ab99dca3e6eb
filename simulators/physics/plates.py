"""Number plates that no province issues."""

import string

import numpy as np

from devices.readings import Ints
from simulators.observation import Observation

_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"  # plates know no I and no O
_SIGNS = _LETTERS + string.digits


def plates(o: Observation) -> list[str | None]:
    """One for each vehicle on a scale, None for other readings."""
    chosen: list[Ints] = [np.floor(len(_LETTERS) * o.uniform("plate 0")).astype(np.int64)]
    chosen += [np.floor(len(_SIGNS) * o.uniform(f"plate {place}")).astype(np.int64) for place in range(1, 6)]
    weighed = (o.word("sensor_type") == "wim").tolist()
    rows = zip(weighed, *(each.tolist() for each in chosen), strict=True)
    return [
        f"测{_LETTERS[first]}{''.join(_SIGNS[sign] for sign in signs)}" if scale else None
        for scale, first, *signs in rows
    ]
