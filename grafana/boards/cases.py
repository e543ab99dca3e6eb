"""Cases and supervision: what is open, what is late, how the units do."""

from grafana.board import Board, Column, Look, Panel, Row, Text
from grafana.parts import (
    ANY_IS_BAD,
    ANY_IS_WATCHED,
    ANY_IS_WORST,
    AT,
    CASE,
    CASE_COLUMNS,
    DISTRICT,
    MONTH,
    NOW,
    SHEET,
    STATE,
    UNIT,
    UNIT_NAME,
    count,
    share,
    standing,
)

BOARD = Board(
    uid="cases",
    title=Text("Cases and supervision", "案件与督办"),
    about=Text("Deadlines, units, white, yellow and red sheets.", "处置时限、责任单位、白黄红督办单。"),
    variables=(DISTRICT, UNIT),
    since="now-7d",
    annotations=("cases",),
    rows=(
        Row(
            NOW,
            (
                standing(
                    Text("Open cases", "未结案件"),
                    {
                        "open": count("open", "未结"),
                        "at_risk": count("at risk", "临期", ANY_IS_WATCHED),
                        "overdue": count("overdue", "超期", ANY_IS_WORST),
                        "paused": count("paused", "挂账"),
                        "red": count("under a red sheet", "红色督办", ANY_IS_BAD),
                    },
                ),
                Panel(
                    name="nearest",
                    title=Text("The nearest deadline first", "按时限排序"),
                    look=Look.TABLE,
                    columns=CASE_COLUMNS,
                    width=16,
                    height=14,
                ),
                Panel(
                    name="by_state",
                    title=Text("Where they stand", "案件状态"),
                    look=Look.BARS,
                    columns={"state": STATE, "cases": count("cases", "案件数")},
                    height=14,
                ),
            ),
        ),
        Row(
            Text("Supervision", "督办"),
            (
                Panel(
                    name="sheets",
                    title=Text("Sheets, unanswered first", "督办单（未回复在前）"),
                    look=Look.TABLE,
                    columns={
                        "colour": SHEET,
                        "number": Column(Text("sheet", "督办单号")),
                        "case_number": CASE,
                        "unit": UNIT_NAME,
                        "because": Column(Text("because", "原因")),
                        "points": Column(Text("points", "扣分"), width=70),
                        "issued_at": Column(Text("issued", "签发"), unit=AT),
                        "reply_by": Column(Text("reply by", "回复时限"), unit=AT),
                        "answered_at": Column(Text("answered", "回复"), unit=AT),
                    },
                    width=24,
                ),
            ),
        ),
        Row(
            Text("How the units do", "单位考核"),
            (
                Panel(
                    name="kpis",
                    title=Text("By month and unit", "按月按单位"),
                    about=Text(
                        "Of the cases whose deadline is in the month: handled, handled in time, closed of handled, "
                        "rework of handled, overdue and not handled.",
                        "当月应处置案件的处置率、按期处置率、结案率、返工率、超期待处置率。",
                    ),
                    look=Look.TABLE,
                    columns={
                        "month": MONTH,
                        "unit": UNIT_NAME,
                        "should_handle": count("to handle", "应处置"),
                        "handled": share("handled", "处置率"),
                        "on_time": share("in time", "按期处置率", 0.95),
                        "closed": share("closed", "结案率"),
                        "rework": share("rework", "返工率"),
                        "overdue": share("overdue", "超期待处置率"),
                    },
                    width=24,
                    height=10,
                ),
                Panel(
                    name="flow",
                    title=Text("Opened and closed by the hour", "每小时立案与结案"),
                    look=Look.SERIES,
                    columns={"opened": Column(Text("opened", "立案")), "closed": Column(Text("closed", "结案"))},
                    width=16,
                ),
                Panel(
                    name="told",
                    title=Text("Notifications", "通知"),
                    look=Look.TABLE,
                    columns={
                        "channel": Column(Text("channel", "渠道")),
                        "state": Column(Text("state", "状态")),
                        "notifications": count("number", "数量"),
                        "attempts": count("most attempts", "最多尝试"),
                    },
                ),
            ),
        ),
    ),
)
