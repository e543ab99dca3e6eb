"""What ends by itself is started again, unless it keeps ending."""

from cityward.up import MOST_ENDS, WITHIN, Ends


def test_a_process_that_ends_now_and_then_comes_back_and_one_that_keeps_ending_does_not() -> None:
    ends = Ends()
    assert not any(ends.too_many("collect", hour * 3600.0) for hour in range(10 * MOST_ENDS))
    at_once = [ends.too_many("collect", 200_000.0 + second) for second in range(MOST_ENDS)]
    assert at_once == [False] * (MOST_ENDS - 1) + [True]
    assert not ends.too_many("console", 200_000.0 + MOST_ENDS), "each counts for itself"


def test_ends_that_are_just_so_far_apart_are_not_too_many() -> None:
    ends = Ends()
    assert not any(ends.too_many("collect", end * WITHIN / (MOST_ENDS - 1)) for end in range(20))
