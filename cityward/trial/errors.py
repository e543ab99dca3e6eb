"""Why a trial came to no end."""


class TrialError(Exception):
    """The message says what to do, or which process broke off."""


class TrialStoppedError(TrialError):
    """Somebody stopped it."""
