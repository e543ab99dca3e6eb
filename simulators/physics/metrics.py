"""The shape of what a device measures."""

Metrics = dict[str, float | int | bool | str]
