"""Where a form or a link leads back to."""


def inside(place: str, otherwise: str = "/") -> str:
    """The path of ours that an address or a form names; ``otherwise`` for what would lead away from the console."""
    return place if place.startswith("/") and not place.startswith(("//", "/\\")) else otherwise
