"""When to ask: at two thirds of a certificate's life, at once where there is none; after a failure ever more seldom.

What failed is on disk, so that a house that is started again and again does not ask again and again.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable
from random import Random
from typing import Final

import msgspec
from cryptography import x509

from broadstreet.app.acme.order import Answers, obtain
from broadstreet.app.acme.shelf import Shelf, State
from broadstreet.app.acme.wanted import Wanted
from broadstreet.model.clock import US_PER_S, format_rfc3339
from broadstreet.model.errors import CertificateRefused, InvalidInput

DUE: Final = 2 / 3
"""How much of a certificate's life goes by before another one is asked for."""
SPREAD: Final = 1 / 30
"""So much of its life earlier at most, by the certificate's own number: so that not all of a city ask in one hour."""
FIRST_PAUSE_S: Final = 900.0
LAST_PAUSE_S: Final = 86_400.0
LOOK_EVERY_S: Final = 30.0
_log = logging.getLogger(__name__)


class Renewal:
    """Sees to the certificate of a house. answers: what the authority finds at the port without TLS."""

    def __init__(
        self,
        wish: Wanted,
        shelf: Shelf,
        answers: Answers,
        clock: Callable[[], int],
        chance: Random,
        ask: Callable[[Wanted, Shelf, Answers], Awaitable[None]] = obtain,
    ) -> None:
        self._wish = wish
        self._shelf = shelf
        self._answers = answers
        self._clock = clock
        self._chance = chance
        self._ask = ask

    async def run(self) -> None:
        """See to it until cancelled."""
        while True:
            if self.next_us() <= self._clock():
                await self.renew()
            await asyncio.sleep(LOOK_EVERY_S)

    def next_us(self) -> int:
        """When to ask next, in microseconds since 1970."""
        state, certificate = self._shelf.state(), self._shelf.certificate()
        is_ours = certificate is not None and state.obtained == self._wish.mark
        due = due_us(certificate) if is_ours and certificate is not None else 0
        return max(due, state.next_us) if state.asked == self._wish.mark else due

    async def renew(self) -> None:
        """Ask now. What goes wrong is logged and kept; the certificate that is there stays."""
        began_us, before = self._clock(), self._shelf.state()
        try:
            await self._ask(self._wish, self._shelf, self._answers)
        except (CertificateRefused, InvalidInput, OSError) as error:
            state = self._failed(before, began_us, error)
            self._shelf.keep_state(state)
            _log.error("no certificate for %s: %s", ", ".join(self._wish.names), error)
            _log.error("the authority is asked again after %s", format_rfc3339(state.next_us))
        else:
            self._shelf.keep_state(State(obtained=self._wish.mark, tried_us=began_us))
            _log.info("there is a new certificate for %s", ", ".join(self._wish.names))

    def _failed(self, before: State, now_us: int, error: CertificateRefused | InvalidInput | OSError) -> State:
        failures = before.failures + 1 if before.asked == self._wish.mark else 1
        pause_s = min(FIRST_PAUSE_S * 2 ** (failures - 1), LAST_PAUSE_S) * self._chance.uniform(1.0, 1.25)
        if isinstance(error, CertificateRefused):
            pause_s = max(pause_s, error.retry_after_s)
        words, remedy = (str(error), "") if isinstance(error, OSError) else (error.message, error.remedy or "")
        return msgspec.structs.replace(
            before,
            asked=self._wish.mark,
            failures=failures,
            tried_us=now_us,
            next_us=now_us + round(pause_s * US_PER_S),
            words=words,
            remedy=remedy,
        )


def due_us(certificate: x509.Certificate) -> int:
    """When a certificate is to be renewed, in microseconds since 1970."""
    begin_s, end_s = certificate.not_valid_before_utc.timestamp(), certificate.not_valid_after_utc.timestamp()
    digest = hashlib.sha256(str(certificate.serial_number).encode()).digest()
    share = DUE - SPREAD * int.from_bytes(digest[:4]) / 2**32
    return round((begin_s + (end_s - begin_s) * share) * US_PER_S)
