"""An HTTP body as items: JSON (an object or an array of objects) or NDJSON (an object a line).

Items are slices of the body, as they came: nothing is parsed further than to find where each ends, and, where a caller
sends for several devices, which device it names. What an item cannot be is rejected by itself, with its index.
"""

from __future__ import annotations

import msgspec
from msgspec import Raw, Struct

from broadstreet.gateway.bounds import MAX_ITEM_BYTES, MAX_ITEMS
from broadstreet.model.errors import InvalidInput, TooLarge, UnsupportedMediaType

JSON = "application/json"
NDJSON = "application/x-ndjson"
CSV = "text/csv"
NOT_AN_OBJECT = "it is not a JSON object"
TOO_LONG = f"it is longer than {MAX_ITEM_BYTES:,} bytes"


class Rejected(Struct, frozen=True):
    """An item that was not taken: its place in the body, from 0, and why."""

    index: int
    reason: str


class _Named(Struct):
    device: str


_NO_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What the decoders raise for bytes that are no JSON, or are nested too deeply."""
_raw_decoder = msgspec.json.Decoder(Raw)
_list_decoder = msgspec.json.Decoder(list[Raw])
_named_decoder = msgspec.json.Decoder(_Named)
_named_list_decoder = msgspec.json.Decoder(list[_Named])

Items = dict[int, bytes]
"""Items that may be taken, by their index."""


def kind_of(content_type: str) -> str:
    """A Content-Type without its parameters."""
    return content_type.partition(";")[0].strip().lower()


def split(body: bytes, content_type: str) -> tuple[Items, list[Rejected]]:
    """The items of a body. Raises UnsupportedMediaType, InvalidInput for what is no JSON at all, TooLarge."""
    kind = kind_of(content_type)
    if kind == JSON:
        found = _split_json(body)
    elif kind == NDJSON:
        found = [line.strip() for line in body.split(b"\n") if line.strip()]
    else:
        raise UnsupportedMediaType(
            f"{kind[:80]!r} is not a way to send readings",
            where="Content-Type",
            remedy=f"Send {JSON}, {NDJSON} or {CSV}.",
        )
    if len(found) > MAX_ITEMS:
        raise TooLarge(
            f"{len(found):,} items are more than {MAX_ITEMS:,}", where="body", remedy="Send them in several requests."
        )
    if max(map(len, found), default=0) <= MAX_ITEM_BYTES and _all_objects(found, is_checked=kind == JSON):
        return dict(enumerate(found)), []
    return _sift(found)


def _split_json(body: bytes) -> list[bytes]:
    try:
        if body.lstrip()[:1] == b"[":
            return [bytes(raw) for raw in _list_decoder.decode(body)]
        return [bytes(_raw_decoder.decode(body)).strip()]
    except _NO_JSON as error:
        raise InvalidInput(f"the body is not JSON: {error}", where="body") from None


def _all_objects(found: list[bytes], *, is_checked: bool) -> bool:
    """Whether all are JSON objects; lines, which nobody has parsed yet, are parsed as one array."""
    if any(item[:1] != b"{" for item in found):
        return False
    if is_checked:
        return True
    try:
        parsed = _list_decoder.decode(b"[" + b",".join(found) + b"]")
    except _NO_JSON:
        return False
    return len(parsed) == len(found) and all(map(bytes.__eq__, map(bytes, parsed), found))


def _sift(found: list[bytes]) -> tuple[Items, list[Rejected]]:
    """Look at each item by itself."""
    items: Items = {}
    rejected: list[Rejected] = []
    for index, item in enumerate(found):
        reason = _fault_of(item)
        if reason is None:
            items[index] = item
        else:
            rejected.append(Rejected(index, reason))
    return items, rejected


def _fault_of(item: bytes) -> str | None:
    if len(item) > MAX_ITEM_BYTES:
        return TOO_LONG
    try:
        _raw_decoder.decode(item)
    except _NO_JSON as error:
        return f"it is not JSON: {error}"
    return None if item[:1] == b"{" else NOT_AN_OBJECT


def by_device(items: Items) -> tuple[dict[str, list[int]], list[Rejected]]:
    """The indices of items by the device that each names in its field `device`."""
    devices: dict[str, list[int]] = {}
    rejected: list[Rejected] = []
    try:
        named = _named_list_decoder.decode(b"[" + b",".join(items.values()) + b"]")
    except _NO_JSON:
        for index, item in items.items():
            try:
                devices.setdefault(_named_decoder.decode(item).device, []).append(index)
            except _NO_JSON as error:
                rejected.append(Rejected(index, f"it does not name its device: {error}"))
    else:
        for index, one in zip(items, named, strict=True):
            devices.setdefault(one.device, []).append(index)
    return devices, rejected
