"""Expressions of a kind's ``[rollup]`` section as SQL over one reading ``r`` and, where they need it, its ``device``.

The same syntax as conditions of rules: metrics, numeric attributes, words of enumerations, comparisons, ``and or
not``, arithmetic and ``**``; ``sent(<metric>)``, ``given(<metric>, <number>)`` for a metric with a stand-in where it is
missing, ``event``, and ``dark`` and ``daylight`` at the device's position. An implausible metric is not believed, as if
it had not been sent.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from psycopg import sql

from devices.kind import AttributeType, Kind, Metric, MetricType
from devices.quality import Quality
from devices.readings import MESSAGE_TYPES

_ARITHMETIC: Mapping[type[ast.operator], str] = {
    ast.Add: "({} + {})", ast.Sub: "({} - {})", ast.Mult: "({} * {})", ast.Div: "({} / nullif({}, 0))",
    ast.Pow: "power({}, {})",
}  # fmt: skip
_COMPARISONS: Mapping[type[ast.cmpop], str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "=", ast.NotEq: "<>",
}  # fmt: skip
_SUN = ("dark", "daylight")


class RollupExpressionError(ValueError):
    """An expression that cannot be; the message names the word and what would be right."""


@dataclass(frozen=True, slots=True)
class Translated:
    """An expression as SQL; ``needs_device`` where it looks at more than the reading."""

    text: str
    needs_device: bool


def believed(metric: Metric) -> str:
    """A metric's column, NULL where its instrument cannot plausibly have measured that."""
    column = f"r.{quoted(metric.name)}"
    if metric.range is None:
        return column
    kind_of_number = "real" if metric.type is MetricType.REAL else "double precision"
    low, high = (f"'{end!r}'::{kind_of_number}" for end in metric.range)
    doubted = int(Quality.IMPLAUSIBLE)
    return f"CASE WHEN r.quality & {doubted} = 0 OR {column} BETWEEN {low} AND {high} THEN {column} END"


def translate(kind: Kind, text: str, *, at: str = "r.ts") -> Translated:
    """An expression as SQL.

    Args:
        kind: Whose metrics and attributes it names.
        text: The expression.
        at: The SQL of the moment at which ``dark`` and ``daylight`` are asked.

    Raises:
        RollupExpressionError: naming what is wrong with it.
    """
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise RollupExpressionError(f"{text!r}: {error.msg}") from error
    translator = _Translator(kind, at)
    return Translated(translator.translate(tree), translator.needs_device)


class _Translator:
    """Walks a syntax tree and writes SQL, refusing what it does not know."""

    def __init__(self, kind: Kind, at: str) -> None:
        self.needs_device = False
        self._kind = kind
        self._at = at

    def translate(self, tree: ast.expr) -> str:  # noqa: C901, PLR0911, RET503 - one case a construct
        match tree:
            case ast.BoolOp(op=op, values=values):
                word = " AND " if isinstance(op, ast.And) else " OR "
                return f"({word.join(map(self.translate, values))})"
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return f"(NOT {self.translate(operand)})"
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return f"(- {self.translate(operand)})"
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
                return _ARITHMETIC[type(op)].format(self.translate(left), self.translate(right))
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARISONS:
                return f"({self._side(left, right)} {_COMPARISONS[type(op)]} {self._side(right, left)})"
            case ast.Call(func=ast.Name(id="sent"), args=[ast.Name(id=name)], keywords=[]):
                return f"({self._metric(tree, name)} IS NOT NULL)"
            case ast.Call(
                func=ast.Name(id="given"), args=[ast.Name(id=name), ast.Constant(value=int() | float() as value)]
            ):
                return f"coalesce({self._metric(tree, name)}, {float(value)!r})"
            case ast.Attribute(value=ast.Name(id="limit"), attr=name):
                return self._limit(tree, name)
            case ast.Name(id=name):
                return self._name(tree, name)
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return f"{float(value)!r}::double precision"
            case _:
                self._refuse(
                    tree, "use metrics, attributes, limit.…, comparisons, and/or/not, + - * / **, sent() and given()"
                )

    def _side(self, side: ast.expr, other: ast.expr) -> str:
        """One side of a comparison: a word beside an enumeration stands for its code."""
        if not (isinstance(side, ast.Constant) and isinstance(side.value, str)):
            return self.translate(side)
        metric = self._kind.position.get(other.id) if isinstance(other, ast.Name) else None
        words = self._kind.metrics[metric].values if metric is not None else ()
        if side.value not in words:
            self._refuse(side, f"is none of {', '.join(words) or 'the words of an enumeration'}")
        return str(words.index(side.value))

    def _name(self, tree: ast.expr, name: str) -> str:
        if name in self._kind.position:
            return self._metric(tree, name)
        if name in MESSAGE_TYPES:
            return f"(r.type = {MESSAGE_TYPES.index(name)})"
        if name in _SUN:
            self.needs_device = True
            return f"{name}({self._at}, device.lat, device.lon)"
        attribute = self._kind.attributes.get(name)
        if attribute is None or attribute.type is not AttributeType.NUMBER:
            known = [*self._kind.position, *self._kind.attributes, *_SUN, *MESSAGE_TYPES]
            self._refuse(tree, f"a {self._kind.name} has no such number or flag; known are {', '.join(known)}")
        self.needs_device = True
        own = f"(device.attributes ->> {literal(name)})::double precision"
        return own if attribute.default is None else f"coalesce({own}, {float(attribute.default)!r})"

    def _limit(self, tree: ast.expr, name: str) -> str:
        """The kind's own value as a constant: what is rolled up must not change with a device's registry entry."""
        limit = self._kind.limits.get(name)
        if limit is None:
            self._refuse(tree, f"a {self._kind.name} has no limit {name!r}")
        if limit.value is None or limit.changes:
            self._refuse(tree, "a roll-up takes only limits with one value for all devices and all days")
        return f"{float(limit.value)!r}::double precision"

    def _metric(self, tree: ast.expr, name: str) -> str:
        if name not in self._kind.position:
            self._refuse(tree, f"a {self._kind.name} has no metric {name!r}")
        metric = self._kind.metric(name)
        if metric.type is MetricType.TEXT:
            self._refuse(tree, f"{name} is text kept as evidence; nothing is counted by it")
        return f"({believed(metric)})::double precision" if metric.is_number else believed(metric)

    @staticmethod
    def _refuse(tree: ast.expr, why: str) -> NoReturn:
        raise RollupExpressionError(f"{ast.unparse(tree)!r}: {why}")


def quoted(name: str) -> str:
    """A name of the database, as SQL."""
    return sql.Identifier(name).as_string()


def literal(text: str) -> str:
    """A text, as SQL."""
    return sql.Literal(text).as_string()
