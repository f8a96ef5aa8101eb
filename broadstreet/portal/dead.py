"""Dead letters: messages that could not be applied, kept whole, with the reason and what to do about it."""

from __future__ import annotations

from typing import Final

import msgspec

from broadstreet.log import DeadLetter, DeadReason
from broadstreet.model.clock import format_rfc3339

MAX_PAYLOAD: Final = 2_000
"""Bytes of a payload that are shown."""
_REMEDIES: Final = {
    DeadReason.NOT_JSON: "Send one JSON object, or an array of them.",
    DeadReason.UNKNOWN_FIELDS: "Send fields that the profile names, or give the profile theirs.",
    DeadReason.WRONG_TYPE: "Send each field as the type that the profile gives it.",
    DeadReason.OUT_OF_RANGE: "Check the sensor and its unit, or widen the range in the profile.",
    DeadReason.BAD_TIME: "Send the time in the format that the profile names, or leave it out.",
    DeadReason.FUTURE: "Set the device's clock.",
    DeadReason.UNKNOWN_DEVICE: "Register the device.",
    DeadReason.CORRUPT_PACK: "Look at the disk and the memory of the machine that took it in.",
}


class LetterView(msgspec.Struct, frozen=True):
    """One dead letter.

    device: its id, null where it is not known; profile: name and version of the one that failed, null where none did;
    payload: as text, cut where it is long; remedy: what to do, null where nobody knows.
    """

    at: str
    device: str | None
    reason: str
    detail: str | None
    payload: str
    profile: str | None
    remedy: str | None


class Rejected(msgspec.Struct, frozen=True):
    """A device's dead letters. is_least: there may be more than counted, older ones were not looked through."""

    count: int
    is_least: bool
    newest: LetterView


def letter_view(letter: DeadLetter) -> LetterView:
    """A dead letter as pages show it."""
    return LetterView(
        format_rfc3339(letter.at_us),
        letter.device or None,
        letter.reason,
        letter.detail or None,
        letter.payload[:MAX_PAYLOAD].decode(errors="replace"),
        letter.profile or None,
        next((remedy for reason, remedy in _REMEDIES.items() if reason == letter.reason), None),
    )
