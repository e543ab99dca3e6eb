"""HJ 212: what instruments say to environment bureaus, whatever happens to it on the way."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from devices.codecs import codecs_of
from devices.codecs.decoded import Decoded
from devices.device import Device
from devices.kind import load_kinds
from devices.readings import MESSAGE_TYPES, NO_SEQUENCE
from devices.rejection import Code, Rejected
from tests.hj212 import checksum, frame

KINDS = load_kinds()
FUME, NOISE = KINDS["fume"], KINDS["noise"]
MN = "4201990308000003"
BEIJING = timezone(timedelta(hours=8))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NIGHT = datetime(2026, 5, 12, 22, 30, tzinfo=BEIJING)


def meter(kind: str = "noise", /, **attributes: str | float) -> Device:
    return Device(id=9, device_id=MN, kind=kind, name="", district="east", lon=114.3, lat=30.6, attributes=attributes)


def data(*items: str, cn: str = "2011", mn: str = MN, at: str = "20260512223000", head: str = "") -> str:
    body = ";".join([f"DataTime={at}" if at else "", *items])
    return f"QN=20260512223000123;ST=23;CN={cn};PW=123456;MN={mn};Flag=5;{head}CP=&&{body}&&"


def decode(payload: bytes, device: Device | None = None) -> list[Decoded | Rejected]:
    device = device or meter()
    return list(codecs_of(KINDS[device.kind])["hj212"].decode(payload, device))


def read(payload: bytes, device: Device | None = None) -> Decoded:
    [outcome] = decode(payload, device)
    assert isinstance(outcome, Decoded), outcome
    return outcome


def refused(payload: bytes, device: Device | None = None) -> Rejected:
    [outcome] = decode(payload, device)
    assert isinstance(outcome, Rejected), outcome
    return outcome


def metrics(reading: Decoded, kind: str = "noise") -> dict[str, Any]:
    named = zip((metric.name for metric in KINDS[kind].metrics), reading.values, strict=True)
    return {name: value for name, value in named if value is not None}


def micros(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


def test_the_checksum_is_that_of_the_standard() -> None:
    """Annex A of HJ 212-2017 ends with this frame."""
    command = b"QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;CP=&&RtdInterval=30&&"
    assert checksum(command) == 0x1C80
    rejected = refused(b"##0101" + command + b"1C80\r\n", meter(mn="010000A8900016F000169DC0"))
    assert rejected.code is Code.UNSUPPORTED
    assert "CN='1062' carries no readings; 2011, 2051, 2061, 2031 are taken" in rejected.detail


def test_a_frame_is_a_reading_in_beijing_time_without_a_sequence() -> None:
    reading = read(frame(data("LA-Rtd=50.1", "Leq-Rtd=49.5")))
    assert (reading.ts, reading.seq, MESSAGE_TYPES[reading.type]) == (micros(NIGHT), NO_SEQUENCE, "periodic")
    assert metrics(reading) == {"la": 50.1, "laeq": 49.5}


@pytest.mark.parametrize(
    ("cn", "begin", "attributes", "end"),
    [
        ("2011", "20260512223000", {}, NIGHT),
        ("2011", "20260512223000250", {}, NIGHT + timedelta(milliseconds=250)),
        ("2051", "20260512222900", {}, NIGHT + timedelta(milliseconds=10)),
        ("2051", "20260512222000", {"minute_interval": 10.0}, NIGHT + timedelta(milliseconds=10)),
        ("2061", "20260512210000", {}, NIGHT - timedelta(minutes=30) + timedelta(milliseconds=20)),
        ("2031", "20260511000000", {}, datetime(2026, 5, 12, tzinfo=BEIJING) + timedelta(milliseconds=30)),
    ],
)
def test_a_reading_has_the_time_at_which_its_span_ends(
    cn: str, begin: str, attributes: Mapping[str, float], end: datetime
) -> None:
    assert read(frame(data("Leq-Data=50", cn=cn, at=begin)), meter(**attributes)).ts == micros(end)


def test_what_is_said_of_one_moment_has_as_many_times_as_there_are_frames() -> None:
    midnight = [("2011", "20260513000000"), ("2051", "20260512235900"), ("2061", "20260512230000")]
    frames = [data(cn=cn, at=at) for cn, at in [*midnight, ("2031", "20260512000000")]]
    frames += [data(cn="2051", at="20260512235900", head=f"PNUM=9999;PNO={part};") for part in (1, 2, 3, 9999)]
    times = [outcome.ts for outcome in decode(b"".join(map(frame, frames))) if isinstance(outcome, Decoded)]
    assert len(times) == len(frames)
    assert len(set(times)) == len(frames) - 1, "an unsplit packet is the first of one"
    assert len({ts // 1_000_000 for ts in times}) == 1


def test_each_part_of_a_split_packet_is_read_on_its_own() -> None:
    first = data("L10-Data=53", cn="2051", head="PNUM=2;PNO=1;")
    second = data("Leq-Data=50", cn="2051", head="PNUM=2;PNO=2;")
    outcomes = [outcome for outcome in decode(frame(first) + frame(second)) if isinstance(outcome, Decoded)]
    assert [metrics(outcome) for outcome in outcomes] == [{"l10": 53}, {"laeq": 50}]
    assert outcomes[1].ts - outcomes[0].ts == 1


@pytest.mark.parametrize("cn", ["2061", "2031"])
def test_figures_of_an_hour_or_a_day_are_never_those_of_a_minute(cn: str) -> None:
    items = [f"{factor}-{kind}=50" for factor in ("LA", "Leq", "LMx", "L10") for kind in ("Data", "Avg", "Rtd")]
    minute = {"la", "laeq", "lmax", "lmin", "l5", "l10", "l50", "l90", "l95"}
    assert not minute & metrics(read(frame(data(*items, cn=cn)))).keys()
    fume = [f"a34041-{kind}=2.5" for kind in ("Rtd", "Avg", "Min", "Max")]
    assert metrics(read(frame(data(*fume, cn=cn)), meter("fume")), "fume") == {}


@pytest.mark.parametrize("flag", ["F", "M", "S", "D", "C", "T", "B", "P", "0", "1", "2", "n", "?"])
def test_a_value_whose_flag_is_not_normal_is_noted_and_not_taken(flag: str) -> None:
    reading = read(frame(data(f"LA-Rtd=50.1,LA-Flag={flag}", "Leq-Rtd=49.5,Leq-Flag=N")))
    assert metrics(reading) == {"laeq": 49.5}
    assert reading.also_sent == (f"LA-Flag={flag}",)


@pytest.mark.parametrize("flag", ["N", "3", ""])
def test_a_value_is_normal_by_either_edition_or_where_nothing_is_said(flag: str) -> None:
    assert metrics(read(frame(data(f"LA-Rtd=50.1,LA-Flag={flag}")))) == {"la": 50.1}


def test_the_first_of_several_names_counts_and_the_others_are_noted() -> None:
    reading = read(frame(data("n00006-Rtd=61", "Leq-Rtd=60")))
    assert metrics(reading) == {"laeq": 60}
    assert reading.also_sent == ("n00006-Rtd",)


def test_a_device_cannot_flood_the_list_of_what_it_also_sends() -> None:
    items = [f"x{number:03}-Rtd=1" for number in range(99)]
    also_sent = read(frame(data("LA-Rtd=1,LA-Flag=D", f"{'y' * 99}=1", "z z=1", *items))).also_sent
    assert len(also_sent) == 16
    assert also_sent[:2] == ("LA-Flag=D", "x000-Rtd")
    assert read(frame(data(f"{'y' * 99}=1", "z z=1"))).also_sent == ("y" * 64, "z?z")


@pytest.mark.parametrize("value", ["50.1", "+50.1", "0050.10", "50.1 "])
def test_a_number_may_be_written_as_c_writes_it(value: str) -> None:
    assert metrics(read(frame(data(f"LA-Rtd={value}")))) == {"la": 50.1}


def test_the_checksum_may_be_in_small_letters_and_the_last_line_may_lack_its_end() -> None:
    whole = frame(data("LA-Rtd=50.1"))
    for end in (b"", b"\r\n", b"\n", b" \r\n\r\n"):
        assert metrics(read(whole[:-6] + whole[-6:-2].lower() + end)) == {"la": 50.1}


@pytest.mark.parametrize("names", [{"mn": "010000A8900016F018010001"}, {}])
def test_an_instrument_names_itself_by_its_device_id_or_its_mn(names: dict[str, str]) -> None:
    for mn in (MN, *names.values()):
        assert metrics(read(frame(data("LA-Rtd=50", mn=mn)), meter(**names))) == {"la": 50}
    rejected = refused(frame(data("LA-Rtd=50", mn="88888880000005")), meter(**names))
    assert rejected.code is Code.WRONG_IDENTITY
    assert all(repr(each) in rejected.detail for each in (MN, *names.values(), "88888880000005"))


GOOD = frame(data("LA-Rtd=50.1"))


@pytest.mark.parametrize(
    ("payload", "code", "hint"),
    [
        (b"", Code.EMPTY, "no payload"),
        (b" \r\n", Code.EMPTY, "no payload"),
        (b'{"ts": 1}', Code.MALFORMED, "a frame begins with ##, not with '{"),
        (b"##", Code.MALFORMED, "length in four digits"),
        (b"##12", Code.MALFORMED, "length in four digits"),
        (b"#" * 2002, Code.TOO_LARGE, "1001 frames in one message; at most 1000"),
        (b"##01a3" + GOOD[6:], Code.MALFORMED, "length in four digits, not '01a3'"),
        (GOOD[:60], Code.MALFORMED, "54 characters are there: the frame is cut off"),
        (GOOD[:-3], Code.MALFORMED, "the frame is cut off"),
        (b"##0200" + GOOD[6:], Code.MALFORMED, "its length is wrong"),
        (b"##0020" + GOOD[6:], Code.MALFORMED, "stands no checksum but"),
        (GOOD.replace(b"50.1", b"5.1"), Code.MALFORMED, "lost or gained characters"),
        (GOOD.replace(b"50.1", b"90.1"), Code.BAD_CHECKSUM, "annex A, not CRC-16/MODBUS"),
        (GOOD[:-6] + b"?A", Code.MALFORMED, "cut off"),
        (frame(data("LA-Rtd=五十")), Code.MALFORMED, "not printable ASCII"),
        (frame(data("LA-Rtd=50\x00")), Code.MALFORMED, "not printable ASCII"),
        (frame("ST=23;CN=2011"), Code.MALFORMED, "CP=&&"),
        (frame(data("LA-Rtd=50").removesuffix("&")), Code.MALFORMED, "CP=&&"),
        (frame("MN=1;CP=&&"), Code.MALFORMED, "CP=&&"),
        (frame(data("LA-Rtd")), Code.MALFORMED, "'LA-Rtd' is not of the form name=value"),
        (frame(data("=50")), Code.MALFORMED, "'=50' is not of the form"),
        (frame(data("LA-Rtd=50", "LA-Rtd=60")), Code.MALFORMED, "'LA-Rtd' stands twice"),
        (frame(data("LA-Rtd=50", mn="")), Code.MALFORMED, "no MN"),
        (frame(data("LA-Rtd=50").replace(f"MN={MN};", "")), Code.MALFORMED, "no MN"),
        (frame(data("LA-Rtd=50", head="PNO=0;")), Code.MALFORMED, "PNO='0'"),
        (frame(data("LA-Rtd=50", head="PNO=10000;")), Code.MALFORMED, "PNO='10000'"),
        (frame(data("LA-Rtd=50", cn="9015")), Code.UNSUPPORTED, "CN='9015'"),
        (frame(data("LA-Rtd=50").replace("CN=2011;", "")), Code.UNSUPPORTED, "CN=''"),
        (frame(data("LA-Rtd=50", at="")), Code.BAD_TIME, "YYYYMMDDhhmmss"),
        (frame(data("LA-Rtd=50", at="2026051222300")), Code.BAD_TIME, "'2026051222300'"),
        (frame(data("LA-Rtd=50", at="20260230000000")), Code.BAD_TIME, "'20260230000000'"),
        (frame(data("LA-Rtd=50", at="20260512240000")), Code.BAD_TIME, "'20260512240000'"),
        (frame(data("LA-Rtd=50", at="00000000000000")), Code.BAD_TIME, "of this century"),
        (frame(data("LA-Rtd=50", at="19700101000000")), Code.BAD_TIME, "of this century"),
        (frame(data("LA-Rtd=50", at="21000102000000")), Code.BAD_TIME, "of this century"),
        (frame(data("LA-Rtd=5o.1")), Code.WRONG_TYPE, "LA-Rtd='5o.1' is not a number"),
        (frame(data("LA-Rtd=5e1")), Code.WRONG_TYPE, "is not a number"),
        (frame(data("LA-Rtd=5_0")), Code.WRONG_TYPE, "is not a number"),
        (frame(data("LA-Rtd=.")), Code.WRONG_TYPE, "is not a number"),
        (frame(data("LA-Rtd=NaN")), Code.NON_FINITE, "is not a number"),
        (frame(data("LA-Rtd=-inf")), Code.NON_FINITE, "is not a number"),
        (frame(data(f"LA-Rtd={'9' * 40}")), Code.NON_FINITE, "too large"),
    ],
)
def test_a_refusal_says_what_was_found_and_what_would_be_right(payload: bytes, code: Code, hint: str) -> None:
    rejected = refused(payload)
    assert (rejected.code, hint in rejected.detail) == (code, True), rejected.detail
    assert rejected.detail.isprintable()


def test_nobody_looks_at_the_value_of_an_item_that_is_no_metric() -> None:
    assert read(frame(data("LA-Rtd=50", "i13013-Info=//out of order//"))).also_sent == ("i13013-Info",)


BAD = [GOOD[:40], GOOD[:-9] + b"FFFF\r\n", GOOD.replace(b"50.1", b"60.1"), b"##\r\n", b"####", GOOD[1:], b"up"]


@given(st.lists(st.integers(0, 9_999).map(lambda tenths: tenths / 10) | st.sampled_from(BAD), min_size=1, max_size=8))
def test_frames_may_be_joined_and_a_bad_one_does_not_cost_its_neighbours(pieces: list[float | bytes]) -> None:
    payload = b"".join(piece if isinstance(piece, bytes) else frame(data(f"LA-Rtd={piece}")) for piece in pieces)
    outcomes = decode(payload)
    read = [metrics(outcome)["la"] for outcome in outcomes if isinstance(outcome, Decoded)]
    assert read == [piece for piece in pieces if isinstance(piece, float)]
    assert any(isinstance(outcome, Rejected) for outcome in outcomes) == any(isinstance(each, bytes) for each in pieces)


def test_a_thousand_frames_in_one_message_are_read_one_by_one() -> None:
    outcomes = decode(GOOD * 999 + b"##")
    assert [isinstance(outcome, Decoded) for outcome in outcomes] == [True] * 999 + [False]


def test_any_single_wrong_byte_is_noticed_or_harmless() -> None:
    [whole] = decode(GOOD)
    for position in range(len(GOOD)):
        for byte in range(256):
            spoilt = GOOD[:position] + bytes([byte]) + GOOD[position + 1 :]
            assert [each for each in decode(spoilt) if isinstance(each, Decoded)] in ([], [whole]), spoilt


def items() -> st.SearchStrategy[dict[str, str]]:
    names = st.sampled_from(["LA-Rtd", "Leq-Rtd", "Leq-Data", "LA-Flag", "Ldn-Data", "DataTime", "CP", "MN", "a b"])
    values = st.sampled_from(["50.1", "", "N", "D", "20260512223000", "&&", "nan", "-1"])
    letters = st.text(st.characters(codec="ascii", exclude_characters=";,=#"), max_size=6)
    return st.dictionaries(names | letters, values | letters, max_size=6)


def spoken() -> st.SearchStrategy[bytes]:
    """Frames with a right checksum that say anything."""
    commands = st.sampled_from(["2011", "2051", "2061", "2031", "9021", ""])
    said = st.tuples(items(), commands).map(
        lambda pair: frame(data(*(f"{name}={value}" for name, value in pair[0].items()), cn=pair[1], at=""))
    )
    return said | st.text(max_size=40).map(frame) | st.text(max_size=20).map(lambda text: frame(data(text)))


@settings(max_examples=400)
@given(st.lists(st.binary(max_size=12) | spoken() | st.sampled_from([b"##", b"0031", b"\r\n", GOOD]), max_size=5))
@example([b"##0000FFFF"])
@example([b"##-001FFFF"])
@example([frame(data("LA-Rtd=50", at="99991231235959999"))])
def test_whatever_arrives_is_read_to_what_a_table_can_hold_or_refused_with_a_reason(pieces: list[bytes]) -> None:
    for outcome in decode(b"".join(pieces)):
        if isinstance(outcome, Rejected):
            assert outcome.detail.isprintable()
            continue
        assert micros(datetime(2000, 1, 1, tzinfo=UTC)) <= outcome.ts < micros(datetime(2100, 1, 3, tzinfo=UTC))
        assert len(outcome.values) == len(NOISE.metrics)
        assert all(isinstance(each, float) and math.isfinite(each) for each in outcome.values if each is not None)
        assert not any(" " in name or not name.isprintable() for name in outcome.also_sent)


@pytest.mark.parametrize("kind", [FUME, NOISE], ids=lambda kind: kind.name)
@pytest.mark.parametrize(("table", "cn"), [("realtime", "2011"), ("minute", "2051"), ("hour", "2061"), ("day", "2031")])
def test_every_name_that_a_kind_lists_is_read_as_its_metric(kind: Any, table: str, cn: str) -> None:
    for metric, names in kind.codecs["hj212"].get(table, {}).items():
        for name in names:
            reading = read(frame(data(f"{name}=12.5,{name.rpartition('-')[0]}-Flag=N", cn=cn)), meter(kind.name))
            assert (metrics(reading, kind.name), reading.also_sent) == ({metric: 12.5}, ())
