"""Blocks of pages that are no commands are read by what reads such things; outputs stand where they are compared."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from cases.city import read_city
from devices.codecs import codecs_of
from devices.codecs.decoded import Decoded
from devices.codecs.native import NativeCodec
from devices.device import Device
from devices.kind import load_kinds
from devices.rollup import Rollup
from devices.shapes import convert
from rules.packs import rule_as_written
from simulators.scenario import load_scenario
from tests.documents import PAGES, ROOT, TUTORIALS, blocks
from tests.fix_city import CITY

KINDS = load_kinds()
# What a line of a block without a language begins with; those that can be are done by the tests that read pages.
TYPED = re.compile(r"(cityward|make|docker|curl|psql|pg_\w+|createdb|cp|rm|export|for|done)\b|\.ci/run\b|##\d")
LANGUAGES = {"", "console", "json", "mermaid", "text", "toml", "yaml"}
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def of(*languages: str) -> list[tuple[Path, str]]:
    """Blocks in these languages, as one text; those of the tutorials are written into files and used."""
    return [
        (page, "\n".join(lines))
        for page in PAGES
        if page not in TUTORIALS
        for _, language, lines in blocks(page)
        if language in languages
    ]


@each_page
def test_a_page_shows_outputs_below_their_command_where_they_are_compared(page: Path) -> None:
    shown = [
        (begins + number, line)
        for begins, language, lines in blocks(page)
        for number, line in enumerate(lines)
        if (language not in LANGUAGES or (language != "console" and line.startswith("$ ")))
        or (not language and line and not TYPED.match(line.strip()))
    ]
    assert shown == []


def test_payloads_are_readings_of_their_kind() -> None:
    payloads = [(page, text) for page, text in of("json") if '"m":' in text]
    assert len(payloads) == len(KINDS) + 1
    for page, text in payloads:
        codec = NativeCodec(KINDS[page.parent.name if page.parent != ROOT else "manhole"])
        assert [type(each) for each in codec.decode(text.encode(), "a device")] == [Decoded], page


def test_frames_are_readings_of_their_kind() -> None:
    frames = [(page, text) for page, text in of("") if text.startswith("##")]
    assert len(frames) == sum("hj212" in kind.codecs for kind in KINDS.values())
    for page, frame in frames:
        kind, (name,) = KINDS[page.parent.name], re.findall(r";MN=(\w+);", frame)
        device = Device(id=9, device_id=name, kind=kind.name, name="", district="east", lon=114.3, lat=30.6)
        assert [type(each) for each in codecs_of(kind)["hj212"].decode(frame.encode(), device)] == [Decoded], page


def test_tables_are_of_a_city_of_a_kind_or_of_a_scenario(tmp_path: Path) -> None:
    city = tomllib.loads(CITY.read_text(encoding="utf-8"))
    for page, text in of("toml"):
        read = tomllib.loads(text)
        if "title" in read:
            (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
            assert load_scenario(str(tmp_path / "mine.toml"), tuple(KINDS)).faults, page
        elif "rollup" in read:
            assert convert(read["rollup"], Rollup), page
        else:
            assert read_city(city | read, page.name), page


def test_rules_are_written_as_shown() -> None:
    usual = {"name": {"en": "x", "zh": "x"}, "severity": "minor", "source": "x", "case": {"problem": "x", "fix": "1h"}}
    for page, text in of("yaml"):
        for each in yaml.safe_load(text):
            if "raise" in each:
                assert rule_as_written(yaml.safe_dump([usual | each], allow_unicode=True), KINDS).id == each["id"], page
