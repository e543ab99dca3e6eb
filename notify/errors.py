"""What can go wrong with a delivery; all else, such as a city that is not imported yet, is no fault of the message."""

from devices.errors import Permanent, Retryable


class NotReachedError(Retryable):
    """The receiver did not take it this time."""


class UndeliverableError(Permanent):
    """It will never be taken: a wrong address, a message that the receiver refuses."""
