"""What can be wrong with the descriptions of kinds and devices."""

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


class DescriptionError(Exception):
    """A kind.toml or a registry file says something that cannot be; every problem is listed."""

    def __init__(self, source: str, problems: list[Problem] | list[str]) -> None:
        self.source = source
        self.problems = [str(problem) for problem in problems]
        super().__init__("\n".join(f"{source}: {problem}" for problem in self.problems))
