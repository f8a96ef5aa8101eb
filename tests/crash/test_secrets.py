"""No secret is written down, whatever is sent and whatever fails: canaries are looked for in every log of a house."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest

from broadstreet.app.settings import LoggingSettings
from broadstreet.mqtt import Connect, Version, encode
from tests.crash.house import TrialHouse, free_port
from tests.crash.trial import register

CANARY = "canary-5b1f9e"
ADDRESSES = (
    f"/v1/hook/{CANARY}-hook",
    f"/portal/link/{CANARY}-link",
    f"/ngsi-ld/v1/entities?q={CANARY}-query",
    f"/{CANARY}-path",
)


async def sign_in_to_mqtt(port: int, client: str, secret: str) -> None:
    """Connect as a device would, with any secret, and say something that cannot be read."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    hello = Connect(client, Version.V5, clean_start=True, username=client, password=secret.encode())
    writer.write(encode(hello, Version.V5))
    await reader.read(100)
    writer.write(b"\xff" + CANARY.encode())
    await writer.drain()
    writer.close()


async def use(house: TrialHouse, device: str, secret: str) -> None:
    """Send canaries wherever a secret goes."""
    for shown in (f"{CANARY}-mqtt", secret):
        await sign_in_to_mqtt(house.settings.mqtt.port, device, shown)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{house.settings.http.port}") as client:
        for address in ADDRESSES:
            await client.post(address, content=f"{CANARY}-body")
            await client.get(address, headers={"authorization": f"Bearer {CANARY}-token"})
        login = {"name": f"{CANARY}-name", "password": f"{CANARY}-password"}
        await client.post("/portal/api/session", json=login)
        await client.post("/v1/readings", json={"v": f"{CANARY}-value"}, auth=(device, f"{CANARY}-secret"))
        answer = await client.post("/v1/readings", json={"v": 1.5}, auth=(device, secret))
        assert len(answer.headers["x-request-id"]) == 16


@pytest.mark.timeout(120)
async def test_no_secret_is_written_down(data_dir: Path) -> None:
    house = TrialHouse(data_dir / "data", free_port)
    house.settings = msgspec.structs.replace(house.settings, logging=LoggingSettings("json"))
    try:
        await house.up()
        device, *_ = await register(house.addresses.postgres_dsn)
        await use(house, device.id, device.secret)
        for engine in ("nats-server", "postgres"):
            await house.ready_but(await house.kill((engine,)))
        await use(house, device.id, device.secret)
        password = urlsplit(house.addresses.nats_url).password
    finally:
        await house.end()
    logs = {path.name: path.read_text() for path in (data_dir / "data" / "logs").iterdir()}
    logs["supervisor"] = (data_dir / "supervisor.log").read_text()
    assert password
    for name, text in logs.items():
        for secret in (CANARY, device.secret, password):
            assert secret not in text, name
    for role in ("api", "gateway", "recorder"):
        events = [json.loads(line) for line in logs[f"{role}.log"].splitlines()]
        assert events and all(event["role"] == role for event in events)
