"""What names one instance of an attribute over time (instanceId, 4.5.7 and 4.5.8 of the standard).

A name is made of what tells an observation from all others: a digest of the entity's id, the attribute's name and its
datasetId, then the moment, then which of that moment's observations it is. So it is read back without being kept
anywhere, is the same wherever the observation lies, and tells no key of the house.
"""

from __future__ import annotations

import struct
from hashlib import blake2b
from typing import Final

import msgspec

from broadstreet.model.errors import NotFound
from broadstreet.model.identifiers import check_uri

PREFIX: Final = "urn:ngsi-ld:instance:"
_MARK_BYTES: Final = 8
_PLACE: Final = struct.Struct(">qh")


class InstanceName(msgspec.Struct, frozen=True):
    """A name read back. mark: which series it is of, as `mark_of` says."""

    mark: str
    observed_at_us: int
    n: int


def mark_of(entity_id: str, name: str, dataset_id: str) -> str:
    """What stands for a series in the names of its instances."""
    text = "\x00".join((entity_id, name, dataset_id))
    return blake2b(text.encode(), digest_size=_MARK_BYTES).hexdigest()


def instance_id(mark: str, observed_at_us: int, n: int) -> str:
    """The name of an instance of a series."""
    return f"{PREFIX}{mark}{_PLACE.pack(observed_at_us, n).hex()}"


def parse_instance_id(text: str) -> InstanceName:
    """The inverse. Raises InvalidInput for what is no URI, NotFound for one that was never given to an instance."""
    opaque = check_uri(text, "instanceId").removeprefix(PREFIX)
    digits = 2 * (_MARK_BYTES + _PLACE.size)
    if not text.startswith(PREFIX) or len(opaque) != digits or not set(opaque) <= set("0123456789abcdef"):
        raise no_such_instance()
    return InstanceName(opaque[: 2 * _MARK_BYTES], *_PLACE.unpack(bytes.fromhex(opaque[2 * _MARK_BYTES :])))


def no_such_instance() -> NotFound:
    """What is said of an instance that is not there."""
    return NotFound("the attribute has no such instance", where="instanceId")
