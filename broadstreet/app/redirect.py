"""What a port without TLS says where there is one with it: come there. Nothing of a request is read but its address.

The one thing it says besides is what an authority asks there before it gives a certificate (RFC 8555, 8.3).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from broadstreet.app.asgi import Application, Receive, Send

HTTPS_PORT: Final = 443
HOST: Final = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:\d+)?")


def redirection(https_port: int, origin: str, answers: Mapping[str, str]) -> Application:
    """
    An application that sends every request to HTTPS, for good, by a redirect that keeps method and body.

    origin:  the portal's address as browsers see it; empty: as the request names the host.
    answers: what is said in place of that, by path.
    """

    async def redirect(scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            while (await receive())["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            await send({"type": "lifespan.shutdown.complete"})
            return
        if (answer := answers.get(scope["path"])) is not None:
            plain = [(b"content-type", b"application/octet-stream")]
            await send({"type": "http.response.start", "status": 200, "headers": plain})
            await send({"type": "http.response.body", "body": answer.encode()})
            return
        base = origin.encode() or _base(dict(scope["headers"]).get(b"host", b""), https_port)
        query = b"?" + scope["query_string"] if scope["query_string"] else b""
        path = scope.get("raw_path") or scope["path"].encode()
        if not base:
            await send({"type": "http.response.start", "status": 400, "headers": []})
        else:
            location = (b"location", base + path.partition(b"?")[0] + query)
            await send({"type": "http.response.start", "status": 308, "headers": [location]})
        await send({"type": "http.response.body", "body": b""})

    return redirect


def _base(host: bytes, https_port: int) -> bytes:
    """`https://` and the host as the request names it; empty for what is no host."""
    if (named := HOST.fullmatch(host)) is None:
        return b""
    return b"https://" + named[1] + (b"" if https_port == HTTPS_PORT else f":{https_port}".encode())
