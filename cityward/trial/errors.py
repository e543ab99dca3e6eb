"""Why a trial came to no end."""

from devices.errors import Permanent


class TrialError(Permanent):
    """The message says what to do, or which process broke off."""
