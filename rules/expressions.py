"""Conditions of rules: a small, typed part of Python's expressions, evaluated on columns.

Metrics, attributes, ``limit.<name>``, derived quantities, numbers and words; comparisons, ``and or not``, arithmetic,
``abs``, and ``sent(<metric>)`` for whether a reading carries it; in rules about windows aggregates of readings.
Everything is checked against the kind's description when a pack is read, units too, so that a misspelt metric is found
by ``cityward rules check`` and not at night.
"""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from devices.kind import AttributeType, Kind
from devices.readings import Floats
from devices.registry import attribute_type
from rules.compiler import Compiler
from rules.frame import Frame
from rules.functions import Type
from rules.nodes import ExpressionError, Node, Scope, as_floats
from rules.truth import Truth

_LONGEST = 5000  # characters; project default, the longest that comes along has 400


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked condition.

    ``names`` are the metrics, attributes and limits it looks at, ``aggregates`` what it makes of windows: what an
    explanation shows. ``metrics`` are all metrics it depends on, ``alarms`` the rules of whose alarms it asks.
    """

    text: str
    names: tuple[str, ...]
    _evaluate: Callable[[Frame], Any]
    metrics: frozenset[str] = frozenset()
    alarms: frozenset[str] = frozenset()
    aggregates: Mapping[str, Node] = field(default_factory=dict)

    def truth(self, frame: Frame) -> Truth:
        """The condition for every reading of the frame."""
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            result: Truth = self._evaluate(frame)
        return result

    def look(self, frame: Frame) -> dict[str, float | str]:
        """What the names stand for in the first row of the frame; the unknown left out."""
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            found = {name: look(frame, name) for name in self.names}
            found |= {name: _look_at(node, frame) for name, node in self.aggregates.items()}
        return {name: value for name, value in found.items() if value is not None}


def compile_condition(text: str, kind: Kind, scope: Scope = Scope.READING) -> Expression:
    """Check a condition against a kind.

    Raises:
        ExpressionError: naming what is wrong and where.
    """
    text = text.strip()
    if len(text) > _LONGEST:
        raise ExpressionError(1, f"is longer than {_LONGEST} characters; make several conditions or rules of it")
    if "\0" in text:  # until 3.11.3 Python's parser says so in another way
        raise ExpressionError(text.index("\0") + 1, "not an expression: null bytes")
    compiler = Compiler(kind, text, scope)
    try:
        node = compiler.compile(ast.parse(text, mode="eval").body)
    except SyntaxError as error:
        hint = f"{error.msg}; write and, or, not, ==, <= and such"
        raise ExpressionError(error.offset or 1, f"not an expression: {hint}") from error
    except (RecursionError, MemoryError) as error:  # the latter is how the parser says the former
        raise ExpressionError(1, "nested too deeply") from error
    if node.type is not Type.TRUTH:
        raise ExpressionError(1, f"is {node.type}, not a condition: compare it with something", text)
    return Expression(
        text,
        tuple(sorted(compiler.names)),
        node.evaluate,
        frozenset(compiler.metrics),
        frozenset(compiler.alarms),
        compiler.aggregates,
    )


def _look_at(node: Node, frame: Frame) -> float | str | None:
    """An aggregate of the first window."""
    value = float(as_floats(node.evaluate(frame))[0])
    if not np.isfinite(value):
        return None
    return node.words[int(value)] if node.words else value


def look(frame: Frame, name: str) -> float | str | None:
    """What a metric, attribute or limit is in the first row of a frame; None where unknown."""
    kind = frame.readings.kind
    if name not in kind.position and attribute_type(kind, name) not in {
        None,
        AttributeType.NUMBER,
        AttributeType.BOOL,
    }:
        return frame.words(name)[0]  # type: ignore[no-any-return]  # a column of str and None
    column: Floats
    if name.startswith("limit."):
        column = frame.limit(name.removeprefix("limit."))
    elif name in kind.position:
        column = frame.metric(name)
        words = kind.metric(name).values
        if words and not np.isnan(column[0]):
            return words[int(column[0])]
    else:
        column = frame.number(name)
    return None if np.isnan(column[0]) else float(column[0])
