"""Restaurants: purifiers that do not run with their fans, and what goes out."""

from grafana.board import Board, Colour, Column, Look, Panel, Row, Step, Text
from grafana.parts import (
    ANY_IS_BAD,
    DISTRICT,
    HIDDEN_DEVICE,
    LATELY,
    NAME,
    NOW,
    ROAD_NAME,
    count,
    share,
    standing,
    target,
)

BOARD = Board(
    uid="fume",
    title=Text("Restaurant fume", "餐饮油烟"),
    about=Text(
        "Linkage of purifier and fan, and concentrations while cooking. A warning, not evidence.",
        "净化器与风机联动、烹饪时段浓度；仅作预警，不作执法依据。",
    ),
    variables=(DISTRICT,),
    since="now-7d",
    rows=(
        Row(
            NOW,
            (
                standing(
                    Text("Restaurants", "餐饮单位"),
                    {
                        "restaurants": count("restaurants", "总数"),
                        "over_limit": count("over the limit", "超标", ANY_IS_BAD),
                        "purifier_off": count("purifier off", "净化器停机", ANY_IS_BAD),
                        "suspicious": count("suspicious data", "数据可疑", ANY_IS_BAD),
                        "cleaning_due": count("cleaning due", "清洗到期", ANY_IS_BAD),
                    },
                ),
            ),
        ),
        Row(
            LATELY,
            (
                Panel(
                    name="linkage",
                    title=Text("Linkage rate by day", "每日联动率"),
                    about=Text(
                        "Minutes with fan and purifier on, by minutes with the fan on. Below 90 % is a case.",
                        "风机与净化器同时运行分钟数 ÷ 风机运行分钟数；低于 90 % 立案。",
                    ),
                    look=Look.SERIES,
                    unit="percentunit",
                    low=0,
                    high=1,
                    steps=target(0.9),
                    columns={"linkage": Column(Text("linkage", "联动率"))},
                ),
                Panel(
                    name="exceedance",
                    title=Text("Restaurant-hours over the limit", "超标小时占比"),
                    look=Look.SERIES,
                    unit="percentunit",
                    low=0,
                    columns={"exceedance": Column(Text("exceedance", "超标率"))},
                ),
                Panel(
                    name="highest",
                    title=Text("Highest hourly means while the fan runs", "最高小时均值（风机运行时）"),
                    look=Look.SERIES,
                    unit="conmgm3",
                    steps=(Step(2.0, Colour.WORST),),
                ),
                Panel(
                    name="restaurants",
                    title=Text("Restaurants, the lowest linkage first", "餐饮单位（按联动率）"),
                    look=Look.TABLE,
                    columns={
                        "name": NAME,
                        "road": ROAD_NAME,
                        "fan_h": Column(Text("fan on", "风机运行"), unit="h", decimals=1),
                        "purifier_h": Column(Text("purifier on", "净化器运行"), unit="h", decimals=1),
                        "linkage": share("linkage", "联动率", 0.9),
                        "fume_max": Column(Text("highest", "最高值"), unit="conmgm3", decimals=2),
                        "device": HIDDEN_DEVICE,
                    },
                    width=24,
                    height=11,
                ),
            ),
        ),
    ),
)
