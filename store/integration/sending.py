"""Sending: one POST to an address of somebody else's choosing, and nothing that they could misuse.

The name is resolved once and the connection goes to the address that was looked at, so a name that
answers differently the next moment reaches nothing; private addresses are refused unless a setting
names their network; redirects are not followed; everything has a deadline.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

from ..errors import Invalid

__all__ = [
    "AddressRefused",
    "Answer",
    "Network",
    "SendFailed",
    "ask",
    "checked_url",
    "networks",
    "post",
]

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

TIMEOUT_S = 10.0
CONNECT_S = 4.0
# IPv6 addresses that carry an IPv4 address inside: NAT64 and 6to4.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class AddressRefused(Invalid):
    """The address is not one that the shop sends to. `field` is url."""

    code = "address_refused"
    title = "The shop does not send to this address"


class SendFailed(Exception):
    """No answer came: unreachable, cut, or too slow."""


def networks(setting: str) -> list[Network]:
    """The networks that a setting names, with commas. Raises ValueError."""
    return [ipaddress.ip_network(each.strip()) for each in setting.split(",") if each.strip()]


def checked_url(url: str, allowed: Iterable[Network]) -> str:
    """An address as it may be kept. Raises AddressRefused; what its name resolves to is looked at
    with every sending."""
    parts = _parts(url)
    host = str(parts.hostname)
    try:
        literal = ipaddress.ip_address(host)
    except ValueError:
        return url
    _refuse(literal, parts, list(allowed))
    return url


class Answer(NamedTuple):
    """What came back. Names of headers are in small letters."""

    status: int
    headers: dict[str, str]
    body: bytes


def post(url: str, body: bytes, headers: Mapping[str, str], allowed: Iterable[Network]) -> int:
    """Send; answers the HTTP status, whatever else is said. Raises AddressRefused, SendFailed."""
    return ask("POST", url, body, headers, allowed, most_bytes=0).status


def ask(
    method: str,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    allowed: Iterable[Network],
    *,
    most_bytes: int = 8 * 2**20,
) -> Answer:
    """Send, and read the answer up to a size. Raises AddressRefused, SendFailed."""
    parts, allowed = _parts(url), list(allowed)
    host = str(parts.hostname)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    address = _resolve(host, port, parts, allowed)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
    stop: threading.Timer | None = None
    try:
        sock = socket.create_connection((str(address), port), CONNECT_S)
        connection.sock = sock
        stop = threading.Timer(TIMEOUT_S, _cut, [sock])
        stop.daemon = True
        stop.start()
        sock.settimeout(TIMEOUT_S)
        if parts.scheme == "https":
            context = ssl.create_default_context()
            connection.sock = context.wrap_socket(sock, server_hostname=host)
        connection.request(method, path, body, dict(headers))
        answer = connection.getresponse()
        said = answer.read(most_bytes + 1) if most_bytes else b""
        if len(said) > most_bytes:
            raise SendFailed("The answer is too large")
        known = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, known, said)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise SendFailed(f"{type(error).__name__}: {error}"[:300]) from error
    finally:
        if stop is not None:
            stop.cancel()
        connection.close()


def _cut(sock: socket.socket) -> None:
    """At the deadline: an answer that comes a letter at a time would hold us for ever."""
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise AddressRefused("This is not an address", field="url") from None
    plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= 500
    if not plain or parts.scheme not in ("https", "http") or not parts.hostname or port == 0:
        raise AddressRefused("An address is like https://example.com/hooks", field="url")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise AddressRefused("An address has no name, password or # in it", field="url")
    return parts


def _resolve(host: str, port: int, parts: SplitResult, allowed: list[Network]) -> Address:
    """The one address that is spoken to. A name that also stands for a private one is refused."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise SendFailed(f"{host} is not found: {error}"[:300]) from error
    addresses = [ipaddress.ip_address(str(each[4][0]).partition("%")[0]) for each in found]
    if not addresses:
        raise SendFailed(f"{host} is not found")
    for address in addresses:
        _refuse(address, parts, allowed)
    return addresses[0]


def _refuse(address: Address, parts: SplitResult, allowed: list[Network]) -> None:
    real: Any = address
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            real = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        else:
            real = address.ipv4_mapped or address.sixtofour or address
    ours = any(real in network for network in allowed if network.version == real.version)
    if not ours and (not real.is_global or real.is_multicast or real.is_reserved):
        raise AddressRefused(f"{parts.hostname} is in a private network", field="url")
    if not ours and parts.scheme != "https":
        raise AddressRefused("Outside the shop's own network only https is sent to", field="url")
