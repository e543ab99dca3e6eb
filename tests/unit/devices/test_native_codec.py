"""The native payload: whatever bytes arrive, each reading is read or refused on its own."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.codecs.decoded import Aside, Decoded
from devices.codecs.native import NativeCodec
from devices.readings import MESSAGE_TYPES, NO_SEQUENCE
from devices.rejection import Code, Rejected
from tests.unit.devices.gates import (
    CODEC,
    DEVICE,
    GATE,
    KINDS,
    METRICS,
    NOON,
    YEAR_2000,
    YEAR_2100,
    read,
    refused,
    sent,
    value,
)


def test_a_reading_has_its_time_counter_type_and_metrics_in_the_kinds_order() -> None:
    payload = sent(metrics='"state": "open", "wet": false, "level": 2', rest=', "seq": 17, "type": "event"')
    values = (2.0, None, None, None, False, "open", None)
    assert read(payload) == Decoded(NOON * 1000, 17, MESSAGE_TYPES.index("event"), values)


def test_a_device_may_name_its_firmware_and_the_signal_beside_its_metrics() -> None:
    reading = read(sent(rest=', "fw": "NB-2.4.1", "csq": 17, "rsrp": -101.5'))
    assert (reading.aside, reading.also_sent) == (Aside("NB-2.4.1", 17, -101.5), ())
    assert read(sent()).aside is None
    assert read(sent(rest=', "fw": null')).aside is None


def test_a_signal_that_is_a_metric_of_the_kind_is_not_taken_beside_the_metrics() -> None:
    cover = NativeCodec(KINDS["manhole"])
    [outcome] = cover.decode(sent(metrics='"csq": 20', rest=', "csq": 3'), DEVICE)
    assert isinstance(outcome, Decoded)
    assert (outcome.aside, outcome.also_sent) == (None, ("csq",))
    assert outcome.values[KINDS["manhole"].position["csq"]] == 20


@pytest.mark.parametrize("firmware", ["3", f'"{"v" * 65}"', '"a\\u0000"', '"a\\n"', "{}"])
def test_a_firmware_is_a_short_printable_text(firmware: str) -> None:
    assert refused(sent(rest=f', "fw": {firmware}')).code is Code.WRONG_TYPE


def test_counter_and_type_may_be_left_out() -> None:
    reading = read(sent())
    assert (reading.seq, MESSAGE_TYPES[reading.type]) == (NO_SEQUENCE, "periodic")


def test_a_metric_that_is_null_or_left_out_was_not_measured() -> None:
    assert read(sent(metrics='"level": null')).values == (None,) * len(METRICS)
    assert read(sent(metrics="")).values == (None,) * len(METRICS)


@pytest.mark.parametrize(
    ("metric", "text", "wanted"),
    [
        ("level", "1", 1.0),
        ("level", "-1.5e1", -15.0),
        ("level", "3.4e38", 3.4e38),
        ("energy", "123456789.125", 123456789.125),
        ("signal", "-32768", -32768),
        ("count", "2147483647", 2147483647),
        ("wet", "true", True),
        ("state", '"shut"', "shut"),
        ("plate", '"鄂A12345"', "鄂A12345"),
        ("plate", '"\\ud83d\\ude9a"', "🚚"),
    ],
)
def test_a_value_of_the_right_type_is_read(metric: str, text: str, wanted: object) -> None:
    found = value(metric, text)
    assert found == wanted
    assert type(found) is type(wanted)


@pytest.mark.parametrize(
    ("metric", "text"),
    [
        ("level", '"1.5"'),
        ("level", "true"),
        ("level", "[1]"),
        ("level", "{}"),
        ("signal", "1.5"),
        ("signal", "32768"),
        ("signal", "-32769"),
        ("count", "2147483648"),
        ("count", "1e3"),
        ("count", "false"),
        ("wet", "1"),
        ("wet", '"true"'),
        ("state", '"ajar"'),
        ("state", '"OPEN"'),
        ("state", "1"),
        ("plate", "17"),
        ("plate", '"123456789"'),
        ("plate", '"a\\u0000b"'),
    ],
)
def test_a_value_of_the_wrong_type_refuses_the_reading_and_names_the_metric(metric: str, text: str) -> None:
    rejected = refused(sent(metrics=f'"level": 1.5, "{metric}": {text}'))
    assert rejected.code is Code.WRONG_TYPE
    assert f"$.m.{metric}" in rejected.detail


@pytest.mark.parametrize(
    "payload",
    [
        b"17",
        b'"open"',
        b"null",
        b"{}",
        b'{"ts": 1795291200000}',
        b'{"m": {"level": 1.5}}',
        b'{"ts": 1795291200000, "m": [1.5]}',
        b'{"ts": 1795291200000, "m": null}',
        b'{"ts": null, "m": {}}',
        b'{"ts": 1795291200000.0, "m": {}}',
        sent(rest=', "seq": -1'),
        sent(rest=', "seq": 2147483648'),
        sent(rest=', "seq": "17"'),
        sent(rest=', "type": "alarm"'),
    ],
)
def test_an_envelope_of_another_shape_is_a_wrong_type(payload: bytes) -> None:
    assert refused(payload).code is Code.WRONG_TYPE


@pytest.mark.parametrize(
    "payload",
    [
        b"{",
        b'{"ts": 1795291200000, "m": {"le',
        b"{'ts': 1795291200000, 'm': {}}",
        b'{"ts": 1795291200000, "m": {},}',
        b"level=1.5",
        b"\x00",
        b"\xff\xfe\xfd",
        sent() + sent(),
        sent() + b"\x00",
        sent(metrics='"plate": "\\ud800"'),
        sent().replace(b"level", b"\xff"),
        sent(metrics='"plate": "?"').replace(b"?", b"\xc3\x28"),
        b"\xef\xbb\xbf" + sent(),
        sent().decode().encode("utf-16"),
        b"[" + sent(),
        b"[" + sent() + b"]]",
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000,
        sent(rest=f', "x": {"[" * 100_000}{"]" * 100_000}'),
    ],
    ids=lambda payload: repr(payload[:40]),
)
def test_what_is_not_json_in_utf_8_is_malformed(payload: bytes) -> None:
    rejected = refused(payload)
    assert rejected.code is Code.MALFORMED
    assert rejected.detail.startswith("not JSON: ")


@pytest.mark.parametrize("payload", [b"", b" \r\n\t ", b"[]", b" [ ] "])
def test_nothing_is_empty(payload: bytes) -> None:
    assert refused(payload).code is Code.EMPTY


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1e39", "-1e39", "9" * 400])
@pytest.mark.parametrize("metric", ["level", "energy"])
def test_a_number_that_no_column_can_hold_is_not_finite(metric: str, number: str) -> None:
    assert refused(sent(metrics=f'"{metric}": {number}')).code is Code.NON_FINITE


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2026-11-21T12:00:00+08:00", datetime(2026, 11, 21, 4, tzinfo=UTC)),
        ("2026-11-21T04:00:00Z", datetime(2026, 11, 21, 4, tzinfo=UTC)),
        ("2026-11-21t04:00:00.25z", datetime(2026, 11, 21, 4, 0, 0, 250_000, tzinfo=UTC)),
        ("2026-11-21 00:30:00-03:30", datetime(2026, 11, 21, 4, tzinfo=UTC)),
        ("2000-01-01T00:00:00Z", datetime(2000, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_time_may_be_rfc_3339_with_an_offset(text: str, wanted: datetime) -> None:
    assert read(sent(ts=f'"{text}"')).ts == wanted.timestamp() * 1_000_000


@given(
    at=st.datetimes(datetime(2000, 1, 2), datetime(2099, 12, 30)),  # noqa: DTZ001 - the offset is drawn beside
    offset=st.integers(-23 * 60, 23 * 60),
)
def test_a_time_is_read_to_the_microsecond_in_every_offset(at: datetime, offset: int) -> None:
    stamped = at.replace(tzinfo=timezone(timedelta(minutes=offset)))
    micros = (stamped - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert read(sent(ts=f'"{stamped.isoformat()}"')).ts == micros


@pytest.mark.parametrize(
    "text", ["2026-11-21T12:00:00", "2026-11-21", "12:00:00Z", "21.11.2026 12:00", "yesterday", str(NOON), ""]
)
def test_a_time_without_an_offset_or_of_another_format_is_refused(text: str) -> None:
    rejected = refused(sent(ts=f'"{text}"'))
    assert rejected.code is Code.WRONG_TYPE
    assert "$.ts" in rejected.detail


@pytest.mark.parametrize(
    "ts",
    [
        str(NOON // 1000),  # seconds
        str(NOON * 1000),  # microseconds
        "0",
        "-1",
        str(YEAR_2000 - 1),
        str(YEAR_2100),
        "9" * 40,
        "9" * 4000,
        '"1970-01-01T00:00:00Z"',
        '"1999-12-31T23:59:59.999999Z"',
        '"2100-01-01T00:00:00Z"',
        '"0001-01-01T00:00:00+23:59"',
        '"9999-12-31T23:59:59-23:59"',
    ],
)
def test_a_time_of_another_century_is_a_dead_clock_or_another_unit(ts: str) -> None:
    assert refused(sent(ts=ts)).code is Code.BAD_TIME


@pytest.mark.parametrize("ms", [YEAR_2000, YEAR_2100 - 1])
def test_both_ends_of_the_century_are_read(ms: int) -> None:
    assert read(sent(ts=str(ms))).ts == ms * 1000


def test_keys_that_the_kind_does_not_know_are_noted_and_the_rest_is_read() -> None:
    reading = read(sent(metrics='"level": 1.5, "flow": {"x": [1]}', rest=', "build": "2.4", "seq": 3'))
    assert reading.also_sent == ("build", "flow")
    assert (reading.values[0], reading.seq) == (1.5, 3)


@pytest.mark.parametrize("text", ["1e999", "-1e999", "9" * 5000, '"\\ud83d\\ude9a"', "[[[{}]]]", '"\\u0000"'])
def test_nobody_looks_at_the_value_of_a_key_that_the_kind_does_not_know(text: str) -> None:
    assert read(sent(rest=f', "x": {text}')).also_sent == ("x",)
    assert read(sent(metrics=f'"level": 1.5, "x": {text}')).also_sent == ("x",)


def test_an_unknown_key_does_not_excuse_a_wrong_type() -> None:
    assert refused(sent(metrics='"level": "1.5", "flow": 3')).code is Code.WRONG_TYPE


def test_an_unknown_key_that_is_not_utf_8_is_malformed() -> None:
    assert refused(sent(metrics='"level": 1.5, "?": 1').replace(b"?", b"\xff")).code is Code.MALFORMED


def test_a_device_cannot_flood_the_list_of_unknown_keys() -> None:
    many = ", ".join(f'"x{number:03}": 1' for number in range(500))
    assert read(sent(metrics=many)).also_sent == tuple(f"x{number:03}" for number in range(16))
    assert read(sent(rest=f', "{"x" * 10_000}": 1')).also_sent == ("x" * 64,)
    assert read(sent(rest=', "a b\\u0000\\nc": 1')).also_sent == ("a?b??c",)


BAD_ELEMENTS = [
    (b"17", Code.WRONG_TYPE),
    (b"[]", Code.WRONG_TYPE),
    (b"{}", Code.WRONG_TYPE),
    (sent(metrics='"level": "1.5"'), Code.WRONG_TYPE),
    (sent(metrics='"level": 1e999'), Code.NON_FINITE),
    (sent(metrics='"level": 1e39'), Code.NON_FINITE),
    (sent(ts="17"), Code.BAD_TIME),
    (sent(metrics='"plate": "?"').replace(b"?", b"\xff"), Code.MALFORMED),
]


@pytest.mark.parametrize(("bad", "code"), BAD_ELEMENTS)
def test_one_bad_element_does_not_cost_its_neighbours(bad: bytes, code: Code) -> None:
    payload = b"\n[" + b" , ".join([sent(rest=', "seq": 1'), bad, sent(rest=', "seq": 2, "x": 1')]) + b"] "
    first, refusal, last = CODEC.decode(payload, DEVICE)
    assert isinstance(first, Decoded)
    assert isinstance(last, Decoded)
    assert isinstance(refusal, Rejected)
    assert (first.seq, refusal.code, last.seq) == (1, code, 2)
    assert (first.also_sent, last.also_sent) == ((), ("x",))


def test_an_array_that_is_no_json_is_refused_as_one() -> None:
    rejected = refused(b"[" + sent() + b"," + sent(metrics='"level": NaN') + b"," + sent() + b"]")
    assert rejected.code is Code.NON_FINITE


def test_a_kind_with_a_single_metric_is_read_too() -> None:
    [reading] = NativeCodec(replace(GATE, metrics=METRICS[:1])).decode(sent(), DEVICE)
    assert isinstance(reading, Decoded)
    assert reading.values == (1.5,)


def test_a_reading_may_name_its_device() -> None:
    assert read(sent(rest=', "device": "gate-7"')) == read(sent())
    unknown = read(sent(rest=', "device": "gate-7", "colour": 1'))
    assert unknown.also_sent == ("colour",)


@pytest.mark.parametrize("other", ["gate-8", "", "GATE-7", "gate-7 "])
def test_a_reading_of_another_device_is_refused_with_both_names(other: str) -> None:
    refusal = refused(sent(rest=f', "device": "{other}"'))
    assert refusal.code is Code.WRONG_IDENTITY
    assert repr(other) in refusal.detail
    assert "'gate-7'" in refusal.detail


def test_of_an_array_only_the_readings_of_other_devices_are_refused() -> None:
    own, other = sent(rest=', "device": "gate-7"'), sent(rest=', "device": "gate-8"')
    first, second, third = CODEC.decode(b"[" + b",".join([own, other, sent()]) + b"]", DEVICE)
    assert isinstance(first, Decoded)
    assert isinstance(second, Rejected)
    assert second.code is Code.WRONG_IDENTITY
    assert isinstance(third, Decoded)


def test_a_device_that_is_no_word_is_of_the_wrong_type() -> None:
    assert refused(sent(rest=', "device": 7')).code is Code.WRONG_TYPE
