"""HTTPS with a certificate of one's own: served, renewed without an end, refused in words; plain HTTP is sent on."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509

from broadstreet.apis.headers import secure
from broadstreet.app import http
from broadstreet.app.http import serve_http
from broadstreet.app.role import Call
from broadstreet.app.tls import TlsFiles
from broadstreet.engines import DataFolder
from broadstreet.model.errors import InvalidInput
from tests.contract.certificates import write_certificate

FreePort = Callable[[], int]
PATIENCE_S = 30.0


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Says by what scheme it was asked, with our headers."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    start: Any = {"type": "http.response.start", "status": 200, "headers": []}
    await secure(start, scope)
    await send(start)
    await send({"type": "http.response.body", "body": scope["scheme"].encode()})


@asynccontextmanager
async def served(folder: Path, tls: TlsFiles, port: int, plain: int, origin: str = "") -> AsyncIterator[None]:
    """The application behind TLS, ready; it is told to stop at the end."""
    house = DataFolder(folder)
    house.prepare()
    (folder / "run" / "api.said").unlink(missing_ok=True)
    call = Call("api", house)
    serving = asyncio.create_task(
        serve_http(application, "127.0.0.1", port, call, tls=tls, redirect_port=plain, origin=origin)
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


def trusting(tls: TlsFiles) -> httpx.AsyncClient:
    """A client that trusts this certificate alone."""
    return httpx.AsyncClient(verify=ssl.create_default_context(cafile=tls.certificate))


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


async def test_it_is_served_over_tls(data_dir: Path, free_port: FreePort) -> None:
    tls, port, plain = write_certificate(data_dir, 1), free_port(), free_port()
    async with served(data_dir, tls, port, plain), trusting(tls) as client:
        answer = await client.get(f"https://127.0.0.1:{port}/")
        assert answer.text == "https"
        assert answer.headers["strict-transport-security"].startswith("max-age=")
        with pytest.raises(httpx.TransportError):
            await client.get(f"http://127.0.0.1:{port}/")


async def test_what_comes_without_tls_is_sent_on(data_dir: Path, free_port: FreePort) -> None:
    tls, port, plain = write_certificate(data_dir, 1), free_port(), free_port()
    async with served(data_dir, tls, port, plain), trusting(tls) as client:
        answer = await client.post(f"http://127.0.0.1:{plain}/a%20b?c=d%2F", content=b"body")
        assert answer.status_code == 308
        assert answer.headers["location"] == f"https://127.0.0.1:{port}/a%20b?c=d%2F"
        for host in ("evil.example/", "a b", 'x"y'):
            assert (await client.get(f"http://127.0.0.1:{plain}/", headers={"host": host})).status_code == 400
    async with served(data_dir, tls, port, plain, "https://city.example"), trusting(tls) as client:
        answer = await client.get(f"http://127.0.0.1:{plain}//evil.example/")
        assert answer.headers["location"] == "https://city.example//evil.example/"


async def test_a_renewed_certificate_is_taken_without_an_end(
    data_dir: Path, free_port: FreePort, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    monkeypatch.setattr(http, "LOOK_EVERY_S", 0.05)
    tls, port = write_certificate(data_dir, 1), free_port()
    async with served(data_dir, tls, port, 0):
        assert await serial_at(port) == 1
        tls.key.write_bytes(b"no key")
        await until(lambda: "is not used" in caplog.text)
        assert await serial_at(port) == 1
        write_certificate(data_dir, 2)
        await until(lambda: "serving with the new" in caplog.text)
        assert await serial_at(port) == 2
        async with trusting(tls) as client:
            assert (await client.get(f"https://127.0.0.1:{port}/")).text == "https"


async def test_a_certificate_that_cannot_be_used_is_refused(data_dir: Path, free_port: FreePort) -> None:
    tls = write_certificate(data_dir, 1, days=5)
    tls.check()
    assert tls.ends_us() > 0
    house = DataFolder(data_dir)
    house.prepare()
    tls.key.write_text(tls.certificate.read_text())
    with pytest.raises(InvalidInput, match="cannot be used"):
        await serve_http(application, "127.0.0.1", free_port(), Call("api", house), tls=tls)
    tls.certificate.unlink()
    assert tls.stamp() == ()
    with pytest.raises(InvalidInput, match="cannot be read"):
        tls.ends_us()
