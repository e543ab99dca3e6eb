"""What can go wrong around the loop. Two verbs: a ``RetryableError`` is waited out, any other ends the process."""


class RetryableError(Exception):
    """The other side is away. Nothing was lost: the broker still holds what is not acknowledged."""


class BrokerUnavailableError(RetryableError):
    """The MQTT broker does not answer, or the connection broke."""


class BrokerRefusedError(Exception):
    """The broker answers and says no: wrong user or password, or a topic filter it does not grant."""
