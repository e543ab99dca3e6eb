"""The ledger balances, or there is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.rejection import Code, Rejected
from ingest.messages import MOST_COPIED, MOST_REFUSALS, Batch, DecodedBatch, Ledger, LedgerError, Message, condensed

COUNTS = st.integers(0, 1_000_000)


@given(stored=COUNTS, duplicate=COUNTS, quarantined=COUNTS)
def test_what_adds_up_is_a_ledger(stored: int, duplicate: int, quarantined: int) -> None:
    ledger = Ledger(stored + duplicate + quarantined, stored, duplicate, quarantined)
    assert (ledger.stored, ledger.duplicate, ledger.quarantined) == (stored, duplicate, quarantined)


@given(stored=COUNTS, duplicate=COUNTS, quarantined=COUNTS, off=st.integers(-1_000, 1_000).filter(bool))
def test_a_reading_without_a_fate_or_with_two_is_an_error(
    stored: int, duplicate: int, quarantined: int, off: int
) -> None:
    with pytest.raises(LedgerError):
        Ledger(stored + duplicate + quarantined + off, stored, duplicate, quarantined)


def test_an_imbalance_shows_its_numbers() -> None:
    with pytest.raises(LedgerError, match=r"received=3, stored=1, duplicate=0, quarantined=1"):
        Ledger(3, 1, 0, 1)


def test_a_batch_of_nothing_balances() -> None:
    batch = DecodedBatch(Batch([], 0), [], [])
    assert Ledger(batch.received) == Ledger(0, 0, 0, 0)


def test_a_message_with_many_refusals_is_kept_once() -> None:
    few = [Rejected(Code.WRONG_TYPE, "not a number", 0, part) for part in range(MOST_REFUSALS)]
    many = [Rejected(Code.WRONG_TYPE, "not a number", 1, part) for part in range(MOST_REFUSALS + 1)]
    *first, last = condensed([*few, *many], [Message("small", b"[]")] * 2)
    assert first == few
    assert (last.message, last.part, last.code) == (1, -1, Code.WRONG_TYPE)
    assert last.detail == f"{MOST_REFUSALS + 1} readings of this message are refused, the first: not a number"


def test_of_a_large_message_no_copy_is_kept_for_each_refused_reading() -> None:
    messages = [Message("fits", bytes(MOST_COPIED // 2)), *[Message("large", bytes(MOST_COPIED // 2 + 1))] * 2]
    two, twice = ([Rejected(Code.WRONG_TYPE, "", number, part) for part in (3, 5)] for number in (0, 1))
    once = Rejected(Code.WRONG_TYPE, "", 2, 4)
    kept = condensed([*two, *twice, once], messages)
    assert [(each.message, each.part) for each in kept] == [(0, 3), (0, 5), (1, -1), (2, 4)]
