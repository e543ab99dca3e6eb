"""Pieces of expressions: typed, with what they evaluate to on a frame's columns."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from devices.readings import Floats
from rules.frame import Frame
from rules.functions import Type
from rules.truth import Truth


class ExpressionError(ValueError):
    """A condition that cannot be; the message names the word, its column and what would be right.

    ``why`` is the message without the ``column`` (from 1), ``word`` the piece of text at fault, empty where none is.
    """

    def __init__(self, column: int, why: str, word: str = "") -> None:
        self.column = column
        self.word = word
        self.why = f"{word!r}: {why}" if word else why
        super().__init__(f"column {column}: {self.why}")


class Scope(Enum):
    """What the rows are that a condition speaks of."""

    READING = "a reading"
    WINDOW = "a window of readings"
    MOMENT = "a moment of a silent device"


@dataclass(frozen=True, slots=True)
class Node:
    """A typed piece of an expression.

    ``words`` are an enumeration's; the column of a metric holds their positions, that of an attribute the words.
    ``unit`` of a number: None where it is taken on trust. ``value`` is that of a written number.
    """

    type: Type
    evaluate: Callable[[Frame], Any]
    words: tuple[str, ...] = ()
    literal: str | None = None
    unit: str | None = None
    value: float | None = None


def as_floats(column: Truth | Floats) -> Floats:
    """A column of truth values as 1, 0 and NaN; one of numbers as it is."""
    if isinstance(column, Truth):
        return np.where(column.true, 1.0, np.where(column.false, 0.0, np.nan))
    return column
