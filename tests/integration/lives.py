"""Cases of every kind of life, for what is counted of them."""

from datetime import datetime, timedelta

from cases.case import Finding
from cases.clocks import Allowance
from rules.verdicts import Change
from tests.integration.desk import FRIDAY, Desk
from tests.integration.making import COVER_EAST, COVER_WEST, KITCHEN, LAMP, STRAIN

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def raised(desk: Desk, rule: str, device: str, at: datetime) -> str:
    """A rule's alarm; the number of the case that has come of it, the newest."""
    desk.alarm((rule, device), at=at)
    desk.take_up(at)
    return desk.numbers()[-1]


def cleared(desk: Desk, rule: str, device: str, at: datetime) -> None:
    desk.alarm((rule, device), at=at, change=Change.CLEARED)
    desk.take_up(at)


def proven(desk: Desk, rule: str, device: str, at: datetime) -> None:
    """The alarm is over and the device well: telemetry closes what is being checked."""
    cleared(desk, rule, device, at)
    for minute in range(1, 4):
        desk.hear(device, at + minute * MINUTE)
    desk.ask(at + 4 * MINUTE)


def live(desk: Desk, start: datetime = FRIDAY) -> dict[str, str]:
    """Twelve cases, by what became of them in the two days that follow; their numbers."""
    made = {"on_time": raised(desk, "MH-01", COVER_EAST, start)}
    desk.work(made["on_time"], start + HOUR)
    proven(desk, "MH-01", COVER_EAST, start + HOUR)

    made["late"] = raised(desk, "MH-05", COVER_EAST, start)
    desk.work(made["late"], start + 9 * HOUR)

    made["sent_back"] = raised(desk, "MH-01", COVER_WEST, start)
    desk.work(made["sent_back"], start + HOUR)
    cleared(desk, "MH-01", COVER_WEST, start + HOUR)
    raised(desk, "MH-01", COVER_WEST, start + 2 * HOUR)

    made["reopened"] = raised(desk, "SL-04", LAMP, start)
    desk.work(made["reopened"], start + HOUR)
    proven(desk, "SL-04", LAMP, start + HOUR)
    raised(desk, "SL-04", LAMP, start + 30 * HOUR)

    made["more_time"] = raised(desk, "FU-03", KITCHEN, start)
    desk.moves(start).accept(made["more_time"])
    desk.moves(start).request_delay(made["more_time"], Allowance.parse("2d work"), "a part is on its way")
    desk.moves(start).grant_delay(made["more_time"])

    made["handed_on"] = raised(desk, "MH-08", COVER_EAST, start)
    desk.moves(start).give_back(made["handed_on"], "not ours")
    desk.moves(start).assign(made["handed_on"], "lighting", "their duct")
    desk.work(made["handed_on"], start + HOUR)

    made["cancelled"] = raised(desk, "MH-08", COVER_WEST, start)
    desk.moves(start).cancel(made["cancelled"], "a drill", Finding.NOT_FOUND)

    made["recovered"] = raised(desk, "MH-05", COVER_WEST, start)
    cleared(desk, "MH-05", COVER_WEST, start + HOUR)
    for minute in range(3):
        desk.hear(COVER_WEST, start + 4 * HOUR + minute * MINUTE)
    desk.ask(start + 5 * HOUR)

    made["carried"] = raised(desk, "FU-01", KITCHEN, start)
    desk.moves(start).merge(made["more_time"], [made["carried"]], "one trip")

    made["reported"] = desk.moves(start).report(STRAIN, "crack", "a citizen called", 2)

    made["suspended"] = raised(desk, "BR-01", STRAIN, start)
    desk.moves(start).accept(made["suspended"])
    desk.moves(start + HOUR).suspend(made["suspended"], "permit", "the road is open until Monday")
    desk.moves(start + 20 * HOUR).resume(made["suspended"])

    made["overdue"] = raised(desk, "SL-01", LAMP, start)
    for hours in range(0, 49, 6):
        desk.look(start + hours * HOUR)
    return made
