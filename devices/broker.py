"""Where the MQTT broker is, and who we are to it: what every side that speaks MQTT must know."""

import ssl
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import quote, unquote, urlsplit

DEFAULT_PORT, DEFAULT_TLS_PORT = 1883, 8883  # as registered with IANA
_WRONG = (
    "the URL of a broker is mqtt://[user[:password]@]host[:port], or mqtts:// for TLS; "
    "special characters of user and password percent-encoded"
)
_PORTS = {"mqtt": DEFAULT_PORT, "mqtts": DEFAULT_TLS_PORT}
# What OpenSSL finds wrong with a certificate, by the numbers of its verification.
_EXPIRED, _NOT_YET_VALID, _HOST_MISMATCH, _ADDRESS_MISMATCH = 10, 9, 62, 64
_UNKNOWN_AUTHORITY = (18, 19, 20, 21)


@dataclass(frozen=True, slots=True)
class Broker:
    """A broker's address and our credentials, both empty where it asks for none; ``tls``: encrypted."""

    host: str
    port: int = DEFAULT_PORT
    username: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False

    @classmethod
    def parse(cls, url: str) -> Self:
        """From ``mqtt://[user[:password]@]host[:port]``, or ``mqtts://``.

        Raises:
            ValueError: saying what the URL should look like, without repeating its password.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:  # brackets or a port that make no sense; its message may hold a piece of the password
            raise ValueError(_WRONG) from None
        if parts.scheme not in _PORTS or not host:
            raise ValueError(_WRONG)
        username, password = unquote(parts.username or ""), unquote(parts.password or "")
        return cls(host, port or _PORTS[parts.scheme], username, password, tls=parts.scheme == "mqtts")

    @property
    def url(self) -> str:
        """What ``parse`` reads, password included."""
        login = f"{quote(self.username, safe='')}:{quote(self.password, safe='')}@" if self.username else ""
        return f"{'mqtts' if self.tls else 'mqtt'}://{login}{self}"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host  # an IPv6 address
        return f"{host}:{self.port}"


def tls_problem(error: BaseException) -> str:
    """Why a connection did not come about; where a certificate is the reason, which setting has to do with it."""
    # Libraries say less than the error that they were handling.
    found = error if isinstance(error, ssl.SSLError) else error.__context__
    if not isinstance(found, ssl.SSLCertVerificationError):
        return str(error)
    match found.verify_code:
        case code if code in _UNKNOWN_AUTHORITY:
            return "the broker's certificate is not signed by an authority in the setting broker_ca"
        case code if code in {_HOST_MISMATCH, _ADDRESS_MISMATCH}:
            return "the broker's certificate is for another host; correct the host in broker_url, or the certificate"
        case code if code in {_EXPIRED, _NOT_YET_VALID}:
            return f"the broker's certificate is not valid today ({found.verify_message})"
        case _:
            return f"the broker's certificate is refused: {found.verify_message}"
