"""Every board, in the order in which they link to each other."""

from grafana.boards import alarms, bridge, cases, device, fume, health, manhole, noise, operations, streetlight

BOARDS = (
    operations.BOARD,
    manhole.BOARD,
    fume.BOARD,
    noise.BOARD,
    streetlight.BOARD,
    bridge.BOARD,
    device.BOARD,
    cases.BOARD,
    alarms.BOARD,
    health.BOARD,
)
