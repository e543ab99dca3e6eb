"""What keeps a benchmark from its end."""

from devices.errors import Permanent


class BenchError(Permanent):
    """Something is not installed, does not start, or takes far too long; the message says what."""
