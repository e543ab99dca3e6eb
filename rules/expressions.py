"""Conditions of rules: a small, typed part of Python's expressions, evaluated on columns.

Metrics, attributes, ``limit.<name>``, derived quantities, numbers and words; comparisons, ``and or not``, arithmetic,
``abs``, and ``sent(<metric>)`` for whether a reading carries it. Everything is checked against the kind's description
when a pack is read, so that a misspelt metric is found by ``cityward rules check`` and not at night.
"""

import ast
import difflib
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from devices.kind import AttributeType, Kind, MetricType
from devices.readings import Floats
from devices.registry import DESCRIBED, attribute_type
from rules.durations import parse_duration
from rules.frame import Frame
from rules.functions import DERIVED, Type
from rules.truth import Truth


class ExpressionError(ValueError):
    """A condition that cannot be; the message names the word, its column and what would be right."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked condition.

    ``names`` are the metrics, attributes and limits it looks at: what an explanation shows.
    """

    text: str
    names: tuple[str, ...]
    _evaluate: Callable[[Frame], Any]

    def truth(self, frame: Frame) -> Truth:
        """The condition for every reading of the frame."""
        with np.errstate(invalid="ignore", divide="ignore"):
            result: Truth = self._evaluate(frame)
        return result

    def look(self, frame: Frame) -> dict[str, float | str]:
        """What the names stand for in the first reading of the frame; the unknown left out."""
        return {name: value for name in self.names if (value := _look(frame, name)) is not None}


def compile_condition(text: str, kind: Kind) -> Expression:
    """Check a condition against a kind.

    Raises:
        ExpressionError: naming what is wrong and where.
    """
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise ExpressionError(f"column {error.offset}: not an expression: {error.msg}") from error
    compiler = _Compiler(kind, text.strip())
    node = compiler.compile(tree)
    if node.type is not Type.TRUTH:
        raise ExpressionError(f"{text!r} is {node.type}, not a condition: compare it with something")
    return Expression(text.strip(), tuple(sorted(compiler.names)), node.evaluate)


@dataclass(frozen=True, slots=True)
class _Node:
    """A typed piece of an expression.

    ``words`` are an enumeration's; the column of a metric holds their positions, that of an attribute the words.
    """

    type: Type
    evaluate: Callable[[Frame], Any]
    words: tuple[str, ...] = ()
    literal: str | None = None


_ARITHMETIC: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_EQUALITIES = (ast.Eq, ast.NotEq)
_BUILT_IN = {"abs": "abs(<number>)", "sent": "sent(<metric>)"}


