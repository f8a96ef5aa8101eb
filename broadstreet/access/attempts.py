"""How often somebody tried to sign in lately: counted before anything is looked at, in fixed windows.

An attempt with a name counts under three subjects: account and address together, the address, the account. The first
bound stops guessing, the second a list of names from one place, the third many places against one name. An attempt
that succeeds clears what it was counted under.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from broadstreet.model.clock import US_PER_S
from broadstreet.model.errors import TooMany
from broadstreet.store import Database, load_queries

if TYPE_CHECKING:
    from broadstreet.store.database import Connection

WINDOW_US: Final = 15 * 60 * US_PER_S
MAX_PER_PAIR: Final = 10
MAX_PER_ADDRESS: Final = 50
MAX_PER_ACCOUNT: Final = 200
MAX_CODES: Final = 10
"""Of one account: who comes so far has the password already."""
IPV6_SITE_BITS: Final = 64
MAX_PLACE_LENGTH: Final = 64
assert MAX_PER_PAIR < MAX_PER_ADDRESS < MAX_PER_ACCOUNT
Subject = tuple[str, int]
"""What an attempt is counted under, with its bound."""
_SQL = load_queries("token")


class Attempts:
    """Counted over all processes of the house."""

    def __init__(self, control: Database, clock: Callable[[], int]) -> None:
        self._control = control
        self._clock = clock

    async def count(self, subjects: Iterable[Subject]) -> None:
        """Count an attempt under each subject. Raises TooMany where one is over its bound."""
        now_us = self._clock()
        over_us = 0
        async with self._control.transaction() as connection:
            await connection.execute(_SQL["prune_attempts"], now_us - WINDOW_US)
            for subject, bound in subjects:
                row = await connection.fetchrow(_SQL["count_attempt"], subject, now_us, now_us - WINDOW_US)
                assert row is not None
                if row["attempts"] > bound:
                    over_us = max(over_us, row["since"] + WINDOW_US - now_us)
        if over_us > 0:
            minutes = -(-over_us // (60 * US_PER_S))
            raise TooMany(
                "too many attempts to sign in",
                remedy=f"Try again in {minutes} minute{'s' if minutes != 1 else ''}.",
                retry_after_s=-(-over_us // US_PER_S),
            )

    async def forgive(self, subjects: Iterable[Subject], within: Connection | None = None) -> None:
        """Clear what was counted; inside the caller's transaction, if one is given."""
        await (within or self._control).execute(_SQL["forgive_attempts"], [name for name, _ in subjects])


def by_name(account: str, address: str) -> list[Subject]:
    """The subjects of an attempt with a name, in one order so that two attempts never deadlock."""
    place = place_of(address)
    return [
        (f"account:{account}", MAX_PER_ACCOUNT),
        (f"address:{place}", MAX_PER_ADDRESS),
        (f"pair:{account} {place}", MAX_PER_PAIR),
    ]


def by_place(address: str) -> list[Subject]:
    """The subject of an attempt that names nobody."""
    return [(f"address:{place_of(address)}", MAX_PER_ADDRESS)]


def by_code(account: str) -> list[Subject]:
    """The subject of an attempt to give a code."""
    return [(f"code:{account}", MAX_CODES)]


def place_of(address: str) -> str:
    """One caller's address: an IPv6 caller has a whole /64 to choose from, and counts as one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:MAX_PLACE_LENGTH]
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is None:
        return str(ipaddress.ip_network((parsed, IPV6_SITE_BITS), strict=False))
    return str(parsed)
