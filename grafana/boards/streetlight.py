"""Streetlights: whether they burn when they should, and whether touching them is safe."""

from grafana.board import Board, Column, Look, Panel, Row, Text
from grafana.parts import (
    ALARM_COLUMNS,
    ANY_IS_BAD,
    ANY_IS_WORST,
    DISTRICT,
    NOW,
    ROAD,
    ROAD_NAME,
    YES,
    count,
    share,
    standing,
    target,
    where,
)

BOARD = Board(
    uid="streetlight",
    title=Text("Streetlights", "路灯"),
    about=Text("Lit rate by road, faults by circuit, energy.", "按道路的亮灯率、回路故障、用电量。"),
    variables=(DISTRICT, ROAD),
    since="now-7d",
    rows=(
        Row(
            NOW,
            (
                standing(
                    Text("Lamps", "路灯"),
                    {
                        "lamps": count("lamps", "总数"),
                        "dark": count("dark", "不亮", ANY_IS_BAD),
                        "day_burners": count("burning by day", "白天亮灯", ANY_IS_BAD),
                        "leaking": count("leaking current", "漏电", ANY_IS_WORST),
                        "silent": count("silent", "离线", ANY_IS_BAD),
                    },
                ),
                where(Text("Faults", "故障分布")),
                Panel(
                    name="faults",
                    title=Text("Faults by severity", "故障列表"),
                    look=Look.TABLE,
                    columns={
                        **ALARM_COLUMNS,
                        "circuit": Column(Text("circuit", "回路")),
                        "cabinet": Column(Text("cabinet", "控制柜")),
                        "hushed": Column(Text("explained", "已归并"), words=YES),
                    },
                    width=12,
                    height=14,
                ),
            ),
        ),
        Row(
            Text("Lit rate", "亮灯率"),
            (
                Panel(
                    name="lit_rate",
                    title=Text("Lit rate by night", "每夜亮灯率"),
                    about=Text(
                        "Known: of the lamp-minutes whose state is known. Strict: silent lamps count as dark.",
                        "已知：仅计状态已知的灯·分钟；严格：离线灯按不亮计。",
                    ),
                    look=Look.SERIES,
                    unit="percentunit",
                    high=1,
                    steps=target(0.98),
                    columns={
                        "known": Column(Text("known", "已知")),
                        "strict": Column(Text("strict", "严格")),
                        "target": Column(Text("target", "目标")),
                    },
                    width=12,
                ),
                Panel(
                    name="energy",
                    title=Text("Energy by day", "每日用电量"),
                    look=Look.SERIES,
                    unit="kwatth",
                    about=Text(
                        "By the lamps' own meters. What a meter counted while its lamp was silent belongs to no day: "
                        "it stands apart, on the day of the lamp's return.",
                        "按各灯自身电表计量。失联期间的电量无法归入某一天，在恢复通信当日单独列出。",
                    ),
                    columns={
                        "energy": Column(Text("energy", "用电量")),
                        "silent": Column(Text("while silent", "失联期间")),
                    },
                    width=12,
                ),
                Panel(
                    name="roads",
                    title=Text("Roads, the darkest first", "道路亮灯率（最低在前）"),
                    look=Look.TABLE,
                    columns={
                        "road": ROAD_NAME,
                        "road_class": Column(Text("class", "等级")),
                        "lamps": count("lamps", "灯数"),
                        "known": share("known", "已知", 0.96),
                        "strict": share("strict", "严格", 0.96),
                        "target": share("target", "目标"),
                    },
                    width=24,
                    height=10,
                ),
            ),
        ),
    ),
)
