"""Dead letters: messages that could not be applied, kept whole with the reason."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from broadstreet.model.errors import CorruptData


class DeadReason(StrEnum):
    """Why a message is dead."""

    NOT_JSON = "not JSON"
    UNKNOWN_FIELDS = "no known field"
    WRONG_TYPE = "wrong type"
    OUT_OF_RANGE = "out of range"
    BAD_TIME = "bad time"
    FUTURE = "future"
    UNKNOWN_DEVICE = "unknown device"
    CORRUPT_PACK = "corrupt pack"


class DeadLetter(msgspec.Struct, array_like=True, frozen=True):
    """One message that could not be applied. (pack, entry) is the message's id; times are microseconds since 1970."""

    at_us: int
    tenant: str
    device: str
    """The device's id; empty where it is not known."""
    device_key: int
    reason: str
    detail: str
    topic: str
    payload: bytes
    received_us: int
    pack: bytes
    entry: int
    profile: str = ""
    """Name and version of the profile that failed, such as 'air-quality 3'."""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(DeadLetter)
_list_decoder = msgspec.msgpack.Decoder(list[DeadLetter])


def encode_dead(letter: DeadLetter) -> bytes:
    """One letter as MessagePack, as the stream DEAD holds it."""
    return _encoder.encode(letter)


def decode_dead(data: bytes) -> DeadLetter:
    """The inverse of encode_dead. Raises CorruptData."""
    try:
        return _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CorruptData(f"a dead letter cannot be read: {error}") from error


def encode_dead_list(letters: list[DeadLetter]) -> bytes:
    """Several letters, as an outbox row holds them."""
    return _encoder.encode(letters)


def decode_dead_list(data: bytes) -> list[DeadLetter]:
    """The inverse of encode_dead_list. Raises CorruptData."""
    try:
        return _list_decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CorruptData(f"a list of dead letters cannot be read: {error}") from error
