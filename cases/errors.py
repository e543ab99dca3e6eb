"""What can go wrong in dispatch. A refusal that people meet in daily work is a value: lifecycle.Refusal."""

from devices.errors import Permanent


class CaseError(Permanent):
    """Something asked of a case cannot be done."""


class IllegalMove(CaseError):  # noqa: N818 - named for what happened, as h11 and kopf do
    """The event does not exist in the state of the case."""

    def __init__(self, state: str, event: str, possible: list[str]) -> None:
        self.state = state
        self.event = event
        self.possible = possible
        now = ", ".join(possible) or "nothing, the case is over"
        super().__init__(f"a case that is {state} cannot take the event {event}; possible now: {now}")


class NobodyResponsible(CaseError):  # noqa: N818
    """No unit can be named for a facility: its district is not in the city's file."""

    def __init__(self, district: str) -> None:
        self.district = district
        super().__init__(
            f"nobody is responsible in the district {district!r}: "
            f"add [districts.{district}] with its name and a fallback unit to city.toml"
        )


class UnknownFacility(CaseError):  # noqa: N818
    """A report names a facility that the registry does not have."""

    def __init__(self, device_id: str) -> None:
        self.device_id = device_id
        super().__init__(f"no facility has the id {device_id!r}; cityward devices import registers it")
