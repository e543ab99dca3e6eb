"""Manhole covers: open, under water, silent, weak."""

from grafana.board import Board, Column, Look, Panel, Row, Text
from grafana.parts import (
    ALARM_COLUMNS,
    ANY_IS_BAD,
    ANY_IS_WORST,
    CASE,
    DISTRICT,
    HIDDEN_DEVICE,
    LATELY,
    NAME,
    NOW,
    ROAD,
    ROAD_NAME,
    STATE,
    UNIT_NAME,
    count,
    standing,
    where,
)

BOARD = Board(
    uid="manhole",
    title=Text("Manhole covers", "井盖"),
    about=Text("Covers that are open, wells that fill, sensors that fail.", "井盖开启、水位、传感器状态。"),
    variables=(DISTRICT, ROAD),
    since="now-7d",
    rows=(
        Row(
            NOW,
            (
                standing(
                    Text("Covers", "井盖"),
                    {
                        "covers": count("covers", "总数"),
                        "open": count("open or missing", "开启或丢失", ANY_IS_WORST),
                        "water": count("water high", "水位过高", ANY_IS_BAD),
                        "silent": count("silent", "离线", ANY_IS_BAD),
                        "battery": count("battery low", "电量低", ANY_IS_BAD),
                    },
                ),
                where(Text("Where", "分布图")),
                Panel(
                    name="open_covers",
                    title=Text("Alarms and who is on the way", "告警与处置"),
                    look=Look.TABLE,
                    columns={**ALARM_COLUMNS, "number": CASE, "unit": UNIT_NAME, "state": STATE},
                    width=12,
                    height=14,
                ),
            ),
        ),
        Row(
            LATELY,
            (
                Panel(
                    name="openings",
                    title=Text("Openings by day", "每日开启次数"),
                    look=Look.SERIES,
                    columns={
                        "openings": Column(Text("reported openings", "上报开启")),
                        "tilted": Column(Text("covers beyond 10°", "倾斜超过 10° 的井盖")),
                    },
                ),
                Panel(
                    name="water",
                    title=Text("Highest water levels", "最高水位"),
                    look=Look.SERIES,
                    unit="lengthm",
                ),
                Panel(
                    name="batteries",
                    title=Text("Weakest batteries, three days", "电量最低（三日）"),
                    look=Look.TABLE,
                    columns={
                        "name": NAME,
                        "road": ROAD_NAME,
                        "battery_pct": Column(Text("charge", "电量"), unit="percent", decimals=0),
                        "battery_v": Column(Text("voltage", "电压"), unit="volt", decimals=2),
                        "rsrp": Column(Text("signal", "信号"), unit="dBm", decimals=0),
                        "device": HIDDEN_DEVICE,
                    },
                ),
            ),
        ),
    ),
)
