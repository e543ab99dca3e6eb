"""Bridges: how near each sensor is to its limit, and who drove over them."""

from grafana.board import Board, Colour, Column, Look, Panel, Row, Step, Text
from grafana.parts import (
    ALARM_COLUMNS,
    ANY_IS_BAD,
    ANY_IS_WATCHED,
    ANY_IS_WORST,
    DISTRICT,
    HIDDEN_DEVICE,
    LATELY,
    NAME,
    NOW,
    ROAD_NAME,
    count,
    share,
    standing,
)

BOARD = Board(
    uid="bridge",
    title=Text("Bridges", "桥梁"),
    about=Text(
        "Strain, vehicles, wind and vibration; coverage of the bridges.", "应变、车辆荷载、风、振动与监测覆盖。"
    ),
    variables=(DISTRICT,),
    since="now-7d",
    rows=(
        Row(
            NOW,
            (
                standing(
                    Text("Bridges", "桥梁"),
                    {
                        "bridges": count("bridges", "总数"),
                        "coverage": share("with a live sensor", "监测覆盖率", 1.0),
                        "red": count("red", "红色", ANY_IS_WORST),
                        "orange": count("orange", "橙色", ANY_IS_BAD),
                        "yellow": count("yellow", "黄色", ANY_IS_WATCHED),
                    },
                ),
                Panel(
                    name="alarms",
                    title=Text("Alarms", "告警"),
                    look=Look.TABLE,
                    columns=ALARM_COLUMNS,
                    width=24,
                ),
            ),
        ),
        Row(
            LATELY,
            (
                Panel(
                    name="strain",
                    title=Text("Largest strain by the hour", "小时最大应变"),
                    look=Look.SERIES,
                    unit="suffix:µε",
                    width=12,
                ),
                Panel(
                    name="vibration",
                    title=Text("Vibration by the hour, rms", "小时振动有效值"),
                    look=Look.SERIES,
                    unit="accMS2",
                    steps=(Step(0.315, Colour.BAD),),
                    width=12,
                ),
                Panel(
                    name="vehicles",
                    title=Text("Vehicles by the hour", "小时车流"),
                    look=Look.SERIES,
                    columns={
                        "vehicles": Column(Text("vehicles", "车辆")),
                        "overloaded": Column(Text("over the posted limit", "超限车辆")),
                    },
                    width=8,
                ),
                Panel(
                    name="wind",
                    title=Text("Strongest wind", "最大风速"),
                    look=Look.SERIES,
                    unit="velocityms",
                    steps=(Step(15, Colour.WATCH), Step(25, Colour.WORST)),
                    columns={"wind": Column(Text("wind", "风速"))},
                    width=8,
                ),
                Panel(
                    name="heaviest",
                    title=Text("Heaviest vehicles", "最重车辆"),
                    look=Look.TABLE,
                    columns={
                        "name": NAME,
                        "road": ROAD_NAME,
                        "gross_t": Column(Text("heaviest", "最重"), unit="masst", decimals=1),
                        "overloaded": count("over the limit", "超限"),
                        "vehicles": count("vehicles", "车辆"),
                        "device": HIDDEN_DEVICE,
                    },
                    width=8,
                ),
            ),
        ),
    ),
)
