"""The pretend city's sun against astral, by which lamps are judged."""

from datetime import UTC, datetime, timedelta

import numpy as np
from astral import Observer
from astral.sun import elevation as elevation_by_astral
from astral.sun import sunrise, sunset
from hypothesis import given
from hypothesis import strategies as st

from devices.moments import MICROS
from simulators.physics.daytime import LOCAL, day_of
from simulators.physics.sun import crossings, elevation

LAT, LON = np.array([30.6]), np.array([114.3])
TIMES = st.datetimes(datetime(2024, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def micros(at: datetime) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    return np.array([round(at.timestamp()) * MICROS])


@given(at=TIMES)
def test_it_stands_where_astral_says(at: datetime) -> None:
    whole = at.replace(microsecond=0)
    ours = float(elevation(LAT, LON, micros(whole))[0])
    assert abs(ours - elevation_by_astral(Observer(30.6, 114.3), whole, with_refraction=False)) < 0.05


@given(at=TIMES)
def test_it_rises_and_sets_when_astral_says(at: datetime) -> None:
    day = at.astimezone(LOCAL).date()
    here = Observer(30.6, 114.3)
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=LOCAL)
    rises, falls = crossings(LAT, LON, day_of(micros(noon)), -0.833)
    for ours, theirs in ((rises, sunrise(here, day, tzinfo=LOCAL)), (falls, sunset(here, day, tzinfo=LOCAL))):
        assert abs(datetime.fromtimestamp(int(ours[0]) / MICROS, UTC) - theirs) < timedelta(minutes=1.5)
