"""What can go wrong with a delivery: two verbs decide what happens next."""


class DeliveryError(Exception):
    """A notification was not delivered."""


class Retryable(DeliveryError):  # noqa: N818 - the name says what to do
    """It may work later; ``after`` is the wait in seconds that the receiver asked for, if it did."""

    def __init__(self, message: str, after: float | None = None) -> None:
        self.after = after
        super().__init__(message)


class Permanent(DeliveryError):  # noqa: N818
    """It will never work: a wrong address, a message that the receiver refuses."""
