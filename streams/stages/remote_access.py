"""Where `remote` listens, and who may connect."""

import ipaddress
import re
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from streams.contract.errors import SettingError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_LISTEN = re.compile(r"(?:\[([0-9a-fA-F:]+)\]|([^\s:\[\]]+)):([0-9]{1,5})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """address: (host, port), port 0 is any free one. allow: networks. cert, key, ca: PEM files, "" is no TLS."""

    address: tuple[str, int]
    allow: tuple[Network, ...]
    cert: str = ""
    key: str = ""
    ca: str = ""

    def admits(self, host: str) -> bool:
        """Whether somebody may connect from this address."""
        try:
            address = ipaddress.ip_address(host.partition("%")[0])
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in self.allow)

    def tls(self) -> ssl.SSLContext | None:
        """The context for connections, which asks clients for a certificate; None without TLS.

        Raises SettingError for files that cannot be used.
        """
        if not self.cert:
            return None
        for name, path in (("cert", self.cert), ("key", self.key), ("ca", self.ca)):
            if not Path(path).is_file():
                raise SettingError(f"remote: {name} {path!r}: no such file")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.verify_mode = ssl.CERT_REQUIRED
        try:
            context.load_cert_chain(self.cert, self.key)
            context.load_verify_locations(self.ca)
        except (ssl.SSLError, OSError) as error:
            raise SettingError(f"remote: cert {self.cert!r}, key {self.key!r}, ca {self.ca!r}: {error}") from error
        return context


def parse_listen(text: str) -> tuple[str, int] | None:
    """(host, port) of host:port or [address]:port; None for anything else."""
    found = _LISTEN.fullmatch(text)
    return (found[1] or found[2], int(found[3])) if found and int(found[3]) <= 65535 else None


def networks(texts: Sequence[str]) -> tuple[Network, ...] | None:
    """The networks; None when one of the texts is none, or there are none."""
    try:
        return tuple(ipaddress.ip_network(text, strict=False) for text in texts) or None
    except ValueError:
        return None
