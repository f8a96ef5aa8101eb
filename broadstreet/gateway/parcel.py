"""What came in one request: items by their place in the body, by the device each is of, and what was not taken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from broadstreet.gateway.bounds import TARGET_PACK_BYTES
from broadstreet.gateway.items import Items, Rejected
from broadstreet.mqtt.decoder import MAX_RUN

MAX_BLOCK: Final = 2_000
"""Items of a block at most."""


class Receipt(msgspec.Struct, frozen=True):
    """What became of a body: how many items are kept, and which were not, by their index from 0."""

    accepted: int
    rejected: list[Rejected]


class Parcel(NamedTuple):
    """A request's items. weights: of each item that the body has, in bytes; the same whenever the body is read."""

    items: Items
    devices: dict[str, list[int]]
    rejected: list[Rejected]
    weights: dict[int, int]

    def runs(self, indices: list[int]) -> Iterator[tuple[list[int], int]]:
        """Indices in runs that fit into a pack, each with the bytes of its items."""
        run: list[int] = []
        run_bytes = 0
        for index in indices:
            size = len(self.items[index])
            if run and (run_bytes + size > TARGET_PACK_BYTES or len(run) >= MAX_RUN):
                yield run, run_bytes
                run, run_bytes = [], 0
            run.append(index)
            run_bytes += size
        if run:
            yield run, run_bytes

    def blocks(self) -> dict[int, int]:
        """The block of each item of the body: always the same, whichever of them are taken this time."""
        found: dict[int, int] = {}
        block, count, block_bytes = 0, 0, 0
        for index in sorted(self.weights):
            size = self.weights[index]
            if count and (block_bytes + size > TARGET_PACK_BYTES or count >= MAX_BLOCK):
                block, count, block_bytes = block + 1, 0, 0
            found[index] = block
            count, block_bytes = count + 1, block_bytes + size
        return found
