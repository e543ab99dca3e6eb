from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.words import Language
from notify.message import Message, as_json, render, render_all
from tests.unit.notify import sample

SHANGHAI = ZoneInfo("Asia/Shanghai")
MESSAGE = replace(
    sample.MESSAGE,
    arrive_by=datetime(2026, 11, 20, 20, 30, 59, tzinfo=SHANGHAI),
    fix_by=datetime(2026, 11, 20, 22, 0, tzinfo=SHANGHAI),
    lon=114.3,
    lat=30.6,
)
BARE = replace(
    sample.MESSAGE,
    notification_id=18,
    event="close",
    problem="statue_leaning",
    device_id="statue-1",
    facility="",
    road="",
)


def test_a_crew_reads_what_where_and_until_when() -> None:
    assert render(MESSAGE, Language.EN).splitlines() == [
        "[critical] New case 4201022026112000017: manhole cover open",
        "Where: Cover 1, Jiefang Road",
        "Position: 30.600000, 114.300000",
        "Arrive by: 2026-11-20 20:30",
        "Fix by: 2026-11-20 22:00",
        "Device: 4201020101000001",
    ]


def test_a_crew_reads_it_in_chinese() -> None:
    assert render(MESSAGE, Language.ZH).splitlines() == [
        "【紧急】新案件 4201022026112000017：井盖开启",  # noqa: RUF001
        "地点：Cover 1，Jiefang Road",  # noqa: RUF001
        "坐标：30.600000，114.300000",  # noqa: RUF001
        "到场时限：2026-11-20 20:30",  # noqa: RUF001
        "处置时限：2026-11-20 22:00",  # noqa: RUF001
        "设备：4201020101000001",  # noqa: RUF001
    ]


@pytest.mark.parametrize("language", Language)
def test_what_is_not_known_takes_no_line(language: Language) -> None:
    lines = render(BARE, language).splitlines()
    assert len(lines) == 2
    assert "statue_leaning" in lines[0]
    assert "statue-1" in lines[1]


def test_the_json_keeps_its_promised_keys() -> None:
    decoded = msgspec.json.decode(as_json(MESSAGE))
    texts = decoded.pop("text")
    assert decoded == {
        "id": 17,
        "case": "4201022026112000017",
        "event": "dispatch",
        "severity": 4,
        "problem": "cover_open",
        "district": "qiaodong",
        "unit": "water",
        "device": "4201020101000001",
        "facility": "Cover 1",
        "road": "Jiefang Road",
        "arrive_by": "2026-11-20T20:30:59+08:00",
        "fix_by": "2026-11-20T22:00:00+08:00",
        "lon": 114.3,
        "lat": 30.6,
        "detail": "",
        "cases": ["4201022026112000017"],
        "link": "",
    }
    assert texts == {"en": render(MESSAGE, Language.EN), "zh": render(MESSAGE, Language.ZH)}


def test_the_json_says_null_for_what_is_not_known() -> None:
    decoded = msgspec.json.decode(as_json(BARE))
    assert [decoded[key] for key in ("arrive_by", "fix_by", "lon", "lat")] == [None] * 4


@given(st.text(), st.text())
def test_names_of_any_characters_reach_the_crew_unchanged(facility: str, road: str) -> None:
    message = Message(
        notification_id=1,
        case_number="1",
        district="d",
        unit="u",
        event="dispatch",
        severity=1,
        problem="cover_open",
        device_id="x",
        facility=facility,
        road=road,
    )
    assert facility in render(message, Language.EN)
    assert road in render(message, Language.ZH)


def test_many_messages_are_one_text_with_the_first_ten() -> None:
    others = [replace(BARE, notification_id=number, event="dispatch") for number in range(18, 30)]
    lines = render_all(MESSAGE, others, Language.EN).splitlines()
    assert lines[0] == "[critical] New case: 13 cases"
    assert lines[1] == "4201022026112000017, manhole cover open, Cover 1, Jiefang Road"
    assert (len(lines), lines[-1]) == (12, "and 3 more")
    assert len(msgspec.json.decode(as_json(MESSAGE, others))["cases"]) == 13
    assert "共13件" in render_all(MESSAGE, others, Language.ZH)


def test_a_sheet_says_its_colour() -> None:
    sheet = replace(BARE, event="sheet", detail="red")
    assert "Sheet or step: red" in render(sheet, Language.EN)
