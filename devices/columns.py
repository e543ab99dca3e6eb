"""Devices as columns: a million of them take a tenth of what they would take as objects."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from devices.kind import LimitChange
from devices.readings import Floats, Ints

AttributeValue = float | str | bool
_Places = NDArray[np.int32]
_NONE: _Places = np.zeros(0, dtype=np.int32)


class Common(msgspec.Struct, frozen=True, gc=False):
    """What a device may have in common with others: everything but its id, its name and its position.

    ``supervisor``, ``owner`` and ``maintainer`` are the three organisations of GB/T 30428: 主管, 权属 and 养护; empty
    where unknown. ``circuit``, ``cabinet`` and ``gateway`` name the parents whose failure explains this device's
    silence. ``limits`` and ``attributes`` hold what differs from the kind's defaults; ``limit_changes`` what its own
    limits change to, and when.
    """

    kind: str
    district: str
    grid: str = ""
    road: str = ""
    road_class: str = ""
    component_class: str = ""
    circuit: str = ""
    cabinet: str = ""
    gateway: str = ""
    supervisor: str = ""
    owner: str = ""
    maintainer: str = ""
    limits: Mapping[str, float] = {}
    limit_changes: Mapping[str, tuple[LimitChange, ...]] = {}
    attributes: Mapping[str, AttributeValue] = {}


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts in UTF-8, one after the other; each from its start until before its end."""

    letters: bytes
    starts: _Places
    ends: _Places

    @classmethod
    def of(cls, texts: Iterable[str]) -> "Texts":
        """These texts."""
        encoded = [text.encode() for text in texts]
        size = np.array([*map(len, encoded)], dtype=np.int32)
        ends = np.cumsum(size, dtype=np.int32)
        return cls(b"".join(encoded), ends - size, ends)

    @classmethod
    def joined(cls, parts: Sequence["Texts"]) -> "Texts":
        """The texts of all parts."""
        before = np.cumsum([0, *(len(part.letters) for part in parts)], dtype=np.int32).tolist()
        starts = [part.starts + past for part, past in zip(parts, before, strict=False)]
        ends = [part.ends + past for part, past in zip(parts, before, strict=False)]
        return cls(
            b"".join(part.letters for part in parts), np.concatenate([_NONE, *starts]), np.concatenate([_NONE, *ends])
        )

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, place: int) -> str:
        return self.letters[self.starts[place] : self.ends[place]].decode()

    def __iter__(self) -> Iterator[str]:
        for start, end in zip(self.starts.tolist(), self.ends.tolist(), strict=True):
            yield self.letters[start:end].decode()

    def where(self, true: NDArray[np.bool_]) -> "Texts":
        """The texts for which it is true."""
        return Texts(self.letters, self.starts[true], self.ends[true])


@dataclass(frozen=True, slots=True)
class Columns:
    """Devices by number, ascending; ``common`` says which of ``commons`` each has. Positions in degrees."""

    number: Ints
    device_id: Texts
    name: Texts
    lon: Floats
    lat: Floats
    common: _Places
    commons: Sequence[Common]

    def __len__(self) -> int:
        return len(self.number)

    def where(self, true: NDArray[np.bool_]) -> "Columns":
        """The devices for which it is true."""
        if true.all():
            return self
        return Columns(
            number=self.number[true],
            device_id=self.device_id.where(true),
            name=self.name.where(true),
            lon=self.lon[true],
            lat=self.lat[true],
            common=self.common[true],
            commons=self.commons,
        )
