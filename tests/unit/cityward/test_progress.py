"""How far long work is: bars where somebody watches, a few lines where nobody does, and its end by Ctrl-C."""

import io
import sys
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from cityward import cli
from cityward.cli.progress import Lines, Say, progress


class Watched(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


class Wall:
    """A clock that stands still until it is moved."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def told(moments: list[tuple[float, float | None]], detail: str = "") -> list[str]:
    """The lines of work that has come so far (share) at these seconds."""
    said: list[str] = []
    wall = Wall()
    lines = Lines(said.append, wall)
    for seconds, share in moments:
        wall.now = 1000 + seconds
        lines.say("noise", share, detail)
    return said


def test_each_tenth_of_the_way_has_a_line_with_what_there_is_to_say_and_how_long_it_takes_yet() -> None:
    said = told([(0, 0.0), (100, 0.04), (250, 0.11), (260, 0.19), (600, 0.25), (2400, 1.0)], "48,000 readings/s")
    assert said == [
        "noise: 11%, 48,000 readings/s, about 34 min left",
        "noise: 25%, 48,000 readings/s, about 30 min left",
        "noise: 100%, 48,000 readings/s",
    ]


def test_what_takes_seconds_only_or_has_no_end_says_nothing() -> None:
    assert told([(0, 0.0), (4, 0.5), (9, 1.0)]) == []
    assert told([(0, None), (5000, None)]) == []


def test_the_time_that_is_left_is_as_exact_as_an_estimate_can_be() -> None:
    assert told([(0, 0.0), (20, 0.5), (40, 0.8), (36_040, 0.9)]) == [
        "noise: 50%, about 20 s left",
        "noise: 80%, about 10 s left",
        "noise: 90%, about 67 min left",
    ]
    assert told([(0, 0.0), (3600, 0.1)]) == ["noise: 10%, about 9 h left"]


def test_one_work_after_the_other_shares_the_pauses_and_each_has_its_own_tenths() -> None:
    said: list[str] = []
    wall = Wall()
    lines = Lines(said.append, wall)
    for seconds, what in ((0, "bridge"), (12, "bridge"), (15, "noise"), (24, "noise")):
        wall.now = 1000 + seconds
        lines.say(what, 0.5 if seconds else 0.0, "")
    assert said == ["bridge: 50%, about 12 s left", "noise: 50%, about 9 s left"]


@given(st.lists(st.tuples(st.floats(0, 60), st.floats(0, 0.1)), max_size=60))
def test_however_often_it_is_told_there_are_ten_lines_at_most_and_never_two_within_ten_seconds(
    steps: list[tuple[float, float]],
) -> None:
    times: list[float] = []
    wall = Wall()
    lines = Lines(lambda _line: times.append(wall.now), wall)
    share = 0.0
    for seconds, more in steps:
        wall.now += seconds
        share = min(1.0, share + more)
        lines.say("noise", share, "")
    assert len(times) <= 10
    assert all(after - before >= 10 for before, after in zip([1000.0, *times], times, strict=False))


def halves(say: Say, wall: Wall) -> None:
    for share in (0.0, 0.5, 1.0):
        say("[noise]", share, "[3] readings/s")
        wall.now += 20


def test_a_file_gets_lines_without_any_control_character() -> None:
    file, wall = io.StringIO(), Wall()
    with progress(Console(file=file, force_terminal=True, color_system=None), wall) as say:
        halves(say, wall)
    assert file.getvalue() == "[noise]: 50%, [3] readings/s, about 20 s left\n[noise]: 100%, [3] readings/s\n"


def test_a_terminal_gets_a_bar_that_is_gone_at_the_end_and_a_pipe_what_is_printed_meanwhile(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    screen, wall = Watched(), Wall()
    console = Console(file=screen, force_terminal=True, width=100)
    with progress(console, wall) as say:
        halves(say, wall)
        sys.stdout.write("a result\n")
    assert capsys.readouterr().out == "a result\n"
    shown = screen.getvalue()
    assert "a result" not in shown
    assert "[noise]" in shown
    assert "100%" in shown
    assert "[3] readings/s" in shown
    assert shown.endswith("\x1b[2K")


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command at which somebody presses Ctrl-C."""

    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "cityward.cli.stuck", SimpleNamespace(stuck=interrupted))
    monkeypatch.setitem(cli.COMMANDS, "stuck", "stuck:stuck")
    monkeypatch.setattr(sys, "argv", ["cityward", "stuck"])


@pytest.mark.usefixtures("stuck")
def test_ctrl_c_ends_a_command_with_a_line_and_130(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 130
    assert capsys.readouterr().err == "cityward: stopped by Ctrl-C\n"
