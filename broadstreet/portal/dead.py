"""Dead letters: messages that could not be applied, kept whole, with the reason."""

from __future__ import annotations

from typing import Final

import msgspec

from broadstreet.log import Log
from broadstreet.model.clock import format_rfc3339

MAX_LETTERS: Final = 500
MAX_PAYLOAD: Final = 2_000
"""Bytes of a payload that are shown."""


class LetterView(msgspec.Struct, frozen=True):
    """One dead letter. device: its id, null where it is not known; payload: as text, cut where it is long."""

    at: str
    device: str | None
    reason: str
    detail: str | None
    payload: str


async def letters_view(log: Log, tenant: str, limit: int) -> list[LetterView]:
    """A tenant's dead letters, newest first."""
    return [
        LetterView(
            format_rfc3339(letter.at_us),
            letter.device or None,
            letter.reason,
            letter.detail or None,
            letter.payload[:MAX_PAYLOAD].decode(errors="replace"),
        )
        for letter in await log.dead_letters(tenant, limit)
    ]
