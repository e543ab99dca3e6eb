"""What can go wrong around the loop. What is ``Retryable`` is waited out; nothing was lost: the broker still has it."""

from devices.errors import Permanent, Retryable


class BrokerUnavailableError(Retryable):
    """The MQTT broker does not answer, or the connection broke."""


class BrokerRefusedError(Permanent):
    """The broker answers and says no: wrong user or password, or a topic filter it does not grant."""
