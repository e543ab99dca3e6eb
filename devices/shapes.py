"""Plain values, as a file or a row has them, into typed ones: ``msgspec.convert`` for programs with threads.

msgspec studies a class when it is first asked to make one, and keeps what it finds on the class, at first half of it.
Two threads that are first at the same time end the process (a segmentation fault, seen with 0.22). Here one of them
studies it, and the other waits.
"""

import threading
from typing import Any, TypeVar

import msgspec

_T = TypeVar("_T")
_studying = threading.Lock()
_studied: set[Any] = set()


def convert(value: object, shape: type[_T], *, strict: bool = True, from_attributes: bool = False) -> _T:
    """A value of plain types (mappings, sequences, texts, numbers) as one of a type.

    Args:
        value: What is converted.
        shape: Into what.
        strict: Without it a text may stand for a number.
        from_attributes: Whether it may be any object that has the fields as attributes.

    Raises:
        msgspec.ValidationError: naming the field that is wrong.
    """
    if shape not in _studied:
        with _studying:
            msgspec.json.Decoder(shape)
            _studied.add(shape)
    return msgspec.convert(value, shape, strict=strict, from_attributes=from_attributes)  # noqa: TID251 - the one place
