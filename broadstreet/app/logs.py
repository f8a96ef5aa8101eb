"""What the processes of a house write down of themselves: a line an event, as text or as JSON.

What belongs to one request carries its id: the client's own (`X-Request-Id`) if it is one, else a new one, which the
answer tells. Nothing that was sent is written down: secrets travel in headers, bodies and addresses.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final, Literal

import msgspec

from broadstreet.app.asgi import Application, Message, Receive, Send

Format = Literal["text", "json"]
TEXT: Final = "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s"
SECONDS: Final = "%Y-%m-%dT%H:%M:%S"
HEADER: Final = b"x-request-id"
ID: Final = re.compile(rb"[A-Za-z0-9._-]{8,64}")
ID_BYTES: Final = 8
_request: ContextVar[str] = ContextVar("request", default="")


class TextLines(logging.Formatter):
    """A line of text, with the request's id at its end."""

    converter = staticmethod(time.gmtime)

    def __init__(self) -> None:
        super().__init__(TEXT, SECONDS)

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        request = _request.get()
        return f"{super().format(record)} (request {request})" if request else super().format(record)


class JsonLines(logging.Formatter):
    """A JSON object a line: `at`, `level`, `role`, `logger`, `message`, and where there is one `request`, `trace`."""

    converter = staticmethod(time.gmtime)

    def __init__(self, role: str) -> None:
        super().__init__(datefmt=SECONDS)
        self._role = role

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        event = {
            "at": f"{self.formatTime(record, SECONDS)}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "role": self._role,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request := _request.get():
            event["request"] = request
        if record.exc_info:
            event["trace"] = self.formatException(record.exc_info)
        return msgspec.json.encode(event).decode()


def write_logs(role: str, form: Format) -> None:
    """Write this process's log to its standard error from now on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(role) if form == "json" else TextLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    # That PostgreSQL is away is said by the room that needs it, in a line; the driver adds a page to each.
    logging.getLogger("asyncpg").setLevel(logging.ERROR)


def with_request_ids(app: Application, random_bytes: Callable[[int], bytes] = os.urandom) -> Application:
    """An application whose requests have ids: in what is logged, and in the answer."""

    async def identified(scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == HEADER), b"")
        request = given if ID.fullmatch(given) else random_bytes(ID_BYTES).hex().encode()

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (HEADER, request)]
            await send(message)

        token = _request.set(request.decode())
        try:
            await app(scope, receive, tell)
        finally:
            _request.reset(token)

    return identified
