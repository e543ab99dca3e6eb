"""The report of a trial says what was missed and why, in Markdown and as a page that needs nothing else."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

from cityward.trial import plots
from cityward.trial.evaluating import Raised, evaluate
from cityward.trial.explained import Trouble
from cityward.trial.outcome import Goals, Outcome
from cityward.trial.report import markdown, write
from ingest.messages import Ledger
from simulators.labels import Expected, Label

T0 = datetime(2026, 11, 21, 12, tzinfo=UTC)
GOALS = Goals(0.99, 1)


def at(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def outcome() -> Outcome:
    """One found at once, one late, one never; one alarm too many."""
    labels = [Label(f"open-{n}", "k", (f"cover-{n}",), T0, at(60), (Expected("MH-01", at(5)),)) for n in range(3)]
    alarms = [Raised("MH-01", "cover-0", at(1)), Raised("MH-01", "cover-1", at(9)), Raised("SL-01", "lamp<1>", at(20))]
    score = evaluate(labels, alarms, rules=["MH-01", "SL-01"], device_days=100, until=at(600))
    return Outcome("night & day", 100, 1, T0, at(1440), labels, alarms, [], score, 9, Ledger(9, 9, 0, 0), 5.0)


TROUBLES = [
    Trouble("MH-01 never noticed open-2", "cover-2: 0 readings stored"),
    Trouble("SL-01 of lamp<1> was false", "condition <x>\nraised"),
]


def test_markdown_and_page_name_every_miss_with_what_is_known_of_it(tmp_path: Path) -> None:
    names = {path.name for path in write(tmp_path / "new", outcome(), GOALS, TROUBLES, "cityward evaluate x")}
    assert names == {"rules.svg", "delays.svg", "timeline.svg", "report.md", "report.html"}
    said = (tmp_path / "new" / "report.md").read_text(encoding="utf-8")
    assert "| MH-01 | 3 | 1 | 1 | 33.3% | 2 | 2 | 100.0% | 60 s | 540 s |" in said
    assert "### MH-01 never noticed open-2\n\n    cover-2: 0 readings stored" in said
    assert "goal missed: recall 0.3333 is below 0.99" in said
    assert "1 never noticed, 1 late, 1 false alarms." in said
    assert "![timeline](timeline.svg)" in said


def test_the_page_holds_its_pictures_and_no_markup_of_devices(tmp_path: Path) -> None:
    write(tmp_path, outcome(), GOALS, TROUBLES, "cityward evaluate 'a<b'")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg ") == 3
    assert "lamp&lt;1&gt; was false" in page
    assert "night &amp; day" in page
    assert "<x>" not in page
    assert "a<b" not in page


def test_the_pictures_are_svg(tmp_path: Path) -> None:
    write(tmp_path, outcome(), GOALS, TROUBLES, "")
    for path in tmp_path.glob("*.svg"):
        assert ET.fromstring(path.read_text(encoding="utf-8")).tag.endswith("svg")  # noqa: S314 - our own


def test_a_dot_a_find_and_a_mark_a_mishap() -> None:
    assert plots.delays([("MH-01", [30, 60, 7200])]).count("<circle") == 3
    drawn = plots.timeline([plots.Mark("A", at(1), True), plots.Mark("B", at(2), False)], T0, at(60), UTC)
    assert (drawn.count("<circle"), drawn.count("l8 8")) == (1, 1)


def test_the_timeline_has_all_that_went_wrong_also_what_is_not_explained(tmp_path: Path) -> None:
    write(tmp_path, outcome(), GOALS, [], "")
    drawn = (tmp_path / "timeline.svg").read_text(encoding="utf-8")
    assert (drawn.count("<circle"), drawn.count("l8 8")) == (2, 1)


def test_where_nothing_was_found_or_went_wrong_there_is_no_picture_of_it(tmp_path: Path) -> None:
    quiet = evaluate([], [], rules=["MH-01"], device_days=1, until=at(9))
    nothing = Outcome("quiet", 100, 1, T0, at(60), [], [], [], quiet, 0, Ledger(0, 0, 0, 0), 1.0)
    assert {path.name for path in write(tmp_path, nothing, GOALS, [], "")} == {"rules.svg", "report.md", "report.html"}


def test_a_case_of_permitted_work_is_named_although_its_alarm_is_right() -> None:
    permitted = Label("works", "k", ("meter-1",), T0, at(60), allows=("NO-03",), under_permit=True)
    alarm = Raised("NO-03", "meter-1", at(5), number=7)
    score = evaluate([permitted], [alarm], rules=["NO-03"], device_days=1, until=at(99))
    works = Outcome("works", 100, 1, T0, at(99), [permitted], [alarm], [], score, 0, Ledger(0, 0, 0, 0), 1.0)
    assert [each["alarm"] for each in works.as_json(GOALS)["sent_to_permitted_work"]] == [7]
    assert "1 case of permitted work." in markdown(works, GOALS, [], "", [])
