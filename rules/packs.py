"""Reading rule packs: YAML, one file a kind, every mistake named with file, line, column and rule."""

import difflib
import hashlib
import json
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import yaml

from devices.errors import Permanent
from devices.kind import Kind
from rules.measures import load_measures
from rules.pack_rule import FieldError, called, read_rule
from rules.plain_yaml import Loader, Mistakes, read
from rules.rule import Rule

PACKS_FOLDER = Path(__file__).parent / "packs"
KIND_PACK = "rules.yaml"
TESTS = ".tests.yaml"
_PLACE = re.compile(r"(?P<why>.*) - at `\$(?P<path>.*)`", re.DOTALL)
_STEP = re.compile(r"\.(\w+)|\[(\d+|\.\.\.)\]")


class PackError(Permanent):
    """A pack cannot be used; every problem is listed."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


def load_packs(
    kinds: Mapping[str, Kind], folder: Path = PACKS_FOLDER, check: Callable[[Rule], None] = lambda _: None
) -> list[Rule]:
    """The rules of every pack in a folder, and of ``rules.yaml`` in the folders of kinds that bring their own.

    In order of their ids. ``check`` knows what must hold of a rule beside, and raises FieldError.

    Raises:
        PackError: listing every problem in every pack.
    """
    measures = load_measures()
    rules: dict[str, Rule] = {}
    entries: dict[str, Entry] = {}
    problems: list[str] = []
    for path in pack_files(kinds, folder):
        for entry in read_entries(path, problems):
            try:
                rule = replace(read_rule(entry.document, kinds, measures, entry.version), text=entry.as_written)
                if rule.id in rules:
                    raise FieldError(("id",), "this id stands twice")  # noqa: TRY301 - joins the list of problems
                check(rule)
                rules[rule.id], entries[rule.id] = rule, entry
            except FieldError as error:
                problems.append(entry.problem(error))
            except msgspec.ValidationError as error:
                problems.append(entry.problem(_misfit(error)))
    for rule_id, rule in rules.items():
        problems += [entries[rule_id].problem(error) for error in _strangers(rule, rules, entries[rule_id].document)]
    if problems:
        raise PackError(problems)
    return [rules[rule_id] for rule_id in sorted(rules)]


def _strangers(rule: Rule, rules: Mapping[str, Rule], document: Mapping[str, Any]) -> Iterator[FieldError]:
    """Rules that a rule names and that are not there, that cannot be what it takes them for, or that ask it back."""
    for name in sorted(set(rule.covers) | rule.asked):
        path, column = _named(document, name)
        if name not in rules:
            near = difflib.get_close_matches(name, rules, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(rules))}"
            yield FieldError(path, f"there is no rule {name!r}; {hint}", column, name)
        elif name in rule.covers and (rules[name].kind != rule.kind or rules[name].group):
            yield FieldError(path, f"{name} raises no alarms of single devices of the kind {rule.kind}", column, name)
        elif name in rule.asked and (way := _way_back(name, rule.id, rules)):
            ring = " asks for ".join([rule.id, *way])
            yield FieldError(path, f"goes round in a ring: {ring}", column, name)


def _way_back(start: str, end: str, rules: Mapping[str, Rule]) -> list[str]:
    """The shortest chain of rules that ask for each other's alarms, from one to another; empty where there is none."""
    ways, seen = [[start]], {start}
    for way in ways:
        if way[-1] == end:
            return way
        for name in sorted(rules[way[-1]].asked & rules.keys() - seen):
            seen.add(name)
            ways.append([*way, name])
    return []


def _named(part: Any, name: str, path: tuple[str | int, ...] = ()) -> tuple[tuple[str | int, ...], int]:
    """Where in a document a rule is named: the path to the text and the column in it; none where it is not found."""
    if isinstance(part, str):
        found = re.search(rf"(?:^|[\"']){re.escape(name)}(?:$|[\"'])", part)
        return (path, part.index(name, found.start()) + 1) if found and path != ("id",) else ((), 1)
    steps = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    return next((place for key, each in steps if (place := _named(each, name, (*path, key)))[0]), ((), 1))


def _misfit(error: msgspec.ValidationError) -> FieldError:
    """A value of the wrong type, its place taken out of the message."""
    match = _PLACE.fullmatch(str(error))
    if match is None:
        return FieldError((), str(error))
    steps = _STEP.findall(match["path"])
    path = tuple(name or int(number) for name, number in steps if number != "...")
    hint = '; write the time in quotes, "21:30"' if path == ("at",) else ""
    return FieldError(path, match["why"] + hint)


def shown(path: Path) -> str:
    """A pack, or its tests, as messages name it: with its folder where every kind has one of that name."""
    return f"{path.parent.name}/{path.name}" if path.name.startswith(KIND_PACK.removesuffix("yaml")) else path.name


