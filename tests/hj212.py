"""HJ 212 frames as an instrument writes them: the checksum bit by bit, as annex A of the standard describes it."""


def checksum(data: bytes) -> int:
    register = 0xFFFF
    for byte in data:
        register = (register >> 8) ^ byte
        for _ in range(8):
            lowest = register & 1
            register >>= 1
            if lowest:
                register ^= 0xA001
    return register


def frame(data: str) -> bytes:
    raw = data.encode()
    return b"##%04d%b%04X\r\n" % (len(raw), raw, checksum(raw))
