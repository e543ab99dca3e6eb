"""Writes the boards' JSON: ``python -m grafana``. The foundation SDK it needs is a dependency of development only."""

from grafana.boards import BOARDS
from grafana.building import write
from grafana.pushing import BOARDS_FOLDER

write(BOARDS, BOARDS_FOLDER)
