"""A kind of device for tests: its description, piece by piece."""

HEAD = """
kind = "gate"
code = 9
name = { en = "Sluice gate", zh = "水闸" }
doc = "A gate in a canal."
interval_s = 60
heartbeat_s = 600
component_classes = ["0199"]
"""
METRICS = """[metrics.opening]
type = "real"
unit = "m"
range = [0, 5]
doc = "How far it is open."
[metrics.state]
type = "enum"
unit = ""
values = ["shut", "open"]
doc = "As the drive sees it."
"""
