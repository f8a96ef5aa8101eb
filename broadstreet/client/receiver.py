"""An address on this machine that takes notifications, for as long as a notebook listens.

    with Receiver() as told:
        city.subscribe(type="Streetlight", to=told.address)
        for entity in told.next():
            ...

What came is kept until it is asked for. Where nobody asks for long, the house is told to come again, which it does.
"""

from __future__ import annotations

import logging
import queue
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self

import msgspec

from broadstreet.client.entity import Entity
from broadstreet.model.errors import Unavailable

MAX_WAITING: Final = 1_000
"""Notifications that wait to be asked for."""
MAX_BODY_BYTES: Final = 32 * 1024 * 1024


class _Notification(msgspec.Struct):
    data: list[dict[str, Any]] | dict[str, Any] = []

    def entities(self) -> list[Entity]:
        """What it tells of."""
        return [Entity(one) for one in (self.data if isinstance(self.data, list) else [self.data])]


_log: Final = logging.getLogger(__name__)
_notifications: Final = msgspec.json.Decoder(_Notification)


class Receiver:
    """Listens until `close`, or to the end of a `with`."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0, *, max_waiting: int = MAX_WAITING) -> None:
        """host: by which the house reaches this machine; port: 0 for any that is free."""
        came: queue.Queue[list[Entity]] = queue.Queue(max_waiting)

        class Taker(BaseHTTPRequestHandler):
            """One notification."""

            def do_POST(self) -> None:
                """Take it, or say why not."""
                self.send_response(_taken(self.rfile.read(_length(self.headers)), came))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """To the log: a notebook shows what is asked for, and no more."""
                _log.debug(format, *args)

        self._came = came
        self._server = ThreadingHTTPServer((host, port), Taker)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.address = f"http://{host}:{self._server.server_port}/told"
        """What a subscription is given as `to`."""

    def next(self, within_s: float = 30.0) -> list[Entity]:
        """The entities of the next notification. Raises Unavailable where none comes in this time."""
        try:
            return self._came.get(timeout=within_s)
        except queue.Empty:
            raise Unavailable(
                f"nothing was told to {self.address} within {within_s:g} s",
                remedy="Look at the subscription: it says how often it was told, and why that failed.",
            ) from None

    def close(self) -> None:
        """Listen no longer. Done twice, it is done once."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _length(headers: Any) -> int:
    """How many bytes of a body are read."""
    said = headers.get("Content-Length", "0")
    return min(int(said), MAX_BODY_BYTES) if said.isdecimal() else 0


def _taken(body: bytes, came: queue.Queue[list[Entity]]) -> HTTPStatus:
    """What is answered to a body."""
    try:
        came.put_nowait(_notifications.decode(body).entities())
    except (msgspec.DecodeError, UnicodeDecodeError):
        return HTTPStatus.BAD_REQUEST
    except queue.Full:
        return HTTPStatus.SERVICE_UNAVAILABLE
    return HTTPStatus.NO_CONTENT
