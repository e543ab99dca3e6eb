"""From the syntax tree of a condition to closures over columns, refusing what rules have no use for."""

import ast
import difflib
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import numpy as np

from devices.kind import AttributeType, Kind, MetricType
from devices.registry import DESCRIBED, attribute_type
from rules import units
from rules.aggregates import AGGREGATES, Aggregate, Takes, reduced
from rules.durations import parse_duration
from rules.frame import Contents, Frame
from rules.functions import DERIVED, Type
from rules.nodes import ExpressionError, Node, Scope, as_floats
from rules.truth import Truth

_ARITHMETIC: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: lambda a, b: a / np.where(b == 0, np.nan, b),  # by nothing: unknown
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
_BUILT_IN = {
    "abs": "abs(<number>)",
    "sent": "sent(<metric>)",
    "permitted": 'permitted("<kind of permit>")',
    "alarmed": 'alarmed("<rule>", ...)',
}


class Compiler:
    """Turns a syntax tree into closures over columns, refusing what rules have no use for."""

    def __init__(self, kind: Kind, text: str, scope: Scope) -> None:
        self.names: set[str] = set()
        self.metrics: set[str] = set()
        self.alarms: set[str] = set()
        self.aggregates: dict[str, Node] = {}
        self._kind = kind
        self._lines = text.splitlines()
        self._scope = scope
        self._inside = False  # of an aggregate

    def compile(self, tree: ast.expr) -> Node:  # noqa: C901, PLR0911, PLR0912, RET503 - one case a construct
        """The typed piece that a syntax tree stands for.

        Raises:
            ExpressionError: naming what is wrong and where.
        """
        match tree:
            case ast.BoolOp(op=op, values=values):
                return self._junction(op, values)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                inner = self._expect(operand, Type.TRUTH).evaluate
                return Node(Type.TRUTH, lambda frame: ~inner(frame))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                number = self._expect(operand, Type.NUMBER)
                return Node(Type.NUMBER, lambda frame: -number.evaluate(frame), unit=number.unit)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
                return self._arithmetic(tree, left, op, right)
            case ast.Compare(left=left, ops=ops, comparators=rights):
                return self._chain(tree, left, ops, rights)
            case ast.Call(func=ast.Name(id="abs"), args=[operand], keywords=[]):
                number = self._expect(operand, Type.NUMBER)
                return Node(Type.NUMBER, lambda frame: np.abs(number.evaluate(frame)), unit=number.unit)
            case ast.Call(func=ast.Name(id="sent"), args=[ast.Name(id=name)], keywords=[]):
                return self._sent(tree, name)
            case ast.Call(func=ast.Name(id="permitted"), args=[ast.Constant(value=str(word))], keywords=[]):
                return Node(Type.TRUTH, lambda frame: _permitted(frame, word))
            case ast.Call(func=ast.Name(id="alarmed"), args=[_, *_] as args, keywords=[]):
                return self._alarmed(tree, args)
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in AGGREGATES:
                return self._aggregate(tree, name, args)
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
                return self._derived(tree, name, args)
            case ast.Name(id=name):
                return self._name(tree, name)
            case ast.Attribute(value=ast.Name(id="limit"), attr=name):
                return self._limit(tree, name)
            case ast.Constant(value=str(word)):
                return Node(Type.WORD, lambda _frame: word, literal=word)
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool) and _finite(value):
                return Node(Type.NUMBER, lambda frame: np.full(len(frame), float(value)), value=float(value))
            case _:
                self._refuse(tree, "not allowed here; use metrics, limits, comparisons, and/or/not, + - * / and abs")

    def _arithmetic(self, tree: ast.expr, left: ast.expr, op: ast.operator, right: ast.expr) -> Node:
        apply = _ARITHMETIC[type(op)]
        a, b = self._expect(left, Type.NUMBER), self._expect(right, Type.NUMBER)
        match op:
            case ast.Div() if b.value == 0:
                self._refuse(tree, "divides by zero, which is always unknown")
            case ast.Add() | ast.Sub():
                unit = self._same_unit(tree, a, b)
            case _ if a.value is not None and isinstance(op, ast.Mult):
                unit = units.scaled(b.unit, a.value)
            case _ if b.value is not None:
                unit = units.scaled(a.unit, b.value)
            case ast.Mult():
                unit = units.product(a.unit, b.unit)
            case _:
                unit = units.quotient(a.unit, b.unit)
        return Node(Type.NUMBER, lambda frame: apply(a.evaluate(frame), b.evaluate(frame)), unit=unit)

    def _same_unit(self, tree: ast.expr, a: Node, b: Node) -> str | None:
        try:
            return units.same(a.unit, b.unit)
        except units.UnitError as error:
            self._refuse(tree, str(error))

    def _junction(self, op: ast.boolop, values: list[ast.expr]) -> Node:
        parts = [self._expect(value, Type.TRUTH).evaluate for value in values]
        join: Callable[[Truth, Truth], Truth] = operator.and_ if isinstance(op, ast.And) else operator.or_

        def evaluate(frame: Frame) -> Truth:
            result: Truth = parts[0](frame)
            for part in parts[1:]:
                result = join(result, part(frame))
            return result

        return Node(Type.TRUTH, evaluate)

    def _chain(self, tree: ast.expr, left: ast.expr, ops: list[ast.cmpop], rights: list[ast.expr]) -> Node:
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

        return Node(Type.TRUTH, evaluate)

    def _comparison(self, tree: ast.expr, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Callable[[Frame], Truth]:
        a, b = self.compile(left), self.compile(right)
        compare = _COMPARISONS[type(op)]
        a, b = self._coded(tree, a, b), self._coded(tree, b, a)
        if a.type is not b.type or a.type is Type.TRUTH or (a.type is Type.NUMBER and a.words != b.words):
            self._refuse(tree, f"cannot compare {_called(a)} with {_called(b)}")
        if (a.type is Type.WORD or a.words or b.words) and not isinstance(op, _EQUALITIES):
            self._refuse(tree, "words have no order; use == or !=")
        if a.type is Type.NUMBER:
            self._same_unit(tree, a, b)

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

    def _coded(self, tree: ast.expr, node: Node, other: Node) -> Node:
        """A literal beside an enumeration must be one of its words; beside a metric it stands for its code."""
        if node.literal is None or not other.words:
            return node
        if node.literal not in other.words:
            self._refuse(tree, f"{node.literal!r} is not one of {', '.join(other.words)}")
        if other.type is Type.WORD:
            return node
        code = float(other.words.index(node.literal))
        return Node(Type.NUMBER, lambda frame: np.full(len(frame), code), words=other.words, unit=other.unit)

    def _name(self, tree: ast.expr, name: str) -> Node:
        if name in self._kind.position:
            return self._metric(tree, name)
        attribute = attribute_type(self._kind, name)
        if attribute is AttributeType.NUMBER:
            self.names.add(name)
            return Node(Type.NUMBER, lambda frame: frame.number(name), unit=self._kind.attributes[name].unit or None)
        if attribute is AttributeType.BOOL:
            self.names.add(name)
            return Node(Type.TRUTH, lambda frame: Truth.of_number(frame.number(name)))
        if attribute is not None:
            self.names.add(name)
            words = self._kind.attributes[name].values if attribute is AttributeType.ENUM else ()
            return Node(Type.WORD, lambda frame: frame.words(name), words=words)
        return self._derived(tree, name, [])

    def _metric(self, tree: ast.expr, name: str) -> Node:
        self._use(tree, name)
        metric = self._kind.metric(name)
        if metric.type is MetricType.TEXT:
            self._refuse(tree, f"{name!r} is text kept as evidence; rules do not judge it")
        if not self._inside:
            self.names.add(name)
        if metric.type is MetricType.BOOL:
            return Node(Type.TRUTH, lambda frame: Truth.of_number(frame.metric(name)))
        return Node(Type.NUMBER, lambda frame: frame.metric(name), words=metric.values, unit=metric.unit or None)

    def _use(self, tree: ast.expr, metric: str) -> None:
        """A metric is a reading's: in a rule about windows it stands inside of an aggregate."""
        if self._scope is Scope.WINDOW and not self._inside:
            self._refuse(
                tree, f"{metric} is a reading's, and a window has many: write last({metric}), max({metric}) or the like"
            )
        if self._scope is Scope.MOMENT:
            self._refuse(tree, f"a silent device sends no {metric}: ask for attributes and times")
        self.metrics.add(metric)

    def _aggregate(self, tree: ast.Call, name: str, args: list[ast.expr]) -> Node:
        if self._scope is not Scope.WINDOW:
            self._refuse(tree, f"{name} is made of a window of readings: give the rule input: window and a window")
        if self._inside:
            self._refuse(tree, f"{name} stands inside of another aggregate; take both from readings")
        aggregate = AGGREGATES[name]
        self._inside = True
        try:
            columns, number = self._arguments(tree, name, aggregate, args)
        finally:
            self._inside = False

        def evaluate(frame: Frame) -> Any:
            contents = _contents(frame)
            values = [as_floats(column.evaluate(contents.frame)) for column in columns]
            result = reduced(aggregate, contents, *values, number=number)
            return Truth.of_number(result) if kept is Type.TRUTH else result

        kept = columns[0].type if aggregate.keeps_type else Type.NUMBER
        unit = aggregate.unit or (columns[0].unit if columns else None)
        node = Node(kept, evaluate, words=columns[0].words if aggregate.keeps_type else (), unit=unit)
        self.aggregates[ast.unparse(tree)] = node
        return node

    def _arguments(  # noqa: RET503 - _refuse never returns
        self, tree: ast.expr, name: str, aggregate: Aggregate, args: list[ast.expr]
    ) -> tuple[list[Node], float]:
        takes = aggregate.takes
        columns = [self.compile(each) for each in args]
        match takes, columns:
            case ((Takes.MAYBE_TRUTH | Takes.MAYBE_ANYTHING), []):
                return [], 0.0
            case Takes.NUMBER, [Node(type=Type.NUMBER, words=())]:
                return columns, 0.0
            case ((Takes.TRUTH | Takes.MAYBE_TRUTH), [Node(type=Type.TRUTH)]):
                return columns, 0.0
            case ((Takes.ANYTHING | Takes.MAYBE_ANYTHING), [Node(type=Type.NUMBER | Type.TRUTH)]):
                return columns, 0.0
            case Takes.PAIR, [Node(type=Type.NUMBER, words=()), Node(type=Type.NUMBER, words=())]:
                return columns, 0.0
            case Takes.SHARE, [Node(type=Type.NUMBER, words=()), Node(value=float(share))] if 0 <= share <= 100:
                return columns[:1], share
            case _:
                self._refuse(tree, f"{name} is of {takes.value}")

    def _alarmed(self, tree: ast.expr, args: list[ast.expr]) -> Node:
        if self._scope is Scope.READING or self._inside:
            self._refuse(tree, "whether there was an alarm is asked of a window or of silence, outside of aggregates")
        rules = [each.value for each in args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        if len(rules) != len(args):
            self._refuse(tree, f"write {_BUILT_IN['alarmed']}")
        self.alarms.update(rules)

        def evaluate(frame: Frame) -> Truth:
            alarms, start, end = frame.alarms, frame.readings.ts, frame.readings.ts
            if self._scope is Scope.WINDOW:
                contents = _contents(frame)
                alarms, start, end = contents.alarms, contents.start, contents.end
            spells = [alarms.touch(rule, frame.readings.device, start, end) for rule in rules]
            return Truth.known(np.logical_or.reduce(spells))

        return Node(Type.TRUTH, evaluate)

    def _sent(self, tree: ast.expr, name: str) -> Node:
        if name not in self._kind.position:
            self._unknown(tree, name, list(self._kind.position))
        self._use(tree, name)
        if self._kind.metric(name).type is MetricType.TEXT:
            self._refuse(tree, f"{name!r} is text kept as evidence; rules do not judge it")
        return Node(Type.TRUTH, lambda frame: Truth.known(~np.isnan(frame.metric(name))))

    def _limit(self, tree: ast.expr, name: str) -> Node:
        if name not in self._kind.limits:
            self._unknown(tree, name, list(self._kind.limits), prefix="limit.")
        self.names.add(f"limit.{name}")
        return Node(Type.NUMBER, lambda frame: frame.limit(name), unit=self._kind.limits[name].unit)

    def _derived(self, tree: ast.expr, name: str, args: list[ast.expr]) -> Node:
        if name not in DERIVED:
            self._refuse_name(tree, name)
        derived = DERIVED[name]
        for needed in derived.needs:
            if needed not in self._kind.position and needed not in self._kind.attributes:
                self._refuse(tree, f"{name} needs {needed}, which a {self._kind.name} does not have")
            if needed in self._kind.position:
                self._use(tree, needed)
        margin = self._margin(tree, name, args, takes_margin=derived.takes_margin)
        if not self._inside:
            self.names.update(derived.needs)
        once = f"derived {name} {margin}"
        return Node(
            derived.type, lambda frame: frame.once(once, lambda: derived.evaluate(frame, margin)), unit=derived.unit
        )

    def _margin(  # noqa: RET503 - _refuse never returns
        self, tree: ast.expr, name: str, args: list[ast.expr], *, takes_margin: bool
    ) -> int:
        match args:
            case []:
                return 0
            case _ if not takes_margin:
                self._refuse(tree, f"{name} takes no brackets")
            case [ast.Constant(value=str(text))]:
                try:
                    return parse_duration(text)
                except ValueError as error:
                    self._refuse(tree, str(error))
            case _:
                self._refuse(tree, f'{name} takes at most one duration, such as {name}("15m")')

    def _refuse_name(self, tree: ast.expr, name: str) -> NoReturn:
        if name in _BUILT_IN:
            self._refuse(tree, f"write {_BUILT_IN[name]}")
        names = [*self._kind.position, *self._kind.attributes, *DESCRIBED]
        if name in names:
            self._refuse(tree, f"{name} takes no brackets")
        if name in AGGREGATES:
            self._refuse(tree, f"write {name}(...)")
        more = AGGREGATES if self._scope is Scope.WINDOW else ()
        self._unknown(tree, name, [*names, *DERIVED, *_BUILT_IN, *more])

    def _expect(self, tree: ast.expr, wanted: Type) -> Node:
        node = self.compile(tree)
        if node.type is not wanted or (wanted is Type.NUMBER and node.words):
            self._refuse(tree, f"is {_called(node)} where {wanted} is needed")
        return node

    def _refuse(self, tree: ast.expr, why: str) -> NoReturn:
        before = self._lines[tree.lineno - 1].encode()[: tree.col_offset]  # the parser counts bytes
        column = len(before.decode(errors="ignore")) + 1
        raise ExpressionError(column, why, ast.unparse(tree))

    def _unknown(self, tree: ast.expr, name: str, known: list[str], prefix: str = "") -> NoReturn:
        near = [f"{prefix}{each}" for each in difflib.get_close_matches(name, known, n=1)]
        everything = ", ".join(f"{prefix}{each}" for each in sorted(known))
        hint = f"did you mean {near[0]!r}?" if near else f"known are {everything}"
        self._refuse(tree, f"a {self._kind.name} knows no {prefix + name!r}; {hint}")


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond every float
        return False


def _contents(frame: Frame) -> Contents:
    if frame.contents is None:
        raise TypeError("a condition about windows was asked of readings")
    return frame.contents


def _permitted(frame: Frame, word: str) -> Truth:
    ts = frame.readings.ts
    return Truth.known(frame.permits.touch(word, frame.readings.device, ts, ts))


def _called(node: Node) -> str:
    return "an enumeration" if node.words else node.type
