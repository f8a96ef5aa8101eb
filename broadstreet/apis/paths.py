"""Paths whose parts hold a slash: an attribute's IRI or an entity's URL, percent-encoded as one part of a path.

A server hands on the path decoded, in which such a slash can no longer be told from one that separates. Where the path
came encoded, its parts are decoded one by one, and what would be taken for more than itself (`/` and `%`) stays
encoded; `unquote` in a handler gives the part as it was meant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from litestar import Litestar

if TYPE_CHECKING:
    from litestar.types import LifeSpanReceive, LifeSpanScope, LifeSpanSend, Receive, Scope, Send

ENCODED_BELOW: Final = "/ngsi-ld/"
"""Where handlers take parts that are still encoded."""


def keep_encoded(raw_path: bytes) -> str:
    """The path, decoded but for slashes and percent signs within its parts."""
    parts = raw_path.decode("ascii", errors="replace").split("/")
    return "/".join(unquote(part).replace("%", "%25").replace("/", "%2F") for part in parts)


class Application(Litestar):
    """Litestar, with such paths kept in their parts."""

    async def __call__(
        self, scope: Scope | LifeSpanScope, receive: Receive | LifeSpanReceive, send: Send | LifeSpanSend
    ) -> None:
        """The application's entry point."""
        if scope["type"] != "lifespan" and scope["path"].startswith(ENCODED_BELOW):
            raw_path = scope.get("raw_path")
            if raw_path and b"%" in raw_path:
                scope["path"] = keep_encoded(raw_path.split(b"?")[0])
        await super().__call__(scope, receive, send)
