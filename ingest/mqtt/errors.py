"""What the other side of a connection can do to us."""


class MqttError(Exception):
    """The connection is of no more use."""


class ProtocolError(MqttError):
    """The broker sent bytes that MQTT does not allow."""


class RefusedError(MqttError):
    """The broker says no, and will say no again until somebody changes something."""


class LostError(MqttError):
    """The connection ended; the next one may be better."""
