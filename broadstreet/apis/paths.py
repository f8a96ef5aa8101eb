"""What the framework below does not see as NGSI-LD asks for it (6.3 of the standard): paths, lengths, the tenant.

A path's part may hold a slash: an attribute's IRI or an entity's URL, percent-encoded as one part. A server hands on
the path decoded, in which such a slash can no longer be told from one that separates. Where the path came encoded, its
parts are decoded one by one, and what would be taken for more than itself (`/` and `%`) stays encoded; `unquote` in a
handler gives the part as it was meant. A part that is empty stands as `_`, which names nothing: the handler says what
is missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast
from urllib.parse import unquote

from litestar import Litestar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from litestar.types import HTTPScope, LifeSpanReceive, LifeSpanScope, LifeSpanSend, Message, Receive, Scope, Send

    Quick = Callable[[HTTPScope, dict[bytes, bytes], Receive, Send], Awaitable[bool]]

NGSI_LD: Final = "/ngsi-ld/"
"""Where handlers take parts that are still encoded."""
ENTITIES: Final = "/ngsi-ld/v1/entities/"
TEMPORAL: Final = "/ngsi-ld/v1/temporal/entities/"
NOTHING: Final = "_"
TENANT: Final = b"ngsild-tenant"
LENGTH_REQUIRED: Final = 411


def keep_encoded(raw_path: bytes) -> str:
    """The path, decoded but for slashes and percent signs within its parts."""
    parts = raw_path.decode("ascii", errors="replace").split("/")
    return "/".join(unquote(part).replace("%", "%25").replace("/", "%2F") for part in parts)


class Application(Litestar):
    """Litestar, with such paths kept in their parts."""

    quick: Quick | None = None
    """What may answer a GET of NGSI-LD before the framework is asked, and says whether it did."""

    async def __call__(
        self, scope: Scope | LifeSpanScope, receive: Receive | LifeSpanReceive, send: Send | LifeSpanSend
    ) -> None:
        """The application's entry point."""
        if scope["type"] == "lifespan" or not scope["path"].startswith(NGSI_LD):
            await super().__call__(scope, receive, send)
            return
        asked = cast("HTTPScope", scope)
        raw_path = asked.get("raw_path")
        if raw_path and b"%" in raw_path:
            asked["path"] = keep_encoded(raw_path.split(b"?")[0])
        asked["path"] = _whole(asked["path"], asked["method"])
        headers = {name.lower(): value for name, value in asked["headers"]}
        sending = _echoing(headers.get(TENANT), cast("Send", send))
        if asked["method"] in ("POST", "PATCH", "PUT") and b"content-length" not in headers:
            await _refuse(sending)
            return
        quick = self.quick if asked["method"] == "GET" else None
        if quick is not None and await quick(asked, headers, cast("Receive", receive), sending):
            return
        await super().__call__(asked, cast("Receive", receive), sending)


def _whole(path: str, method: str) -> str:
    """A path in which what is left out has a place."""
    if path == ENTITIES and method in ("PATCH", "PUT"):
        return path + NOTHING
    if path.startswith(TEMPORAL) and method == "PATCH":
        path = path.replace("/attrs//", "/attrs/")  # an instance of no attribute is nothing that could be modified
    return path.replace("//", f"/{NOTHING}/") if "//" in path else path


def _echoing(tenant: bytes | None, send: Send) -> Send:
    """Sends an answer that says of which tenant it is, where the request did (6.3.14)."""

    async def echo(message: Message) -> None:
        if tenant is not None and message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], (TENANT, tenant)]
        await send(message)

    return echo


async def _refuse(send: Send) -> None:
    """411 without a body, as 6.3.4 asks for it before all else."""
    await send({"type": "http.response.start", "status": LENGTH_REQUIRED, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
