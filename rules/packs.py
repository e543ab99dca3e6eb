"""Reading rule packs: YAML, one file a kind, every mistake named with file, line and rule."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
import yaml

from devices.kind import Kind
from rules.durations import MICROS, parse_duration
from rules.expressions import Expression, ExpressionError, compile_condition
from rules.rule import AT_ONCE, Branch, CaseSpec, Hold, Input, Rule, Severity

PACKS_FOLDER = Path(__file__).parent / "packs"
KIND_PACK = "rules.yaml"
TESTS = ".tests.yaml"
# A reading that stays away for three intervals interrupts what was being observed.
INTERVALS_PER_GAP = 3


class PackError(Exception):
    """A pack cannot be used; every problem is listed."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class _Hold(msgspec.Struct, forbid_unknown_fields=True, rename={"or_": "or"}):
    samples: Annotated[int, msgspec.Meta(ge=1)] = 0
    time: str = ""
    within: str = ""
    or_: str = ""

    def hold(self) -> Hold:
        duration = self.time or self.or_
        if self.within and (duration or not self.samples):
            raise ValueError("within goes with samples, and with nothing else")
        return Hold(
            self.samples,
            parse_duration(duration) if duration else 0,
            parse_duration(self.within) if self.within else 0,
        )


class _Branch(msgspec.Struct, forbid_unknown_fields=True, rename={"for_": "for"}):
    when: str = ""
    for_: str | _Hold = ""
    severity: str = ""
    silent: str = ""


class _Rule(msgspec.Struct, forbid_unknown_fields=True, rename={"raise_": "raise", "for_": "for"}):
    id: str
    name: dict[str, str]
    kind: str
    raise_: str | list[_Branch]
    severity: str | dict[str, str]
    case: CaseSpec
    source: str
    input: Input = Input.READING
    for_: str | _Hold = ""
    clear: str = ""
    clear_for: str | _Hold = ""
    clear_messages: Annotated[int, msgspec.Meta(ge=1)] = 1
    max_gap: str = ""


def load_packs(kinds: Mapping[str, Kind], folder: Path = PACKS_FOLDER) -> list[Rule]:
    """The rules of every pack in a folder, and of ``rules.yaml`` in the folders of kinds that bring their own.

    In order of their ids.

    Raises:
        PackError: listing every problem in every pack.
    """
    rules: dict[str, Rule] = {}
    problems: list[str] = []
    for path in pack_files(kinds, folder):
        for line, document in documents(path, problems):
            where = f"{path.name}:{line}: {document.get('id', 'rule')}"
            try:
                rule = _rule(document, kinds)
                if rule.id in rules:
                    raise ValueError("this id stands twice")  # noqa: TRY301 - joins the list of problems
                rules[rule.id] = rule
            except (ValueError, msgspec.ValidationError) as error:
                problems.append(f"{where}: {error}")
    if problems:
        raise PackError(problems)
    return [rules[rule_id] for rule_id in sorted(rules)]


def pack_files(kinds: Mapping[str, Kind], folder: Path = PACKS_FOLDER) -> list[Path]:
    """The packs of a folder and those that kinds bring along, without their tests."""
    packs = (path for path in sorted(folder.glob("*.yaml")) if not path.name.endswith(TESTS))
    own = (kind.folder / KIND_PACK for kind in kinds.values())
    return [*packs, *(path for path in own if path.exists())]


def documents(
    path: Path, problems: list[str], loader: type[yaml.SafeLoader | yaml.BaseLoader] = yaml.SafeLoader
) -> Iterator[tuple[int, dict[str, Any]]]:
    """The entries of a file of rules, or of their tests, with the line at which each starts."""
    try:
        text = path.read_text(encoding="utf-8")
        tree, entries = yaml.compose(text, loader), yaml.load(text, loader)  # noqa: S506 - a safe one
    except UnicodeDecodeError as error:
        problems.append(f"{path.name}: byte {error.start}: not UTF-8; save the file as UTF-8")
        return
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that the calendar does not have
        problems.append(f"{path.name}: not YAML: {error}")
        return
    if not isinstance(tree, yaml.SequenceNode) or not all(isinstance(each, dict) for each in entries):
        problems.append(f"{path.name}: a pack is a list of rules, each starting with '- id:'")
        return
    for node, document in zip(tree.value, entries, strict=True):
        yield node.start_mark.line + 1, document


