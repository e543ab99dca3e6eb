"""One device: what it is, what it measures, what came of it."""

from grafana.board import Board, Column, Look, Panel, Row, Text
from grafana.parts import (
    ACKNOWLEDGED,
    AT,
    CASE,
    DEVICE,
    DEVICE_ID,
    DISTRICT,
    KIND,
    LIMIT,
    MAP_COLUMNS,
    OCCURRENCES,
    PROBLEM,
    RULE,
    SEVERITY,
    SOURCE,
    STATE,
    UNIT_NAME,
    YES,
)

BOARD = Board(
    uid="device",
    title=Text("Device", "设备详情"),
    about=Text("Everything about one device.", "单个设备的全部信息。"),
    variables=(DISTRICT, KIND, DEVICE),
    rows=(
        Row(
            Text("What it is", "基本信息"),
            (
                Panel(
                    name="facts",
                    title=Text("Registry", "登记信息"),
                    look=Look.TABLE,
                    columns={
                        "device_id": DEVICE_ID,
                        "name": Column(Text("name", "名称")),
                        "kind": Column(Text("kind", "类型")),
                        "district": Column(Text("district", "区")),
                        "road": Column(Text("road", "道路")),
                        "road_class": Column(Text("class of road", "道路等级")),
                        "component_class": Column(Text("component", "部件类别")),
                        "circuit": Column(Text("circuit", "回路")),
                        "gateway": Column(Text("gateway", "网关")),
                        "owner": Column(Text("owner", "权属单位")),
                        "maintainer": Column(Text("maintainer", "养护单位")),
                        "last_ts": Column(Text("last reading", "最近数据"), unit=AT),
                        "lag_s": Column(Text("lag", "时延"), unit="s", decimals=1),
                        "readings": Column(Text("readings", "数据条数")),
                    },
                    width=16,
                    height=6,
                ),
                Panel(name="place", title=Text("Where", "位置"), look=Look.MAP, columns=MAP_COLUMNS, height=6),
            ),
        ),
        Row(
            Text("What it measures", "监测数据"),
            (
                Panel(
                    name="measurements",
                    title=Text("Everything it sent", "全部指标"),
                    look=Look.SERIES,
                    width=24,
                    height=12,
                ),
                Panel(
                    name="limits",
                    title=Text("Limits in force", "适用限值"),
                    look=Look.TABLE,
                    columns={
                        "name": LIMIT,
                        "value": Column(Text("value", "数值")),
                        "standard_ref": SOURCE,
                        "valid_from": Column(Text("from", "起")),
                        "valid_until": Column(Text("until", "止")),
                    },
                    width=24,
                ),
            ),
        ),
        Row(
            Text("What came of it", "告警与案件"),
            (
                Panel(
                    name="alarms",
                    title=Text("Alarms", "告警"),
                    look=Look.TABLE,
                    columns={
                        "severity": SEVERITY,
                        "raised_at": Column(Text("raised", "发生"), unit=AT),
                        "cleared_at": Column(Text("cleared", "解除"), unit=AT),
                        "rule_id": RULE,
                        "active": Column(Text("active", "未恢复"), words=YES),
                        "acknowledged": ACKNOWLEDGED,
                        "occurrences": OCCURRENCES,
                    },
                    width=12,
                ),
                Panel(
                    name="cases",
                    title=Text("Cases", "案件"),
                    look=Look.TABLE,
                    columns={
                        "number": CASE,
                        "severity": SEVERITY,
                        "opened_at": Column(Text("opened", "立案"), unit=AT),
                        "problem": PROBLEM,
                        "unit": UNIT_NAME,
                        "state": STATE,
                        "fix_by": Column(Text("to be fixed by", "处置时限"), unit=AT),
                        "closed_at": Column(Text("closed", "结案"), unit=AT),
                        "outcome": Column(Text("how", "结案方式")),
                        "rework": Column(Text("rework", "返工")),
                    },
                    width=12,
                ),
            ),
        ),
    ),
)
