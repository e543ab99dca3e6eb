"""The operations wall: what is wrong now, who must move, and how the city does."""

from grafana.board import Board, Colour, Column, Look, Panel, Row, Step, Text
from grafana.parts import (
    ALARM_COLUMNS,
    ANY_IS_BAD,
    ANY_IS_WATCHED,
    ANY_IS_WORST,
    CASE_COLUMNS,
    DISTRICT,
    NOW,
    count,
    share,
    where,
)

_KNOWN = (Step(1, Colour.NOTICE),)
_BY_SEVERITY = {
    "critical": count("critical", "紧急", ANY_IS_WORST),
    "major": count("major", "重要", ANY_IS_BAD),
    "minor": count("minor", "一般", ANY_IS_WATCHED),
    "notice": count("notice", "提示", _KNOWN),
}

BOARD = Board(
    uid="operations",
    title=Text("Operations wall", "运行总览"),
    about=Text("What is wrong in the city now, and who must move by when.", "全市当前告警、案件时限与主要指标。"),
    variables=(DISTRICT,),
    refresh="10s",
    rows=(
        Row(
            NOW,
            (
                Panel(
                    name="alarms_now",
                    title=Text("Active alarms", "当前告警"),
                    look=Look.STAT,
                    columns=_BY_SEVERITY,
                    width=12,
                    height=5,
                ),
                Panel(
                    name="cases_now",
                    title=Text("Open cases", "未结案件"),
                    about=Text(
                        "At risk: 80 % of the time to fix is used. Overdue: all of it.",
                        "临期：处置时限已用 80 %；超期：已全部用完。",
                    ),
                    look=Look.STAT,
                    columns={
                        "open": count("open", "未结"),
                        "at_risk": count("at risk", "临期", ANY_IS_WATCHED),
                        "overdue": count("overdue", "超期", ANY_IS_WORST),
                    },
                    width=12,
                    height=5,
                ),
                where(Text("Where", "分布图"), height=17),
                Panel(
                    name="newest_alarms",
                    title=Text("Alarms, the worst first", "告警列表（按级别）"),
                    look=Look.TABLE,
                    columns=ALARM_COLUMNS,
                    width=12,
                    height=17,
                ),
                Panel(
                    name="cases_at_risk",
                    title=Text("Cases, the nearest deadline first", "案件列表（按时限）"),
                    look=Look.TABLE,
                    columns=CASE_COLUMNS,
                    width=24,
                    height=9,
                ),
            ),
        ),
        Row(
            Text("How the city does", "运行指标"),
            (
                Panel(
                    name="kpis",
                    title=Text("Against the targets", "指标达成"),
                    about=Text(
                        "Lamps burning of lamps that should, last night, as far as known; facilities without an open "
                        "fault; purifier on while the fan runs; bridges with a live sensor.",
                        "昨夜亮灯率（已知）、设施完好率、净化器联动率、桥梁监测覆盖率。",
                    ),
                    look=Look.GAUGES,
                    columns={
                        "lit_rate": share("lit rate", "亮灯率", 0.98),
                        "intact_rate": share("intact rate", "设施完好率", 0.95),
                        "linkage": share("linkage", "联动率", 0.9),
                        "bridge_coverage": share("bridge coverage", "桥梁监测覆盖率", 1.0),
                    },
                    low=0,
                    high=1,
                    width=8,
                ),
                Panel(
                    name="raised",
                    title=Text("Alarms by the hour", "每小时告警数"),
                    look=Look.SERIES,
                    columns={name: Column(column.title) for name, column in _BY_SEVERITY.items()},
                ),
                Panel(
                    name="by_district",
                    title=Text("Active alarms by district", "各区当前告警"),
                    look=Look.BARS,
                    columns={
                        "severe": count("critical and major", "紧急与重要"),
                        "slight": count("minor and notice", "一般与提示"),
                    },
                ),
            ),
        ),
    ),
)
