"""When to say something only to be heard, and when the other side has been silent for too long (MQTT §3.1.2.10)."""


class KeepAlive:
    """Times are seconds of any clock that does not jump.

    It asks after half the agreed interval, so that a late look or a slow commit still fits into the one and a half
    that a broker waits. Whatever arrives is an answer: behind a backlog PINGRESP may stand last.

    Args:
        interval: The longest silence that was agreed on, seconds.
        now: When the connection began.
    """

    def __init__(self, interval: float, now: float) -> None:
        self._interval = interval
        self._spoke = now
        self._asked: float | None = None

    def agree(self, interval: float) -> None:
        """Take over the broker's interval where it is shorter; 0, for none, needs nothing of us."""
        if 0 < interval < self._interval:
            self._interval = interval

    def spoke(self, now: float) -> None:
        """Something was sent."""
        self._spoke = now

    def asked(self, now: float) -> None:
        """PINGREQ was sent."""
        self._spoke = self._asked = now

    def heard(self) -> None:
        """Something has arrived."""
        self._asked = None

    def must_ask(self, now: float) -> bool:
        """Whether PINGREQ is due."""
        return self._asked is None and now - self._spoke >= self._interval / 2

    def is_dead(self, now: float) -> bool:
        """Whether nothing came for a whole interval after PINGREQ."""
        return self._asked is not None and now - self._asked >= self._interval
