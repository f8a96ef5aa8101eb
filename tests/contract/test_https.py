"""HTTPS with a certificate of one's own: served, renewed without an end, refused in words; plain HTTP is sent on."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from broadstreet.app import http
from broadstreet.app.http import serve_http
from broadstreet.app.role import Call
from broadstreet.app.tls import TlsFiles
from broadstreet.engines import DataFolder
from broadstreet.model.errors import InvalidInput
from tests.contract.certificates import write_certificate
from tests.contract.https_site import application, serial_at, served, until

FreePort = Callable[[], int]


def trusting(tls: TlsFiles) -> httpx.AsyncClient:
    """A client that trusts this certificate alone."""
    return httpx.AsyncClient(verify=ssl.create_default_context(cafile=tls.certificate))


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
    told: list[str] = []

    async def counting(scope: Any, receive: Any, send: Any) -> None:
        """The application, which also notes when it begins and ends."""

        async def noted() -> Any:
            message = await receive()
            told.append(message["type"])
            return message

        await application(scope, noted if scope["type"] == "lifespan" else receive, send)

    async with served(data_dir, tls, port, 0, app=counting):
        assert await serial_at(port) == 1
        tls.key.write_bytes(b"no key")
        await until(lambda: "is not used" in caplog.text)
        assert await serial_at(port) == 1
        write_certificate(data_dir, 2)
        await until(lambda: "serving with the new" in caplog.text)
        assert await serial_at(port) == 2
        async with trusting(tls) as client:
            assert (await client.get(f"https://127.0.0.1:{port}/")).text == "https"
        assert told == ["lifespan.startup"], "it goes on, whoever serves it"
    assert told == ["lifespan.startup", "lifespan.shutdown"]


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
