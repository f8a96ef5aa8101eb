"""A server of HTTPS for tests: an application that says how it was reached, and the port without TLS beside it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from cryptography import x509

from broadstreet.apis.headers import secure
from broadstreet.app.asgi import Application
from broadstreet.app.http import NONE, serve_http
from broadstreet.app.role import Call
from broadstreet.app.tls import TlsFiles
from broadstreet.engines import DataFolder

PATIENCE_S = 30.0


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Says by what scheme it was asked, with our headers."""
    if scope["type"] == "lifespan":
        for what in ("startup", "shutdown"):
            assert (await receive())["type"] == f"lifespan.{what}"
            await send({"type": f"lifespan.{what}.complete"})
        return
    start: Any = {"type": "http.response.start", "status": 200, "headers": []}
    await secure(start, scope)
    await send(start)
    await send({"type": "http.response.body", "body": scope["scheme"].encode()})


@asynccontextmanager
async def served(
    folder: Path,
    tls: TlsFiles,
    port: int,
    plain: int,
    origin: str = "",
    answers: Mapping[str, str] = NONE,
    app: Application = application,
) -> AsyncIterator[None]:
    """The application behind TLS, ready; it is told to stop at the end."""
    house = DataFolder(folder)
    house.prepare()
    (folder / "run" / "api.said").unlink(missing_ok=True)
    call = Call("api", house)
    serving = asyncio.create_task(
        serve_http(app, "127.0.0.1", port, call, tls=tls, redirect_port=plain, origin=origin, answers=answers)
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not (folder / "run" / "api.said").exists():
                assert not serving.done(), serving.result()
                await asyncio.sleep(0.01)
        yield
    finally:
        call.stopping.set()
        await serving


async def serial_at(port: int) -> int:
    """The serial number of the certificate that is shown at a port."""
    shown = await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", port))
    return x509.load_pem_x509_certificate(shown.encode()).serial_number


async def until(true: Callable[[], bool]) -> None:
    """Wait for something to become true."""
    for _ in range(int(PATIENCE_S / 0.02)):
        if true():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it never became true")
