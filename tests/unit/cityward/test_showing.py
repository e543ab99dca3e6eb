"""What devices sent, as people read it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cityward.cli.context import table
from cityward.showing import hex_dump, payload_text, printable, sent, side_by_side
from devices.kind import Kind, load_kinds
from devices.readings import Readings

KINDS = load_kinds()


def one(kind: Kind, **metrics: float | str) -> Readings:
    """A reading that carries these metrics."""
    number = np.zeros(1, dtype=np.int64)
    values = np.full((1, len(kind.metrics)), np.nan)
    texts = {metric.name: np.array([None], dtype=object) for metric in kind.metrics if metric.max_length}
    for name, value in metrics.items():
        if isinstance(value, str):
            texts[name][0] = value
        else:
            values[0, kind.position[name]] = value
    return Readings(kind, number, number, number, number, number, number, number, number, values, texts)


@given(st.text())
def test_what_is_shown_cannot_command_a_terminal(text: str) -> None:
    shown = printable(text)
    assert all(each.isprintable() or each in "\n\xa0\u3000" for each in shown)
    assert text.isprintable() <= (shown == text)


def test_control_characters_are_spelled_out_and_lines_stay_lines() -> None:
    assert printable("\x1b[2J城市\r\n\x00\u202e") == "\\x1b[2J城市\\r\n\\x00\\u202e"


def test_whatever_people_wrote_into_a_table_commands_no_terminal() -> None:
    made = table("", ["why"], [["\x1b]0;mine\x07dark\r\nsince\u3000Monday\x9b2J"]])
    assert [str(cell) for cell in made.columns[0].cells] == ["\\x1b]0;mine\\x07dark\nsince\u3000Monday\\x9b2J"]


def test_a_payload_is_text_where_it_is_utf_8_and_else_a_hex_dump() -> None:
    assert payload_text('{"路": 1}'.encode(), 100) == '{"路": 1}'
    assert payload_text(b"##\xff", 100) == hex_dump(b"##\xff")


def test_a_long_text_is_cut_between_characters_and_stays_a_text() -> None:
    assert payload_text("路灯".encode(), 1) == "路"
    assert payload_text(b"\xff" * 40, 16).count("\n") == 0


def test_a_hex_dump_shows_offset_bytes_and_ascii() -> None:
    first, second = hex_dump(b"##0136ST=32;CN=2\xff\n").split("\n")
    assert first == "000000  23 23 30 31 33 36 53 54 3d 33 32 3b 43 4e 3d 32  ##0136ST=32;CN=2"
    assert second == f"000010  {'ff 0a':<47}  .."


@given(st.binary(max_size=100))
def test_a_hex_dump_loses_no_byte(data: bytes) -> None:
    assert bytes.fromhex("".join(line[8:55] for line in hex_dump(data).split("\n"))) == data


def test_a_reading_shows_the_metrics_that_it_carries_as_words() -> None:
    cover = one(KINDS["manhole"], tilt=62.5, open_state=1.0)
    assert sent(cover, 0) == {"open_state": "open", "tilt": "62.5"}
    assert sent(one(KINDS["fume"], fan_on=1.0, purifier_on=0.0), 0) == {"fan_on": "true", "purifier_on": "false"}
    assert sent(one(KINDS["bridge"], plate="鄂A\x1b1", axles=3.0), 0) == {"axles": "3", "plate": "鄂A\\x1b1"}


@pytest.mark.parametrize(
    ("stored", "line"),
    [
        (1.5, ("tilt", "1.5", "62.5", "differs")),
        (62.5, ("tilt", "62.5", "62.5", "")),
        (None, ("tilt", "-", "62.5", "differs")),
    ],
)
def test_stored_and_refused_stand_side_by_side(stored: float | None, line: tuple[str, ...]) -> None:
    cover = KINDS["manhole"]
    row = dict.fromkeys((metric.name for metric in cover.metrics), None) | {"tilt": stored, "battery_v": 3.6}
    compared = {each[0]: each for each in side_by_side(row, one(cover, tilt=62.5), 0)}
    assert compared["tilt"] == line
    assert compared["battery_v"] == ("battery_v", "3.6", "-", "differs")
    assert set(compared) == {"tilt", "battery_v"}


def test_values_are_compared_with_the_precision_of_the_table() -> None:
    cover = KINDS["manhole"]
    row = dict.fromkeys((metric.name for metric in cover.metrics), None) | {"tilt": 0.1}  # 32 bits, read as a text
    assert side_by_side(row, one(cover, tilt=0.10000000149), 0) == [("tilt", "0.1", "0.1", "")]
