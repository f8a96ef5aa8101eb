"""Which hosts may be asked: names from a setting."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import urlsplit

from broadstreet.model.addresses import is_loopback
from broadstreet.model.errors import InvalidInput

DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_RULE: Final = re.compile(r"(?P<host>\*|(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(?::(?P<port>\d{1,5}))?")


@dataclass(frozen=True, slots=True)
class Hosts:
    """A rule: each of `names` is a host, `*.` before a domain for all below it, or `*`, with a port where it is bound
    to one. with_loopback: whether this machine itself may be asked as well."""

    names: tuple[tuple[str, int | None], ...] = ()
    with_loopback: bool = False

    @classmethod
    def parse(cls, text: str, where: str, *, with_loopback: bool = False) -> Self:
        """From names with commas or blanks between them. Raises InvalidInput."""
        names = []
        for word in text.lower().replace(",", " ").split():
            found = _RULE.fullmatch(word)
            if found is None or int(found["port"] or 1) not in range(1, 65_536):
                raise InvalidInput(
                    f"{word[:80]!r} names no host",
                    where=where,
                    remedy="Write names such as example.org, *.example.org, 10.0.0.5:8080 or *.",
                )
            names.append((found["host"].strip("[]"), int(found["port"]) if found["port"] else None))
        return cls(tuple(names), with_loopback)

    def allows(self, url: str) -> bool:
        """Whether this address may be asked: by HTTP or HTTPS, without a user in it."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            return False
        if parts.scheme not in DEFAULT_PORTS or not host or parts.username is not None:
            return False
        return self.names_host(host, port or DEFAULT_PORTS[parts.scheme])

    def names_host(self, host: str, port: int) -> bool:
        """Whether this host may be asked at this port."""
        host = host.rstrip(".").lower()
        if self.with_loopback and (host == "localhost" or is_loopback(host)):
            return True
        return any(only in (None, port) and _names(name, host) for name, only in self.names)


def _names(rule: str, host: str) -> bool:
    return rule in ("*", host) or (rule.startswith("*.") and host.endswith(rule[1:]))


NOBODY: Final = Hosts()
LOOPBACK: Final = Hosts(with_loopback=True)
