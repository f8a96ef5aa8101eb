"""MQTT over TLS: spoken as without, handshakes bounded, certificates renewed while connections stand."""

from __future__ import annotations

import asyncio
import os
import ssl
import warnings
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest
from cryptography import x509

from broadstreet.apis import Services
from broadstreet.app import mqtt_tls
from broadstreet.app.edges import edges_of, write_edges
from broadstreet.app.listening import check_mqtt
from broadstreet.app.mqtt_tls import MqttTls, mqtt_tls_files
from broadstreet.app.settings import Http, Mqtt, Settings
from broadstreet.engines import DataFolder, Engines, HouseStatus, ProcessStatus, write_status
from broadstreet.gateway import secure_port
from broadstreet.model.errors import EngineFailed, InvalidInput, RoleFailed
from broadstreet.mqtt import Connect, Disconnect, PingReq, PingResp, Publish, Reason, Subscription, encode
from broadstreet.mqtt.client import Client
from tests.contract.certificates import write_certificate
from tests.contract.mqtt_site import ANSWER_S, POLL_S, POLLS, SECRET, V5, Site, open_gateway, open_site


@pytest.fixture
async def site(services: Services, engines: Engines, data_dir: Path) -> AsyncIterator[Site]:
    async with open_site(services, engines, data_dir) as opened:
        yield opened


@pytest.fixture
async def tls(site: Site, data_dir: Path) -> MqttTls:
    """The site's gateway listens over TLS as well."""
    shown = MqttTls(write_certificate(data_dir, 1))
    await site.gateway.listen_securely("127.0.0.1", 0, shown.context)
    return shown


def trusting(data_dir: Path) -> ssl.SSLContext:
    """What a client needs to trust the certificate of the tests, and no other."""
    return ssl.create_default_context(cafile=data_dir / "tls.crt")


async def serial_at(site: Site) -> int:
    """The serial number of the certificate that is shown."""
    address = "127.0.0.1", site.gateway.secure_listener.port
    shown = await asyncio.to_thread(ssl.get_server_certificate, address)
    return x509.load_pem_x509_certificate(shown.encode()).serial_number


async def until(true: Callable[[], bool]) -> None:
    """Wait for something to become true."""
    for _ in range(POLLS):
        if true():
            return
        await asyncio.sleep(POLL_S)
    raise AssertionError("it never became true")


