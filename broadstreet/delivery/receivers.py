"""Where the house may deliver to: any address of the internet, and of its own network what a setting names.

What counts is the address that a connection is made to, not the name that led there: a name is looked up here, its
addresses are looked at, and one of those that may be reached is what the connection goes to. So no name leads inside,
however often it changes what it stands for.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

from broadstreet.delivery.hosts import DEFAULT_PORTS, NOBODY, Hosts
from broadstreet.delivery.lookup import look_up
from broadstreet.model.errors import NotAllowed, Unavailable

PORTS: Final = {**DEFAULT_PORTS, "mqtt": 1883, "mqtts": 8883}
"""Where receivers listen that do not say so."""
SETTING: Final = "ngsi_ld.receiver_hosts"

_NUMERIC: Final = re.compile(r"(?:^|\.)(?:\d+|0x[0-9a-f]*)\.?$|:", re.IGNORECASE)
"""The end of what a library may take for an address, such as 127.1 or 0x7f000001, without asking what it stands for."""
_TRANSLATED: Final = IPv6Network("64:ff9b::/96")
"""Addresses of IPv4 behind a translator (RFC 6052)."""
_UNICAST: Final = IPv6Network("2000::/3")
"""All of IPv6 that the internet has given out; what else there is stands for something else, or nothing."""


class NoSuchHost(Unavailable):
    """A name leads to no address."""


@dataclass(frozen=True, slots=True)
class Receivers:
    """The rule. inside: hosts that are no public addresses, and may be delivered to all the same."""

    inside: Hosts = NOBODY

    def check_literal(self, host: str, port: int) -> None:
        """Whether an address that is written out, or `localhost`, may be delivered to. Raises NotAllowed.

        A name says nothing yet: where it leads is seen when it is delivered to.
        """
        if host == "localhost" or _is_address(host):
            self._check("127.0.0.1" if host == "localhost" else host, host, port)
        elif _NUMERIC.search(host):
            raise NotAllowed(
                f"{host[:80]!r} is no address as it is written",
                where=host[:200],
                remedy="Write it in full, such as 192.0.2.10.",
            )

    async def addresses(self, host: str, port: int) -> list[tuple[str, socket.AddressFamily]]:
        """The addresses of a host that may be delivered to. Raises NotAllowed where none may, NoSuchHost."""
        try:
            found = await look_up(host, port)
        except OSError as error:
            raise NoSuchHost(f"{host[:200]} leads to no address: {error.strerror or error}") from None
        except UnicodeError:  # a label that is empty or too long
            raise NoSuchHost(f"{host[:200]} is no name of a host") from None
        allowed, refused = [], None
        for family, _, _, _, place in found:
            address = str(place[0])
            try:
                self._check(address, host, port)
            except NotAllowed as error:
                refused = error
            else:
                allowed.append((address, socket.AddressFamily(family)))
        if not allowed:
            raise refused or NoSuchHost(f"{host[:200]} leads to no address")
        return allowed

    def _check(self, address: str, host: str, port: int) -> None:
        if not is_public(address) and not self.inside.names_host(host, port):
            raise NotAllowed(
                f"{host[:200]} stands inside a network, where the house delivers to whom a setting names alone",
                where=host[:200],
                remedy=f"Let an administrator name it in the setting {SETTING}.",
            )


def is_public(address: str) -> bool:
    """Whether an address is one of the internet's."""
    parsed = ip_address(address.partition("%")[0])
    if isinstance(parsed, IPv6Address):
        # An IPv4 address may be written in several ways as one of IPv6, each of which may lead to it.
        inner = parsed.ipv4_mapped or parsed.sixtofour
        if inner is None and parsed in _TRANSLATED:
            inner = IPv4Address(int(parsed) & 0xFFFF_FFFF)
        if inner is not None:
            return inner.is_global and not inner.is_multicast
        if parsed not in _UNICAST:
            return False
    return parsed.is_global and not parsed.is_multicast


def _is_address(host: str) -> bool:
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
