"""The rules in force, read again when the files of their packs change.

Packs that cannot be read are refused with everything that is wrong with them, and the rules before them stay in force.
"""

import time
from collections.abc import Mapping

import structlog

from cityward import wiring
from cityward.settings import Settings
from devices.kind import Kind
from rules.packs import PACKS_FOLDER, PackError, pack_files
from rules.rule import Rule

_log = structlog.get_logger(__name__)
LOOK_EVERY = 2.0  # seconds between looks at the files

_Files = list[tuple[str, int, int]]  # path, time of the last change, size


class Rulebook:
    """The rules of one process.

    Args:
        settings: Where packs are.
        kinds: The installed kinds.

    Raises:
        PackError: where there is nothing sound to begin with.
    """

    def __init__(self, settings: Settings, kinds: Mapping[str, Kind]) -> None:
        self._settings = settings
        self._kinds = kinds
        self._files = self._look()
        self._looked = time.monotonic()
        self.rules: list[Rule] = self._read()

    def changed(self) -> bool:
        """Whether ``rules`` are new since the last look, every few seconds: whoever works with the old starts over."""
        if time.monotonic() - self._looked < LOOK_EVERY:
            return False
        self._looked = time.monotonic()
        files = self._look()
        if files == self._files:
            return False
        self._files = files
        try:
            rules = self._read()
        except PackError as error:
            _log.error("refused", problems=error.problems, hint="the rules before stay in force; mend the packs")
            return False
        before = {rule.id: rule.version for rule in self.rules}
        after = {rule.id: rule.version for rule in rules}
        changed = sorted(dict(before.items() ^ after.items()))
        self.rules = rules
        if changed:
            _log.info("reloading", rules=changed)
        return bool(changed)

    @property
    def by_id(self) -> dict[str, Rule]:
        """The rules by their ids."""
        return {rule.id: rule for rule in self.rules}

    def _read(self) -> list[Rule]:
        return wiring.rules(self._settings, self._kinds)

    def _look(self) -> _Files:
        found = []
        for path in pack_files(self._kinds, self._settings.packs_dir or PACKS_FOLDER):
            try:
                state = path.stat()
            except FileNotFoundError:  # gone between the list and the look
                continue
            found.append((str(path), state.st_mtime_ns, state.st_size))
        return found
