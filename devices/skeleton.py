"""A registry file to complete: devices that send and are not registered, with what is known of them."""

import csv
import io
from collections.abc import Iterable, Mapping

from devices.kind import Kind
from devices.registry_csv import OPTIONAL, REQUIRED
from devices.topics import DeviceTopic

_CODE_DIGITS = 16  # component code of GB/T 30428.2: 6 digits of area, 4 of class, 6 of sequence


def component_class(device_id: str, kind: Kind | None) -> str:
    """The component class that a device id states, where it is a component code of a class of its kind; else empty."""
    is_code = len(device_id) == _CODE_DIGITS and device_id.isascii() and device_id.isdecimal()
    stated = device_id[6:10] if is_code else ""
    return stated if kind is not None and stated in kind.component_classes else ""


def skeleton(devices: Iterable[DeviceTopic], kinds: Mapping[str, Kind]) -> str:
    """CSV with a line for each device; name and position are empty, and so the import refuses what is not completed."""
    rows = list(devices)
    attributes = sorted({f"attr.{name}" for row in rows for name in kinds[row.kind].attributes})
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, [*REQUIRED, *OPTIONAL, *attributes], restval="", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow(
            {
                "device_id": row.device_id,
                "kind": row.kind,
                "district": row.district,
                "component_class": component_class(row.device_id, kinds[row.kind]),
            }
        )
    return text.getvalue()
