"""Where the house stands on the web, as browsers see it: what a passkey is bound to.

A passkey belongs to a domain, and browsers give it out over HTTPS alone (WebAuthn Level 3, section 5.1.2); a
developer's own machine, by the name `localhost`, is the exception that the standard makes.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from broadstreet.model.addresses import is_loopback
from broadstreet.model.errors import OperationNotSupported

LOCAL: Final = "localhost"
DEFAULT_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Site:
    """A place for passkeys. origin: as browsers write it; domain: the standard's relying-party id."""

    origin: str
    domain: str


def passkey_site(address: str, *, is_set: bool) -> Site:
    """
    The site of the house at an address such as `https://city.example`.

    is_set: whether the house was told its address (`http.origin`), or a request says it; that is believed of localhost.
    Raises OperationNotSupported, saying for a person why there can be no passkeys there.
    """
    parts = urlsplit(address)
    host = (parts.hostname or "").rstrip(".")
    if _is_number(host):
        raise OperationNotSupported(
            f"a passkey belongs to a name, and this page is reached by the number {host}",
            remedy="Open the portal by its name over HTTPS; on this machine itself, as localhost.",
        )
    is_here = host == LOCAL or host.endswith(f".{LOCAL}")
    if parts.scheme != "https" and not is_here:
        raise OperationNotSupported(
            "browsers give out passkeys over HTTPS alone, and this page came over HTTP",
            remedy="Serve the portal over HTTPS, and say its address in the setting http.origin.",
        )
    if not is_set and not is_here:
        raise OperationNotSupported(
            "the house does not know by which address it is reached, and passkeys are bound to that",
            remedy="Say it in the setting http.origin.",
        )
    port = "" if parts.port in (None, DEFAULT_PORTS.get(parts.scheme)) else f":{parts.port}"
    return Site(f"{parts.scheme}://{host}{port}", host)


def is_local(host: str) -> bool:
    """Whether a host is this machine itself, by name or number."""
    return host == LOCAL or host.endswith(f".{LOCAL}") or is_loopback(host)


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return not host
    return True
