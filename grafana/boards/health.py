"""Data health: whether readings arrive, are complete, and what became of them."""

from grafana.board import Board, Column, Look, Panel, Row, Text
from grafana.parts import ANY_IS_BAD, ANY_IS_WORST, AT, DEVICE_ID, DISTRICT, HIDDEN_DEVICE, KIND, NAME, count

_FATES = {
    "received": count("received", "接收"),
    "stored": count("stored", "入库"),
    "duplicate": count("duplicate", "重复"),
    "quarantined": count("quarantined", "隔离", ANY_IS_BAD),
}

BOARD = Board(
    uid="health",
    title=Text("Data health", "数据质量"),
    about=Text(
        "Ledger, lag, completeness, quarantine: whether the other boards can be believed.",
        "账本、时延、完整率、隔离区：其他看板的数据是否可信。",
    ),
    variables=(DISTRICT, KIND),
    annotations=(),
    refresh="30s",
    rows=(
        Row(
            Text("Three fates", "三种去向"),
            (
                Panel(
                    name="fates",
                    title=Text("Messages in the time shown", "所选时段消息"),
                    about=Text(
                        "received = stored + duplicate + quarantined, always", "接收 = 入库 + 重复 + 隔离，恒成立"
                    ),
                    look=Look.STAT,
                    columns={**_FATES, "missing": count("unaccounted for", "去向不明", ANY_IS_WORST)},
                    width=24,
                    height=5,
                ),
                Panel(
                    name="ledger",
                    title=Text("Messages a minute", "每分钟消息数"),
                    look=Look.SERIES,
                    columns={name: Column(column.title) for name, column in _FATES.items()},
                    width=16,
                ),
                Panel(
                    name="partitions",
                    title=Text("Partitions", "分区"),
                    look=Look.TABLE,
                    columns={
                        "partition": Column(Text("partition", "分区")),
                        "latest": Column(Text("latest", "最近"), unit="dateTimeFromNow"),
                        "received": count("received", "接收"),
                        "quarantined": count("quarantined", "隔离"),
                    },
                ),
            ),
        ),
        Row(
            Text("Can they be believed?", "是否可信"),
            (
                Panel(
                    name="completeness",
                    title=Text("Completeness by day", "每日完整率"),
                    about=Text(
                        "Readings that came, of those due by the kind's interval.", "实收 ÷ 应收（按类型上报周期）。"
                    ),
                    look=Look.SERIES,
                    unit="percentunit",
                    low=0,
                    high=1,
                ),
                Panel(
                    name="doubts",
                    title=Text("Doubtful readings by day", "每日存疑数据"),
                    look=Look.SERIES,
                    columns={
                        "late": Column(Text("late", "迟到")),
                        "implausible": Column(Text("implausible", "超量程")),
                        "frozen": Column(Text("frozen", "冻结")),
                        "repeated": Column(Text("repeated", "重发")),
                        "skewed": Column(Text("clock ahead", "时钟超前")),
                    },
                ),
                Panel(
                    name="quarantine",
                    title=Text("Quarantine by reason", "隔离原因"),
                    look=Look.TABLE,
                    columns={
                        "code": Column(Text("reason", "原因")),
                        "messages": count("messages", "消息"),
                        "waiting": count("waiting", "待处理", ANY_IS_BAD),
                        "latest": Column(Text("latest", "最近"), unit="dateTimeFromNow"),
                    },
                ),
            ),
        ),
        Row(
            Text("Devices", "设备"),
            (
                Panel(
                    name="lag",
                    title=Text("From measuring to arrival", "上报时延"),
                    look=Look.TABLE,
                    columns={
                        "kind": Column(Text("kind", "类型")),
                        "devices": count("devices", "设备"),
                        "median_s": Column(Text("median", "中位"), unit="s", decimals=1),
                        "p95_s": Column(Text("95 %", "95 分位"), unit="s", decimals=1),
                        "longest_s": Column(Text("longest", "最长"), unit="s", decimals=1),
                    },
                    width=12,
                ),
                Panel(
                    name="silent",
                    title=Text("Longest silent", "静默最久"),
                    look=Look.TABLE,
                    columns={
                        "name": NAME,
                        "device_id": DEVICE_ID,
                        "kind": Column(Text("kind", "类型")),
                        "silent_s": Column(Text("silent for", "静默"), unit="dtdurations"),
                        "last_ts": Column(Text("last reading", "最近数据"), unit=AT),
                        "device": HIDDEN_DEVICE,
                    },
                    width=12,
                ),
            ),
        ),
    ),
)
