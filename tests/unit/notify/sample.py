"""A message as channels carry it."""

from notify.message import Message

MESSAGE = Message(
    notification_id=17,
    case_number="4201022026112000017",
    district="qiaodong",
    unit="water",
    event="dispatch",
    severity=4,
    problem="cover_open",
    device_id="4201020101000001",
    facility="Cover 1",
    road="Jiefang Road",
)