@pytest.mark.parametrize("spoken", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_it_is_spoken_as_without(site: Site, tls: MqttTls, data_dir: Path, spoken: ssl.TLSVersion) -> None:
    heard: asyncio.Queue[Publish] = asyncio.Queue()
    context = trusting(data_dir)
    context.minimum_version = context.maximum_version = spoken
    async with Client(
        "localhost",
        site.gateway.secure_listener.port,
        username="d-0",
        password=SECRET + "d-0",
        tls=context,
        on_message=heard.put_nowait,
    ) as client:
        assert await client.subscribe(Subscription("devices/d-0/#", 1)) == (1,)
        large = b'{"no2":1,"x":"' + b"x" * 300_000 + b'"}'
        assert await client.publish("readings", large) == 0
        assert await client.publish("readings", b'{"no2":2}', qos=0) == 0
        async with asyncio.timeout(ANSWER_S):
            assert [(await heard.get()).payload for _ in range(2)] == [large, b'{"no2":2}']
    assert site.gateway.counters.handshakes == 1


async def test_who_is_sent_away_is_told_why(site: Site, tls: MqttTls, data_dir: Path) -> None:
    wire = await site.connect(tls=trusting(data_dir))
    await site.connect()
    assert (await wire.receive(Disconnect)).reason == Reason.SESSION_TAKEN_OVER
    assert await wire.ended()


async def test_what_is_no_tls_or_too_old_ends_alone(site: Site, tls: MqttTls, data_dir: Path) -> None:
    good = await site.connect(tls=trusting(data_dir))
    old = trusting(data_dir)
    old.set_ciphers("DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that is what is tried
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with pytest.raises(ConnectionError):
        await site.wire(tls=old)
    reader, writer = await asyncio.open_connection("127.0.0.1", site.gateway.secure_listener.port)
    writer.write(encode(Connect("d-0"), V5))
    async with asyncio.timeout(ANSWER_S):
        await reader.read()
    writer.close()
    await until(lambda: site.gateway.counters.handshakes_failed == 2)
    good.send(PingReq())
    await good.receive(PingResp)


async def test_a_handshake_that_does_not_go_on_is_ended(
    site: Site, tls: MqttTls, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secure_port, "HANDSHAKE_WITHIN_S", 0.1)
    reader, writer = await asyncio.open_connection("127.0.0.1", site.gateway.secure_listener.port)
    async with asyncio.timeout(ANSWER_S):
        assert await reader.read() == b""
    writer.close()
    await until(lambda: site.gateway.counters.handshakes_failed == 1)


async def test_a_crowd_comes_in(site: Site, tls: MqttTls, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More at once than may shake hands: the others wait, and come in all the same."""
    monkeypatch.setattr(secure_port, "MAX_HANDSHAKES", 2)
    context = trusting(data_dir)
    wires = await asyncio.gather(*(site.connect(client_id=f"c-{n}", tls=context) for n in range(30)))
    assert len(site.gateway.secure_listener.connections) == len(wires)


async def test_a_stopped_gateway_leaves_nothing_open(services: Services, data_dir: Path) -> None:
    shown = MqttTls(write_certificate(data_dir, 1))
    async with open_gateway(services, data_dir, name="gateway-u") as gateway:
        await gateway.listen_securely("127.0.0.1", 0, shown.context)
        port = gateway.secure_listener.port
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(ANSWER_S):
        assert await reader.read() == b"", "an unfinished handshake ends with it"
    writer.close()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


async def test_a_port_that_cannot_be_had_is_said(site: Site, data_dir: Path) -> None:
    shown = MqttTls(write_certificate(data_dir, 1))
    with pytest.raises(RoleFailed) as refused:
        await site.gateway.listen_securely("127.0.0.1", site.port, shown.context)
    assert refused.value.where == "mqtt.tls_port"


async def test_a_renewed_certificate_is_shown_and_no_connection_ends(
    site: Site, tls: MqttTls, data_dir: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    monkeypatch.setattr(mqtt_tls, "LOOK_EVERY_S", 0.02)
    standing = await site.connect(tls=trusting(data_dir))
    looking = asyncio.create_task(tls.run())
    (data_dir / "tls.key").write_bytes(b"no key")
    await until(lambda: "is not used" in caplog.text)
    assert await serial_at(site) == 1
    write_certificate(data_dir, 2)
    await until(lambda: "with the new certificate" in caplog.text)
    assert await serial_at(site) == 2
    await site.connect("d-1", tls=trusting(data_dir))
    standing.send(PingReq())
    await standing.receive(PingResp)
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)


def test_which_certificate_is_shown(data_dir: Path) -> None:
    files = write_certificate(data_dir, 1)
    https = Http(tls_certificate=str(files.certificate), tls_key=str(files.key))
    own = Mqtt(tls_certificate="/own.crt", tls_key="/own.key")
    assert mqtt_tls_files(Settings()) is None
    assert mqtt_tls_files(Settings(http=https)) == files
    assert mqtt_tls_files(Settings(http=https, mqtt=Mqtt(tls_port=0))) is None
    shown = mqtt_tls_files(Settings(http=https, mqtt=own))
    assert shown is not None
    assert shown.certificate == Path("/own.crt")
    with pytest.raises(InvalidInput, match="needs its key"):
        mqtt_tls_files(Settings(mqtt=Mqtt(tls_certificate="/own.crt")))
    with pytest.raises(InvalidInput, match="cannot be used"):
        MqttTls(shown)
    edges = edges_of(Settings(http=https, mqtt=Mqtt(tls_host="0.0.0.0")))
    assert (edges.mqtt_tls_host, edges.mqtt_tls_port) == ("127.0.0.1", 8883)
    assert edges_of(Settings()).mqtt_tls_port == 0


async def test_readiness_asks_a_gateway_that_runs_here(site: Site, tls: MqttTls, data_dir: Path) -> None:
    files = str(data_dir / "tls.crt"), str(data_dir / "tls.key")
    ports = site.port, site.gateway.secure_listener.port
    settings = Settings(str(data_dir / "house"), mqtt=Mqtt("127.0.0.1", ports[0], tls_port=ports[1], tls_key=files[1]))
    settings = msgspec.structs.replace(settings, mqtt=msgspec.structs.replace(settings.mqtt, tls_certificate=files[0]))
    folder = DataFolder(settings.data_path)
    folder.prepare()
    folder.lock()
    try:
        write_edges(folder, settings)
        await check_mqtt(settings)
        roles = [ProcessStatus("gateway", os.getpid(), 0, 0)]
        write_status(folder, HouseStatus(os.getpid(), True, [], roles))
        await check_mqtt(settings)
        await until(lambda: site.gateway.counters.handshakes == 1)  # it speaks TLS, not just answers
        await site.gateway.secure_listener.deafen()
        with pytest.raises(EngineFailed, match=str(ports[1])):
            await check_mqtt(settings)
    finally:
        folder.unlock()
