"""What a list is narrowed to, kept in the page's address; what an address says that we do not know narrows nothing."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Self
from urllib.parse import urlencode

from cases.lifecycle import OPEN_STATES
from cases.lifecycle import State as CaseState
from devices.moments import micros, moment
from storage.alarm_list import AlarmPlace, AlarmRow
from storage.case_list import CaseFilter, CasePlace, CaseRow

_LONGEST = 80  # characters of a filter; no key or name is longer
DUE: Mapping[str, timedelta] = {
    "overdue": timedelta(),
    "1h": timedelta(hours=1),
    "8h": timedelta(hours=8),
    "24h": timedelta(days=1),
}
CASE_STATES = tuple(state for state in CaseState if state in OPEN_STATES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Of the desk's lists; empty means all. ``after`` is where the page before ended."""

    district: str = ""
    kind: str = ""
    unit: str = ""
    severity: str = ""
    state: str = ""
    due: str = ""
    text: str = ""
    after: str = ""

    @classmethod
    def read(cls, asked: Mapping[str, str]) -> Self:
        """What an address asks for."""
        names = cls.__slots__
        return cls(**{name: asked[name].strip()[:_LONGEST] for name in names if name in asked})

    def address(self, path: str, **changes: str) -> str:
        """A path with these filters, some of them changed."""
        given = {name: value for name, value in asdict(replace(self, **changes)).items() if value}
        return f"{path}?{urlencode(given)}" if given else path

    @property
    def narrows(self) -> bool:
        """Whether anything is left out."""
        return any(asdict(replace(self, after="")).values())

    @property
    def least(self) -> int | None:
        """The least severity."""
        return int(self.severity) if self.severity in {"1", "2", "3", "4"} else None

    def cases(self, now: datetime) -> CaseFilter:
        """As the list of cases is asked."""
        return CaseFilter(
            unit=self.unit or None,
            district=self.district or None,
            state=self.state if self.state in CASE_STATES else None,
            severity=self.least,
            kind=self.kind or None,
            due_before=now + DUE[self.due] if self.due in DUE else None,
            text=self.text or None,
        )

    def case_place(self) -> CasePlace | None:
        """Where the page of cases before ended."""
        match _numbers(self.after):
            case [at, number]:
                return CasePlace(moment(at), number)
        return None

    def alarm_place(self) -> AlarmPlace | None:
        """Where the page of alarms before ended."""
        match _numbers(self.after):
            case [active, severity, at, number]:
                return AlarmPlace(bool(active), severity, moment(at), number)
        return None


def after_case(last: CaseRow) -> str:
    """Where a page of cases ends, for the address of the next."""
    return f"{micros(last.fix_by)}.{last.id}"


def after_alarm(last: AlarmRow) -> str:
    """Where a page of alarms ends, for the address of the next."""
    return f"{int(last.active)}.{last.severity}.{micros(last.raised_at)}.{last.id}"


def _numbers(text: str) -> list[int]:
    """Numbers of at most 16 digits: microseconds up to the year 2286."""
    parts: Iterable[str] = text.split(".")
    return [int(part) for part in parts] if all(part.isdecimal() and len(part) <= 16 for part in parts) else []
