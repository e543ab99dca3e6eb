"""The root of what can go wrong, with the two verbs that decide what follows; what can be wrong with descriptions.

Every error that a person is to read stands below ``CitywardError``; what does not is a defect and shows its traceback.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a file, where it stands and what would be right.

    ``line`` counts from 1 as editors do; ``column`` is the column's name in the heading.
    """

    line: int
    column: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.message}"


class CitywardError(Exception):
    """Something could not be done; the message says what, and what to do about it."""


class Retryable(CitywardError):  # noqa: N818 - the name says what to do
    """It may work later, with nobody doing anything; ``after`` is the wait in seconds that the other side asked for."""

    def __init__(self, message: str, after: float | None = None) -> None:
        self.after = after
        super().__init__(message)


class Permanent(CitywardError):  # noqa: N818
    """It will not work until somebody says or does something else."""


class StoppedError(Permanent):
    """Somebody has stopped it before its end."""


class DescriptionError(Permanent):
    """A kind.toml or a registry file says something that cannot be; every problem is listed."""

    def __init__(self, source: str, problems: list[Problem] | list[str]) -> None:
        self.source = source
        self.problems = [str(problem) for problem in problems]
        super().__init__("\n".join(f"{source}: {problem}" for problem in self.problems))
