"""A webhook's body as a parcel: where its items are, and which device each is of."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import Raw

from broadstreet.devices import Webhook
from broadstreet.gateway.items import JSON, NDJSON, Items, Rejected, kind_of, split
from broadstreet.gateway.parcel import Parcel
from broadstreet.model.errors import InvalidInput

_UNNAMED: Final = "it does not name its device: there is no text at {field}"
_NO_JSON: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_object_decoder = msgspec.json.Decoder(dict[str, Raw])
_decode = msgspec.json.decode


def open_hook(webhook: Webhook, body: bytes, content_type: str) -> Parcel:
    """The items of a call. What is not called NDJSON is taken for JSON: services name it as they like.

    Raises InvalidInput, TooLarge.
    """
    is_lines = kind_of(content_type) == NDJSON
    within = _within(body, webhook.items_field) if webhook.items_field else body
    items, rejected = split(within, NDJSON if is_lines and not webhook.items_field else JSON)
    weights = {index: len(item) for index, item in items.items()}
    if webhook.device is not None:
        return Parcel(items, {webhook.device: list(items)} if items else {}, rejected, weights)
    devices = _by_field(items, webhook.device_field, rejected)
    return Parcel(items, devices, rejected, weights)


def _within(body: bytes, path: tuple[str, ...]) -> bytes:
    """What stands at a path of a JSON object, as it came."""
    found: bytes | Raw = body
    for part in path:
        try:
            inner = _object_decoder.decode(found).get(part)
        except _NO_JSON as error:
            raise InvalidInput(f"the body is not what the webhook expects: {error}", where="body") from None
        if inner is None:
            raise InvalidInput(
                "the body has nothing where the webhook's items are to be",
                where=".".join(path),
                remedy="Compare what the service sends with the webhook's items_field.",
            )
        found = inner
    return bytes(found)


def _by_field(items: Items, path: tuple[str, ...], rejected: list[Rejected]) -> dict[str, list[int]]:
    devices: dict[str, list[int]] = {}
    for index, item in items.items():
        named: Any = _decode(item)
        for part in path:
            named = named.get(part) if type(named) is dict else None
        if type(named) is str and named:
            devices.setdefault(named, []).append(index)
        else:
            rejected.append(Rejected(index, _UNNAMED.format(field=".".join(path))))
    return devices
