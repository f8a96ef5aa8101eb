"""A binary heap of items by key, in arrays that the caller holds, with keys that may fall while an item waits.

`heap` holds items, `place` says where in it an item stands (-1: it does not wait), `key` is the caller's: to lower an
item's key, write it and `push` the item again. Both arrays have room for every item; the size goes in and comes out.
"""

from __future__ import annotations

from broadstreet.optimiser.compiled import Ints, compiled


@compiled
def push(heap: Ints, place: Ints, key: Ints, size: int, item: int) -> int:
    """Let an item wait, or move it up after its key has fallen. The new size."""
    i = place[item]
    if i < 0:
        i = size
        size += 1
    mine = key[item]
    while i > 0:
        above = (i - 1) >> 1
        other = heap[above]
        if key[other] <= mine:
            break
        heap[i] = other
        place[other] = i
        i = above
    heap[i] = item
    place[item] = i
    return size


@compiled
def drop_first(heap: Ints, place: Ints, key: Ints, size: int) -> int:
    """Take away `heap[0]`, the item of least key. The new size."""
    size -= 1
    place[heap[0]] = -1
    if size == 0:
        return size
    item = heap[size]
    mine = key[item]
    i = 0
    while True:
        below = 2 * i + 1
        if below >= size:
            break
        if below + 1 < size and key[heap[below + 1]] < key[heap[below]]:
            below += 1
        other = heap[below]
        if key[other] >= mine:
            break
        heap[i] = other
        place[other] = i
        i = below
    heap[i] = item
    place[item] = i
    return size