class _Compiler:
    """Turns a syntax tree into closures over columns, refusing what rules have no use for."""

    def __init__(self, kind: Kind, text: str) -> None:
        self.names: set[str] = set()
        self._kind = kind
        self._lines = text.splitlines()

    def compile(self, tree: ast.expr) -> _Node:  # noqa: C901, PLR0911, PLR0912, RET503 - one case a construct
        match tree:
            case ast.BoolOp(op=op, values=values):
                return self._junction(op, values)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                inner = self._expect(operand, Type.TRUTH).evaluate
                return _Node(Type.TRUTH, lambda frame: ~inner(frame))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                inner = self._expect(operand, Type.NUMBER).evaluate
                return _Node(Type.NUMBER, lambda frame: -inner(frame))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
                apply = _ARITHMETIC[type(op)]
                a, b = (self._expect(side, Type.NUMBER).evaluate for side in (left, right))
                return _Node(Type.NUMBER, lambda frame: apply(a(frame), b(frame)))
            case ast.Compare(left=left, ops=ops, comparators=rights):
                return self._chain(tree, left, ops, rights)
            case ast.Call(func=ast.Name(id="abs"), args=[operand], keywords=[]):
                inner = self._expect(operand, Type.NUMBER).evaluate
                return _Node(Type.NUMBER, lambda frame: np.abs(inner(frame)))
            case ast.Call(func=ast.Name(id="sent"), args=[ast.Name(id=name)], keywords=[]):
                return self._sent(tree, name)
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
                return self._derived(tree, name, args)
            case ast.Name(id=name):
                return self._name(tree, name)
            case ast.Attribute(value=ast.Name(id="limit"), attr=name):
                return self._limit(tree, name)
            case ast.Constant(value=str(word)):
                return _Node(Type.WORD, lambda _frame: word, literal=word)
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return _Node(Type.NUMBER, lambda frame: np.full(len(frame), float(value)))
            case _:
                self._refuse(tree, "not allowed here; use metrics, limits, comparisons, and/or/not, + - * / and abs")

    def _junction(self, op: ast.boolop, values: list[ast.expr]) -> _Node:
        parts = [self._expect(value, Type.TRUTH).evaluate for value in values]
        join: Callable[[Truth, Truth], Truth] = operator.and_ if isinstance(op, ast.And) else operator.or_

        def evaluate(frame: Frame) -> Truth:
            result: Truth = parts[0](frame)
            for part in parts[1:]:
                result = join(result, part(frame))
            return result

        return _Node(Type.TRUTH, evaluate)

    def _chain(self, tree: ast.expr, left: ast.expr, ops: list[ast.cmpop], rights: list[ast.expr]) -> _Node:
        links = []
        for op, right in zip(ops, rights, strict=True):
            if type(op) not in _COMPARISONS:
                self._refuse(tree, "this comparison is not allowed; use < <= > >= == !=")
            links.append(self._comparison(tree, left, op, right))
            left = right

        def evaluate(frame: Frame) -> Truth:
            result = links[0](frame)
            for link in links[1:]:
                result &= link(frame)
            return result

        return _Node(Type.TRUTH, evaluate)

    def _comparison(self, tree: ast.expr, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Callable[[Frame], Truth]:
        a, b = self.compile(left), self.compile(right)
        compare = _COMPARISONS[type(op)]
        a, b = self._coded(tree, a, b), self._coded(tree, b, a)
        if a.type is not b.type or a.type is Type.TRUTH or (a.type is Type.NUMBER and a.words != b.words):
            self._refuse(tree, f"cannot compare {_called(a)} with {_called(b)}")
        if (a.type is Type.WORD or a.words or b.words) and not isinstance(op, _EQUALITIES):
            self._refuse(tree, "words have no order; use == or !=")
        if a.type is Type.NUMBER:

            def numbers(frame: Frame) -> Truth:
                x, y = a.evaluate(frame), b.evaluate(frame)
                return Truth.of(compare(x, y), x, y)

            return numbers

        def words(frame: Frame) -> Truth:
            x, y = (np.broadcast_to(np.asarray(side.evaluate(frame), dtype=object), len(frame)) for side in (a, b))
            known = (x != None) & (y != None)  # noqa: E711 - elementwise on objects
            equal = np.asarray(compare(x, y), dtype=bool)
            return Truth(equal & known, ~equal & known)

        return words

    def _coded(self, tree: ast.expr, node: _Node, other: _Node) -> _Node:
        """A literal beside an enumeration must be one of its words; beside a metric it stands for its code."""
        if node.literal is None or not other.words:
            return node
        if node.literal not in other.words:
            self._refuse(tree, f"{node.literal!r} is not one of {', '.join(other.words)}")
        if other.type is Type.WORD:
            return node
        code = float(other.words.index(node.literal))
        return _Node(Type.NUMBER, lambda frame: np.full(len(frame), code), words=other.words)

    def _name(self, tree: ast.expr, name: str) -> _Node:
        if name in self._kind.position:
            self.names.add(name)
            metric = self._kind.metric(name)
            if metric.type is MetricType.TEXT:
                self._refuse(tree, f"{name!r} is text kept as evidence; rules do not judge it")
            if metric.type is MetricType.BOOL:
                return _Node(Type.TRUTH, lambda frame: Truth.of_number(frame.metric(name)))
            return _Node(Type.NUMBER, lambda frame: frame.metric(name), words=metric.values)
        attribute = attribute_type(self._kind, name)
        if attribute is AttributeType.NUMBER:
            self.names.add(name)
            return _Node(Type.NUMBER, lambda frame: frame.number(name))
        if attribute is AttributeType.BOOL:
            self.names.add(name)
            return _Node(Type.TRUTH, lambda frame: Truth.of_number(frame.number(name)))
        if attribute is not None:
            self.names.add(name)
            words = self._kind.attributes[name].values if attribute is AttributeType.ENUM else ()
            return _Node(Type.WORD, lambda frame: frame.words(name), words=words)
        return self._derived(tree, name, [])

    def _sent(self, tree: ast.expr, name: str) -> _Node:
        if name not in self._kind.position:
            self._unknown(tree, name, list(self._kind.position))
        if self._kind.metric(name).type is MetricType.TEXT:
            self._refuse(tree, f"{name!r} is text kept as evidence; rules do not judge it")
        return _Node(Type.TRUTH, lambda frame: Truth.known(~np.isnan(frame.metric(name))))

    def _limit(self, tree: ast.expr, name: str) -> _Node:
        if name not in self._kind.limits:
            self._unknown(tree, name, list(self._kind.limits), prefix="limit.")
        self.names.add(f"limit.{name}")
        return _Node(Type.NUMBER, lambda frame: frame.limit(name))

    def _derived(self, tree: ast.expr, name: str, args: list[ast.expr]) -> _Node:
        if name in _BUILT_IN:
            self._refuse(tree, f"write {_BUILT_IN[name]}")
        if name not in DERIVED:
            names = [*self._kind.position, *self._kind.attributes, *DESCRIBED]
            if name in names:
                self._refuse(tree, f"{name} takes no brackets")
            self._unknown(tree, name, [*names, *DERIVED, *_BUILT_IN])
        derived = DERIVED[name]
        for needed in derived.needs:
            if needed not in self._kind.position and needed not in self._kind.attributes:
                self._refuse(tree, f"{name} needs {needed}, which a {self._kind.name} does not have")
        margin = 0
        match args:
            case []:
                pass
            case _ if not derived.takes_margin:
                self._refuse(tree, f"{name} takes no brackets")
            case [ast.Constant(value=str(text))]:
                try:
                    margin = parse_duration(text)
                except ValueError as error:
                    self._refuse(tree, str(error))
            case _:
                self._refuse(tree, f'{name} takes at most one duration, such as {name}("15m")')
        self.names.update(derived.needs)
        once = f"derived {name} {margin}"
        return _Node(derived.type, lambda frame: frame.once(once, lambda: derived.evaluate(frame, margin)))

    def _expect(self, tree: ast.expr, wanted: Type) -> _Node:
        node = self.compile(tree)
        if node.type is not wanted or (wanted is Type.NUMBER and node.words):
            self._refuse(tree, f"is {_called(node)} where {wanted} is needed")
        return node

    def _refuse(self, tree: ast.expr, why: str) -> NoReturn:
        before = self._lines[tree.lineno - 1].encode()[: tree.col_offset]  # the parser counts bytes
        column = len(before.decode(errors="ignore")) + 1
        raise ExpressionError(f"column {column}: {ast.unparse(tree)!r}: {why}")

    def _unknown(self, tree: ast.expr, name: str, known: list[str], prefix: str = "") -> NoReturn:
        near = [f"{prefix}{each}" for each in difflib.get_close_matches(name, known, n=1)]
        everything = ", ".join(f"{prefix}{each}" for each in sorted(known))
        hint = f"did you mean {near[0]!r}?" if near else f"known are {everything}"
        self._refuse(tree, f"a {self._kind.name} knows no {prefix + name!r}; {hint}")


def _called(node: _Node) -> str:
    return "an enumeration" if node.words else node.type


def _look(frame: Frame, name: str) -> float | str | None:
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
