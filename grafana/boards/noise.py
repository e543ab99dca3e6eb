"""Noise: levels by hour, day and night against the limits of each zone."""

from grafana.board import LOWEST, Board, Colour, Column, Look, Panel, Row, Step, Text
from grafana.parts import (
    ANY_IS_BAD,
    DAY,
    DISTRICT,
    HIDDEN_DEVICE,
    MONTH,
    NAME,
    NOW,
    ROAD_NAME,
    YES,
    count,
    share,
    standing,
)

_DB = "dB"

BOARD = Board(
    uid="noise",
    title=Text("Noise", "噪声"),
    about=Text(
        "Energy means by hour, day and night; limits of GB 3096 by zone.",
        "按小时、昼、夜的等效声级与声环境功能区限值。",
    ),
    variables=(DISTRICT,),
    since="now-7d",
    rows=(
        Row(
            NOW,
            (
                standing(
                    Text("Meters", "监测点"),
                    {
                        "meters": count("meters", "总数"),
                        "by_day": count("loud by day", "昼间超标", ANY_IS_BAD),
                        "by_night": count("loud by night", "夜间超标", ANY_IS_BAD),
                        "construction": count("construction", "施工噪声", ANY_IS_BAD),
                        "invalid": count("data invalid", "数据无效", ANY_IS_BAD),
                    },
                ),
            ),
        ),
        Row(
            Text("Levels", "声级"),
            (
                Panel(
                    name="levels",
                    title=Text("LAeq by the hour, the loudest meters", "小时等效声级（最高监测点）"),
                    look=Look.SERIES,
                    unit=_DB,
                    decimals=1,
                    width=16,
                    height=10,
                ),
                Panel(
                    name="vdr",
                    title=Text("Valid data", "数据有效率"),
                    about=Text(
                        "Valid minutes by minutes; an hour counts from 75 %.", "有效分钟数占比；75 % 起小时数据有效。"
                    ),
                    look=Look.SERIES,
                    unit="percentunit",
                    low=0,
                    high=1,
                    steps=(Step(LOWEST, Colour.WORST), Step(0.75, Colour.GOOD)),
                    columns={"vdr": Column(Text("valid", "有效率"))},
                    height=10,
                ),
            ),
        ),
        Row(
            Text("Against the targets", "达标"),
            (
                Panel(
                    name="area",
                    title=Text("Area mean by day", "区域昼间平均声级"),
                    about=Text(
                        "Arithmetic mean of the points' day levels; target below 60 dB(A).",
                        "各点昼间等效声级算术平均；目标低于 60 dB(A)。",
                    ),
                    look=Look.SERIES,
                    unit=_DB,
                    decimals=1,
                    columns={
                        "mean_ld": Column(Text("mean of Ld", "昼间均值")),
                        "target": Column(Text("target", "目标")),
                    },
                    width=12,
                ),
                Panel(
                    name="compliance",
                    title=Text("Night compliance by month", "夜间达标率（月）"),
                    look=Look.TABLE,
                    columns={
                        "month": MONTH,
                        "district": Column(Text("district", "区")),
                        "point_nights": count("point-nights", "点次"),
                        "compliance": share("compliant", "达标率", 0.75),
                        "target": share("target", "目标"),
                    },
                    width=12,
                ),
                Panel(
                    name="points",
                    title=Text("Days and nights of each meter", "各点昼夜声级"),
                    look=Look.TABLE,
                    columns={
                        "name": NAME,
                        "road": ROAD_NAME,
                        "day": DAY,
                        "ld": Column(Text("Ld", "昼间"), unit=_DB, decimals=1),
                        "day_limit": Column(Text("limit", "昼间限值"), unit=_DB),
                        "day_ok": Column(Text("kept", "昼间达标"), words=YES),
                        "ln": Column(Text("Ln", "夜间"), unit=_DB, decimals=1),
                        "night_limit": Column(Text("limit", "夜间限值"), unit=_DB),
                        "night_ok": Column(Text("kept", "夜间达标"), words=YES),
                        "ldn": Column(Text("Ldn", "昼夜"), unit=_DB, decimals=1),
                        "vdr_day": share("valid by day", "昼间有效率"),
                        "vdr_night": share("valid by night", "夜间有效率"),
                        "device": HIDDEN_DEVICE,
                    },
                    width=24,
                    height=11,
                ),
            ),
        ),
    ),
)
