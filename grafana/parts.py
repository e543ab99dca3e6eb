"""What several boards share: words, colours, columns, variables."""

from cases.words import Section, Word, vocabulary
from grafana.board import LOWEST, Colour, Column, Look, Panel, Said, Step, Text, Variable

SEVERITIES = (
    Said("4", Text("critical", "紧急"), Colour.WORST),
    Said("3", Text("major", "重要"), Colour.BAD),
    Said("2", Text("minor", "一般"), Colour.WATCH),
    Said("1", Text("notice", "提示"), Colour.NOTICE),
)
SHEETS = (
    Said("0", Text("none", "无"), Colour.QUIET),
    Said("1", Text("white", "白"), Colour.NOTICE),
    Said("2", Text("yellow", "黄"), Colour.WATCH),
    Said("3", Text("red", "红"), Colour.WORST),
)
YES = (Said("true", Text("yes", "是"), Colour.GOOD), Said("false", Text("no", "否"), Colour.BAD))
OF_SEVERITY = (
    Step(1, Colour.NOTICE),
    Step(2, Colour.WATCH),
    Step(3, Colour.BAD),
    Step(4, Colour.WORST),
)
ANY_IS_WATCHED = (Step(1, Colour.WATCH),)
ANY_IS_BAD = (Step(1, Colour.BAD),)
ANY_IS_WORST = (Step(1, Colour.WORST),)
PLAIN = (Step(LOWEST, Colour.QUIET),)

DISTRICT = Variable("district", Text("District", "区"))
ROAD = Variable("road", Text("Road", "道路"))
KIND = Variable("kind", Text("Kind", "设备类型"))
UNIT = Variable("unit", Text("Unit", "责任单位"))
DEVICE = Variable("device", Text("Device", "设备"), one=True)

DEVICE_LINK = "/d/cityward-device-{language}?var-device=${__data.fields.device}"


AT = "dateTimeAsLocal"  # Grafana's unit of a moment
NOW = Text("Now", "当前")
LATELY = Text("Lately", "近期")


def target(share: float) -> tuple[Step, ...]:
    """Colours of a share of which at least this much is wanted; five points below is bad."""
    return (Step(LOWEST, Colour.WORST), Step(share - 0.05, Colour.WATCH), Step(share, Colour.GOOD))


def count(en: str, zh: str, steps: tuple[Step, ...] = PLAIN) -> Column:
    """A number of things."""
    return Column(Text(en, zh), steps=steps, decimals=0)


def share(en: str, zh: str, wanted: float | None = None) -> Column:
    """A rate from 0 to 1, as per cent."""
    return Column(Text(en, zh), unit="percentunit", decimals=1, steps=target(wanted) if wanted else ())


SEVERITY = Column(Text("severity", "级别"), words=SEVERITIES, width=90)
RAISED = Column(Text("since", "发生时间"), unit="dateTimeFromNow", width=140)
RULE = Column(Text("rule", "规则"), width=80)
NAME = Column(Text("facility", "设施"), link=DEVICE_LINK)
ROAD_NAME = Column(Text("road", "道路"))
HIDDEN_DEVICE = Column(Text("device", "设备"), hidden=True)
ACKNOWLEDGED = Column(Text("seen", "已确认"), words=YES, width=70)
OCCURRENCES = Column(Text("times", "次数"), width=70)
CASE = Column(Text("case", "案件"), link="${console}/cases/${__value.raw}")
DEVICE_ID = Column(Text("device id", "设备编号"), link="${console}/devices/${__value.raw}")
DAY = Column(Text("day", "日期"), unit="time:YYYY-MM-DD")
MONTH = Column(Text("month", "月份"), unit="time:YYYY-MM")
UNIT_NAME = Column(Text("unit", "责任单位"))
LEFT = Column(Text("left", "剩余时间"), unit="dtdurations", steps=(Step(LOWEST, Colour.WORST), Step(0, Colour.GOOD)))
SHEET = Column(Text("sheet", "督办"), words=SHEETS, width=80)
ALARM_COLUMNS = {
    "severity": SEVERITY,
    "raised_at": RAISED,
    "rule_id": RULE,
    "name": NAME,
    "road": ROAD_NAME,
    "acknowledged": ACKNOWLEDGED,
    "occurrences": OCCURRENCES,
    "device": HIDDEN_DEVICE,
}


def _said(section: Section) -> tuple[Said, ...]:
    words: dict[str, Word] = vocabulary()[section]
    return tuple(Said(key, Text(word.en, word.zh)) for key, word in words.items())


STATE = Column(Text("state", "状态"), words=_said(Section.STATES))
LIMIT = Column(Text("limit", "限值名称"), words=_said(Section.LIMITS))
SOURCE = Column(Text("stands in", "依据"), words=_said(Section.SOURCES))
PROBLEM = Column(Text("problem", "问题"), words=_said(Section.PROBLEMS))
CASE_COLUMNS = {
    "severity": SEVERITY,
    "left_s": LEFT,
    "number": CASE,
    "problem": PROBLEM,
    "name": Column(Text("facility", "设施")),
    "road": ROAD_NAME,
    "unit": UNIT_NAME,
    "state": STATE,
    "colour": SHEET,
    "rework": Column(Text("rework", "返工"), width=70),
}
MAP_COLUMNS = {
    "severity": Column(Text("severity", "级别"), words=SEVERITIES, steps=OF_SEVERITY),
    "name": Column(Text("facility", "设施")),
    "device_id": Column(Text("device", "设备")),
    "rules": Column(Text("rules", "规则")),
    "kind": Column(Text("kind", "类型")),
}


def standing(title: Text, columns: dict[str, Column]) -> Panel:
    """What stands now as tiles over the whole width: the query ``now``."""
    return Panel(name="now", title=title, look=Look.STAT, columns=columns, width=24, height=5)


def where(title: Text, *, height: int = 14) -> Panel:
    """Half the width as a map of what is wrong: the query ``map``."""
    return Panel(name="map", title=title, look=Look.MAP, columns=MAP_COLUMNS, width=12, height=height)
