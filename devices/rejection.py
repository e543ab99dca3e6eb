"""Why a message cannot become a reading: the third of its three fates."""

from dataclasses import dataclass
from enum import StrEnum


class Code(StrEnum):
    """Why a message went to quarantine. Few and stable: they are labels of metrics and filters of tools."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    BAD_TOPIC = "bad_topic"
    UNKNOWN_KIND = "unknown_kind"
    UNREGISTERED = "unregistered"
    UNKNOWN_CODEC = "unknown_codec"
    MALFORMED = "malformed"
    BAD_CHECKSUM = "bad_checksum"
    WRONG_IDENTITY = "wrong_identity"
    UNSUPPORTED = "unsupported"
    WRONG_TYPE = "wrong_type"
    NON_FINITE = "non_finite"
    BAD_TIME = "bad_time"
    CLOCK_SKEW = "clock_skew"
    CONFLICT = "conflict"
    UNSTORABLE = "unstorable"


@dataclass(frozen=True, slots=True)
class Rejected:
    """A message, or one reading of a message, that goes to quarantine.

    ``detail`` says what was found and what would be right; ``message`` is the position in the batch, ``part`` which
    reading of that message it is, from 0, or -1 for the message as a whole.
    """

    code: Code
    detail: str
    message: int = -1
    part: int = -1