def _rule(document: dict[str, Any], kinds: Mapping[str, Kind]) -> Rule:
    raw = msgspec.convert(document, _Rule)
    if raw.kind not in kinds:
        raise ValueError(f"kind: unknown kind {raw.kind!r}; installed are {', '.join(kinds)}")
    if missing := {"en", "zh"} - raw.name.keys():
        raise ValueError(f"name: give it in {' and '.join(sorted(missing))} too")
    kind = kinds[raw.kind]
    severity, severity_when = _severity(raw, kind)
    return Rule(
        id=raw.id,
        names=raw.name,
        kind=raw.kind,
        input=raw.input,
        branches=tuple(_branches(raw, kind)),
        severity=severity,
        severity_when=severity_when,
        clear=_condition("clear", raw.clear, kind) if raw.clear else None,
        clear_hold=_hold("clear_for", raw.clear_for),
        clear_messages=raw.clear_messages,
        max_gap=(
            parse_duration(raw.max_gap)
            if raw.max_gap
            else round(kind.interval.total_seconds() * MICROS) * INTERVALS_PER_GAP
        ),
        case=raw.case,
        source=raw.source,
        version=hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:12],
    )


def _branches(raw: _Rule, kind: Kind) -> Iterator[Branch]:
    branches = raw.raise_ if isinstance(raw.raise_, list) else [_Branch(when=raw.raise_, for_=raw.for_)]
    if not branches:
        raise ValueError("raise: give at least one condition")
    if isinstance(raw.raise_, list) and raw.for_:
        raise ValueError("for: belongs to each condition of the list under raise")
    for number, branch in enumerate(branches, start=1):
        where = "raise" if len(branches) == 1 else f"raise {number}"
        if (raw.input is Input.SILENCE) != bool(branch.silent):
            raise ValueError(f"{where}: silent belongs to rules with input: silence, and those need it")
        if not branch.when and not branch.silent:
            raise ValueError(f"{where}: when is missing")
        yield Branch(
            when=_condition(where, branch.when, kind) if branch.when else None,
            hold=_hold(where, branch.for_),
            severity=_level(branch.severity) if branch.severity else None,
            silent=parse_duration(branch.silent) if branch.silent else 0,
        )


def _severity(raw: _Rule, kind: Kind) -> tuple[Severity, tuple[tuple[Severity, Expression], ...]]:
    if isinstance(raw.severity, str):
        return _level(raw.severity), ()
    if "default" not in raw.severity:
        raise ValueError("severity: give a default")
    conditions = {word: text for word, text in raw.severity.items() if word != "default"}
    worst_first = sorted(conditions, key=_level, reverse=True)
    return _level(raw.severity["default"]), tuple(
        (_level(word), _condition(f"severity {word}", conditions[word], kind)) for word in worst_first
    )


def _level(word: str) -> Severity:
    try:
        return Severity[word.upper()]
    except KeyError:
        words = ", ".join(level.name.lower() for level in Severity)
        raise ValueError(f"severity: {word!r} is not one of {words}") from None


def _condition(where: str, text: str, kind: Kind) -> Expression:
    try:
        return compile_condition(text, kind)
    except ExpressionError as error:
        raise ValueError(f"{where}: {error}") from error


def _hold(where: str, raw: str | _Hold) -> Hold:
    if not raw:
        return AT_ONCE
    try:
        return Hold(duration=parse_duration(raw)) if isinstance(raw, str) else raw.hold()
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
