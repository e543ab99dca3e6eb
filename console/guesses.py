"""How guessing passwords is made slow, without anybody being able to keep somebody else out. In memory, pure.

Whoever guesses from one place has to wait soon, but only there: five wrong passwords of a name keep nobody out who
signs in from elsewhere. Whoever guesses from very many places has to wait after ten times as many, and even then the
person comes in from where they have signed in before. Names of nobody are counted as well, so that nothing tells.
"""

import threading
from collections.abc import Hashable
from datetime import datetime, timedelta

from console.limits import MOST_KEYS

TRIES, WITHIN = 5, timedelta(minutes=5)  # of a name from one origin (project default)
TRIES_ANYWHERE, WITHIN_ANYWHERE = 50, timedelta(hours=1)  # of a name from all origins (project default)
FAMILIAR = timedelta(days=30)  # for so long an origin is one where the person has signed in (project default)


class Failures:
    """How often something has failed lately, by key; of very many keys those that failed longest ago are forgotten.

    Args:
        most: From so many on, a key must wait.
        within: For so long a failure counts.
    """

    def __init__(self, most: int, within: timedelta) -> None:
        self._most = most
        self._within = within
        self._failed: dict[Hashable, list[datetime]] = {}  # the key that failed last at the end
        self._lock = threading.Lock()

    def too_many(self, key: Hashable, now: datetime) -> bool:
        """Whether this key must wait."""
        return len(self._lately(key, now)) >= self._most

    def note(self, key: Hashable, now: datetime) -> None:
        """One more failure."""
        with self._lock:
            failed = [*self._lately(key, now), now]
            self._failed.pop(key, None)
            self._failed[key] = failed[-self._most :]
            if len(self._failed) > MOST_KEYS:
                del self._failed[next(iter(self._failed))]

    def _lately(self, key: Hashable, now: datetime) -> list[datetime]:
        return [at for at in self._failed.get(key, ()) if now - at <= self._within]


class Guesses:
    """Wrong passwords by name: from each origin, and from anywhere."""

    def __init__(self) -> None:
        self._here = Failures(TRIES, WITHIN)
        self._anywhere = Failures(TRIES_ANYWHERE, WITHIN_ANYWHERE)

    def too_many_here(self, name: str, origin: str, now: datetime) -> bool:
        """Whether whoever signs in by this name from this origin must wait."""
        return self._here.too_many((name, origin), now)

    def too_many_anywhere(self, name: str, now: datetime) -> bool:
        """Whether whoever signs in by this name must wait, but where the person has signed in lately."""
        return self._anywhere.too_many(name, now)

    def note(self, name: str, origin: str, now: datetime) -> None:
        """One more wrong password."""
        self._here.note((name, origin), now)
        self._anywhere.note(name, now)
