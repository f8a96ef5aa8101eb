"""What changed: the record that leaves the house through the outbox and the CHANGES stream.

One `ChangeBatch` is one committed transaction, in columns: all lists that describe attributes have the same length.
Consumers order and drop repetitions by (series, version).
"""

from __future__ import annotations

from enum import IntFlag
from typing import Any

import msgspec

from broadstreet.model.errors import CorruptData
from broadstreet.model.numbers import nearest_double


class Flag(IntFlag):
    """How an attribute changed."""

    CURRENT = 1
    """The value became the current one; without it the value went into the past only."""
    CREATED = 2
    """The attribute had no value before."""
    DELETED = 4
    """The attribute was deleted; `value` is None."""
    CORRECTED = 8
    """An observation of the same time had another value, which `old` holds."""
    ERASED = 16
    """Observations were taken out of the past; the present is as it was, and `value` is None."""


class EntityEvent(msgspec.Struct, array_like=True, frozen=True):
    """An entity came or went. operation: 'created', 'deleted' or 'types' (its types changed)."""

    key: int
    id: str
    types: list[str]
    operation: str


class ChangeBatch(msgspec.Struct, array_like=True):
    """One transaction's changes. Times are microseconds since 1970."""

    tenant: str
    origin_key: int
    kind: str
    """The origin's kind: pack, api, import, simulated, registry."""
    principal: str
    at_us: int
    series: list[int]
    version: list[int]
    as_of_us: list[int]
    value: list[Any]
    old: list[Any]
    flags: list[int]
    packs: list[bytes] = []
    """Ids of the packs applied in this transaction, where it was a recorder's."""
    pack: list[int] = []
    """For each change the index of its pack in `packs`; empty where there are none."""
    entry: list[int] = []
    """For each change the index of its message within its pack: (pack id, entry) is the message's id."""
    entities: list[EntityEvent] = []


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(ChangeBatch)


def encode_changes(batch: ChangeBatch) -> bytes:
    """The batch as MessagePack, which has whole numbers of 64 bits: larger ones leave as doubles."""
    try:
        return _encoder.encode(batch)
    except OverflowError:
        narrow = msgspec.structs.replace(batch, value=_narrow(batch.value), old=_narrow(batch.old))
        return _encoder.encode(narrow)


def _narrow(value: Any) -> Any:
    if isinstance(value, list):
        return [_narrow(one) for one in value]
    if isinstance(value, dict):
        return {name: _narrow(one) for name, one in value.items()}
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return nearest_double(value)
    return value


def decode_changes(data: bytes) -> ChangeBatch:
    """The inverse of encode_changes. Raises CorruptData for anything else."""
    try:
        return _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CorruptData(f"a record of changes cannot be read: {error}") from error
