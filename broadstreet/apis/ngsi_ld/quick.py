"""One entity by its id, as it is: the request that is made most, answered without the framework around it.

That way costs half of what the other does. Whatever asks for more (a parameter, another format, an @context, an
earlier version), and whatever goes wrong, is left to the handler that knows all of it, `retrieve_entity`: nothing was
sent by then, and nothing changed. Who may read is decided by the same guard with that handler's own demand, and the
answer is counted and has the headers of every other.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import asyncpg
from litestar.connection import ASGIConnection

from broadstreet.apis.guard import Guard
from broadstreet.apis.headers import secure
from broadstreet.apis.metrics import Metrics
from broadstreet.apis.ngsi_ld.entities import entity_id_of, retrieve_entity
from broadstreet.apis.ngsi_ld.exchange import JSON, context_header
from broadstreet.context import CORE, Broker, Presentation
from broadstreet.model.errors import BroadstreetError

if TYPE_CHECKING:
    from litestar.types import HTTPResponseStartEvent, HTTPScope, Receive, Send

PATH: Final = "/ngsi-ld/v1/entities/"
ROUTE: Final = "/ngsi-ld/v1/entities/{entity_id:str}"
"""As it is counted."""
_ACCEPTED: Final = frozenset({b"", b"*/*", JSON.encode()})
_FOR_THE_OTHER: Final = (b"link", b"prefer")
_PRESENTATION: Final = Presentation(CORE)
_FAULTS: Final = (BroadstreetError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError)
_HEADERS: Final = ((b"content-type", JSON.encode()), (b"link", context_header(CORE).encode()))


class QuickRetrieval:
    """`GET /entities/{id}` and no more. Make one an application."""

    def __init__(self, broker: Broker, guard: Guard, metrics: Metrics) -> None:
        self._broker = broker
        self._guard = guard
        self._metrics = metrics

    async def answer(self, scope: HTTPScope, headers: dict[bytes, bytes], receive: Receive, send: Send) -> bool:
        """Answer a request, if it is one; whether it was answered. headers: the request's, names in small letters."""
        path = scope["path"]
        if not path.startswith(PATH) or scope["query_string"] or "/" in path[len(PATH) :]:
            return False
        if headers.get(b"accept", b"") not in _ACCEPTED or any(name in headers for name in _FOR_THE_OTHER):
            return False
        began_s = time.perf_counter()
        try:
            connection: ASGIConnection[Any, Any, Any, Any] = ASGIConnection(scope, receive, send)
            await self._guard(connection, retrieve_entity)
            principal = scope["user"]
            row = await self._broker.retrieve(principal, entity_id_of(path[len(PATH) :]))
            written = await self._broker.written(principal, [row], _PRESENTATION)
        except _FAULTS:
            return False
        if written is None:
            return False
        body = written[0].encode()
        start: HTTPResponseStartEvent = {
            "type": "http.response.start",
            "status": 200,
            "headers": [*_HEADERS, (b"content-length", b"%d" % len(body))],
        }
        await secure(start, scope)
        self._metrics.count("GET", ROUTE, 200, time.perf_counter() - began_s)
        await send(start)
        await send({"type": "http.response.body", "body": body, "more_body": False})
        return True