def pack_files(kinds: Mapping[str, Kind], folder: Path = PACKS_FOLDER) -> list[Path]:
    """The packs of a folder and those that kinds bring along, without their tests."""
    packs = (path for path in sorted(folder.glob("*.yaml")) if not path.name.endswith(TESTS))
    own = (kind.folder / KIND_PACK for kind in kinds.values())
    return [*packs, *(path for path in own if path.exists())]


def documents(
    path: Path, problems: list[str], loader: Loader = yaml.CSafeLoader
) -> Iterator[tuple[int, dict[str, Any]]]:
    """The entries of a file of rules, or of their tests, with the line at which each starts."""
    for entry in read_entries(path, problems, loader):
        yield entry.line, entry.document


def rule_ids(pack: Path) -> list[str]:
    """The ids of the rules of one pack, in its order."""
    return [str(document["id"]) for _, document in documents(pack, [])]


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a file, with where it stands."""

    path: Path
    text: str
    node: yaml.Node
    document: dict[str, Any]

    @property
    def line(self) -> int:
        """The line at which it starts, from 1."""
        return int(self.node.start_mark.line) + 1

    @property
    def as_written(self) -> str:
        """The entry alone, a list of one, as it stands in the file."""
        start, end = int(self.node.start_mark.index), int(self.node.end_mark.index)
        first = self.text.rfind("\n", 0, start) + 1
        return textwrap.dedent(self.text[first:end]).rstrip() + "\n"

    @property
    def version(self) -> str:
        """A fingerprint of what it says, whatever its layout."""
        return hashlib.sha256(json.dumps(self.document, sort_keys=True, default=str).encode()).hexdigest()[:12]

    def problem(self, error: FieldError) -> str:
        """What is wrong, with file, line, column, rule and field."""
        field = f"{called(error.path)}: " if error.path else ""
        where = place(self.text, self._index(error))
        return f"{shown(self.path)}:{where}: {self.document.get('id', 'rule')}: {field}{error.why}"

    def _index(self, error: FieldError) -> int:
        """Where in the file the fault is: at the word if there is one, else at its field."""
        key, value = self._find(error.path)
        if value is None or error.of_name:
            return int(key.start_mark.index)
        start, end = int(value.start_mark.index), int(value.end_mark.index)
        if not isinstance(value, yaml.ScalarNode) or not error.word:
            return start
        # Folding moves blanks only: the word that is the nth of its kind in the value is the nth in the file.
        first = re.match(r"\w*|.", error.word, re.DOTALL)
        word = re.compile(re.escape(first[0] if first else ""))
        nth = len(word.findall(value.value.strip()[: error.column - 1]))
        places = [match.start() for match in word.finditer(self.text, start, end)]
        return places[nth] if nth < len(places) else start

    def _find(self, path: tuple[str | int, ...]) -> tuple[yaml.Node, yaml.Node | None]:
        """The key and the value that a path leads to, as far as it does."""
        key, value = self.node, self.node
        for step in path:
            if isinstance(value, yaml.MappingNode):
                found = [pair for pair in value.value if pair[0].value == step]
                if not found:
                    break
                key, value = found[0]
            elif isinstance(value, yaml.SequenceNode) and isinstance(step, int) and step < len(value.value):
                key = value = value.value[step]
        return key, value if isinstance(value, yaml.ScalarNode) else None


def read_entries(path: Path, problems: list[str], loader: Loader = yaml.CSafeLoader) -> Iterator[Entry]:
    """The entries of a file of rules, or of their tests."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        problems.append(f"{shown(path)}: byte {error.start}: not UTF-8; save the file as UTF-8")
        return
    yield from _entries(path, text, problems, loader)


def rule_as_written(text: str, kinds: Mapping[str, Kind]) -> Rule:
    """A rule read again from its own ``text``, by the kinds of today.

    Raises:
        PackError: if they no longer have what it asks for.
    """
    problems: list[str] = []
    entries = list(_entries(Path("rule.yaml"), text, problems, yaml.CSafeLoader))
    try:
        if len(entries) == 1:
            return replace(read_rule(entries[0].document, kinds, load_measures(), entries[0].version), text=text)
    except FieldError as error:
        problems.append(entries[0].problem(error))
    raise PackError(problems or ["this is not one rule"])


def _entries(path: Path, text: str, problems: list[str], loader: Loader) -> Iterator[Entry]:
    try:
        tree, entries = read(text, loader)
    except Mistakes as error:
        problems += [f"{shown(path)}:{place(text, index)}: {why}" for index, why in error.found]
        return
    if not isinstance(tree, yaml.SequenceNode) or not all(isinstance(each, dict) for each in entries):
        problems.append(f"{shown(path)}: a pack is a list of rules, each starting with '- id:'")
        return
    for node, document in zip(tree.value, entries, strict=True):
        yield Entry(path, text, node, document)


def place(text: str, index: int) -> str:
    """Line and column of a position in a text, both from 1."""
    return f"{text.count(chr(10), 0, index) + 1}:{index - text.rfind(chr(10), 0, index)}"
