"""The alarm scorecard: whether the alarms are bearable, by EEMUA 191 and ISA-18.2."""

from grafana.board import Board, Colour, Column, Look, Panel, Row, Step, Text
from grafana.parts import (
    ANY_IS_BAD,
    DAY,
    DEVICE_ID,
    DISTRICT,
    HIDDEN_DEVICE,
    NAME,
    NOW,
    OCCURRENCES,
    RULE,
    count,
    share,
)

_STALE = (Step(5, Colour.BAD),)
_LOAD = (Step(1, Colour.WATCH), Step(10, Colour.WORST))
_FLOOD = (Step(0.01, Colour.BAD),)

BOARD = Board(
    uid="alarms",
    title=Text("Alarm scorecard", "告警质量"),
    about=Text(
        "Load of each seat, floods, chattering and stale alarms, against EEMUA 191 and ISA-18.2.",
        "各席位告警负荷、泛滥、抖动与滞留告警，对照 EEMUA 191 与 ISA-18.2。",
    ),
    variables=(DISTRICT,),
    since="now-7d",
    rows=(
        Row(
            NOW,
            (
                Panel(
                    name="standing",
                    title=Text("Standing alarms", "未恢复告警"),
                    about=Text(
                        "Stale: active for more than 24 hours; fewer than five are wanted.",
                        "滞留：持续超过 24 小时；应少于 5 条。",
                    ),
                    look=Look.STAT,
                    columns={
                        "active": count("active", "未恢复"),
                        "unacknowledged": count("unseen", "未确认", ANY_IS_BAD),
                        "stale": count("stale", "滞留", _STALE),
                    },
                    width=12,
                    height=6,
                ),
                Panel(
                    name="priorities",
                    title=Text("Severities in the time shown", "所选时段级别分布"),
                    about=Text(
                        "Wanted: about 5 % high, 15 % medium, 80 % low.", "期望：高约 5 %，中约 15 %，低约 80 %。"
                    ),
                    look=Look.STAT,
                    columns={
                        "critical": share("critical", "紧急"),
                        "major": share("major", "重要"),
                        "low": share("minor and notice", "一般与提示"),
                    },
                    width=12,
                    height=6,
                ),
            ),
        ),
        Row(
            Text("Load", "负荷"),
            (
                Panel(
                    name="load",
                    title=Text("Alarms by 10 minutes", "每 10 分钟告警数"),
                    about=Text("One is acceptable, more than ten are a flood.", "1 条可接受，超过 10 条为泛滥。"),
                    look=Look.SERIES,
                    steps=_LOAD,
                    columns={"raised": Column(Text("raised", "告警数"))},
                    width=24,
                ),
                Panel(
                    name="days",
                    title=Text("By day and seat", "按日按席位"),
                    look=Look.TABLE,
                    columns={
                        "day": DAY,
                        "district": Column(Text("seat", "席位")),
                        "raised": count("raised", "告警数"),
                        "per_10_minutes": Column(Text("by 10 min", "每 10 分钟"), decimals=2, steps=_LOAD),
                        "peak_10_minutes": Column(Text("peak", "峰值"), steps=_LOAD),
                        "flood_share": Column(Text("flood", "泛滥占比"), unit="percentunit", decimals=1, steps=_FLOOD),
                        "critical": count("critical", "紧急"),
                        "major": count("major", "重要"),
                        "minor": count("minor", "一般"),
                        "notice": count("notice", "提示"),
                    },
                    width=24,
                ),
            ),
        ),
        Row(
            Text("Who cries most", "最频繁"),
            (
                Panel(
                    name="top_ten",
                    title=Text("Ten most frequent rules", "最频繁的十条规则"),
                    about=Text("Together they should be less than 5 % of all.", "合计应低于总数的 5 %。"),
                    look=Look.TABLE,
                    columns={
                        "rule_id": RULE,
                        "raised": count("raised", "告警数"),
                        "share": share("of all", "占比"),
                        "chattering": count("chattering devices", "抖动设备"),
                    },
                    width=10,
                    height=10,
                ),
                Panel(
                    name="bad_actors",
                    title=Text("Worst actors", "问题设备"),
                    look=Look.TABLE,
                    columns={
                        "name": NAME,
                        "device_id": DEVICE_ID,
                        "rule_id": RULE,
                        "occurrences": OCCURRENCES,
                        "chatter": count("chatter", "抖动"),
                        "raised_at": Column(Text("lately", "最近"), unit="dateTimeFromNow"),
                        "device": HIDDEN_DEVICE,
                    },
                    width=14,
                    height=10,
                ),
            ),
        ),
    ),
)
