"""YAML as packs use it: lists, settings called by words, and plain values; whatever else YAML can do is refused.

Aliases can make a page of text a terabyte, tags can be anything, and of a setting that stands twice one would be lost
in silence. A rule is also read again from its own text alone, where what is written elsewhere is not at hand.
"""

from collections.abc import Iterator
from typing import Any

import yaml

Loader = type[yaml.CSafeLoader | yaml.CBaseLoader]
_DEEPEST = 20  # a rule needs five; the parser itself falls over beyond some ten thousand
_WORD = "tag:yaml.org,2002:str"


class Mistakes(ValueError):  # noqa: N818 - several
    """Text that cannot be read, as positions in it and what is wrong there."""

    def __init__(self, found: list[tuple[int, str]]) -> None:
        self.found = sorted(found)
        super().__init__("; ".join(why for _, why in self.found))


def read(text: str, loader: Loader) -> tuple[yaml.Node | None, Any]:
    """The tree of a text, None where it is empty, and what it says.

    Raises:
        Mistakes: saying where it is no YAML or more than packs need.
    """
    try:
        for first in _unwanted(text, loader):
            raise Mistakes([first])
        reader = loader(text)
        tree = reader.get_single_node()
        if tree is None:
            return None, None
        if found := list(_misread(reader, tree)):
            raise Mistakes(found)
        return tree, reader.construct_document(tree)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        why = ", ".join(part for part in (error.context, error.problem) if part)
        raise Mistakes([(int(mark.index) if mark else 0, f"not YAML: {why}")]) from error
    except yaml.reader.ReaderError as error:
        raise Mistakes([(text.find(chr(error.character)), f"not YAML: {error.reason}")]) from error


def _unwanted(text: str, loader: Loader) -> Iterator[tuple[int, str]]:
    """Aliases, tags and what is nested too deep, found before anything is built of them."""
    depth = 0
    for event in yaml.parse(text, loader):
        at = int(event.start_mark.index) if event.start_mark else 0
        if isinstance(event, yaml.AliasEvent):
            yield at, f"*{event.anchor} repeats what stands elsewhere; write it out"
        elif isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag is not None:
            yield at, f"{event.tag} is a tag of YAML; write the value alone, in quotes where it is a word"
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEEPEST:
                yield at, "nested too deeply"
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _misread(reader: yaml.CSafeLoader | yaml.CBaseLoader, tree: yaml.Node) -> Iterator[tuple[int, str]]:
    """Settings that stand twice or are not called by a word, and values that are none."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
        elif isinstance(node, yaml.MappingNode):
            names: set[str] = set()
            for name, value in node.value:
                if name.tag != _WORD:
                    yield int(name.start_mark.index), "a setting is called by a word"
                elif name.value in names:
                    yield int(name.start_mark.index), f"{name.value!r} stands twice"
                names.add(str(name.value))
                waiting.append(value)
        else:
            try:
                reader.construct_object(node)
            except ValueError as error:  # a date that the calendar does not have, a number without end
                yield int(node.start_mark.index), f"{node.value[:40]!r} is no value: {error}; write words in quotes"
