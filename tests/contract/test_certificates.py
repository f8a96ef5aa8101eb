"""Devices that show a certificate: made here or by the operator, known by its fingerprint, ended at once."""

from __future__ import annotations

import datetime
import ssl
import stat
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from broadstreet.apis import Services, create_app
from broadstreet.app.mqtt_tls import MqttTls
from broadstreet.devices import Certificates, CertificateWish, NewCertificate
from broadstreet.devices.authority import FILE_NAME, MAX_DAYS, open_authority
from broadstreet.devices.certificate import MAX_IN_USE
from broadstreet.engines import Engines
from broadstreet.model.errors import Conflict, InvalidInput, NotFound
from broadstreet.mqtt import ConnAck, Connect, Disconnect, PubAck, Publish, Reason
from tests.asgi import ask
from tests.contract.certificates import write_certificate
from tests.contract.doors import issue
from tests.contract.mqtt_site import SECRET, Site, Wire, now_us, open_site

PEM = serialization.Encoding.PEM
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@pytest.fixture
async def site(services: Services, engines: Engines, data_dir: Path) -> AsyncIterator[Site]:
    certificates = Certificates(services.store, data_dir, now_us)
    async with open_site(services, engines, data_dir, certificates) as opened:
        key = ec.generate_private_key(ec.SECP256R1())
        (data_dir / "operator.crt").write_bytes(signed("The operator", key.public_key(), key).public_bytes(PEM))
        (data_dir / "operator.key").write_bytes(pem_of(key))
        shown = MqttTls(write_certificate(data_dir, 1), certificates.authority.pem, str(data_dir / "operator.crt"))
        await opened.gateway.listen_securely("127.0.0.1", 0, shown.context)
        yield opened


@pytest.fixture
def certificates(site: Site, services: Services, data_dir: Path) -> Certificates:
    return Certificates(services.store, data_dir, now_us)


def pem_of(key: Key) -> bytes:
    return key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def signed(name: str, key: Any, by: Key, issuer: str | None = None, days: int = 9) -> x509.Certificate:
    """A certificate as some authority makes it; without an issuer, the authority's own."""
    now = datetime.datetime.now(datetime.UTC)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer or name)]))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=99))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .sign(by, hashes.SHA256())
    )


def by_operator(data_dir: Path, device: str, days: int = 9) -> tuple[str, str]:
    """A certificate and its key as the operator's authority makes them."""
    authority = serialization.load_pem_private_key((data_dir / "operator.key").read_bytes(), None)
    assert isinstance(authority, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    made = signed(device, key.public_key(), authority, "The operator", days)
    return made.public_bytes(PEM).decode(), pem_of(key).decode()


async def made_for(site: Site, certificates: Certificates, device: str = "d-0", days: int = 9) -> NewCertificate:
    city = await site.services.store.tenant("city")
    return await certificates.issue(city, device, CertificateWish(days=days), by="test", at_us=now_us())


def showing(data_dir: Path, certificate: str, key: str | None) -> ssl.SSLContext:
    """A client's side of TLS that shows a certificate."""
    context = ssl.create_default_context(cafile=data_dir / "tls.crt")
    (data_dir / "client.pem").write_text(certificate + (key or ""))
    context.load_cert_chain(data_dir / "client.pem")
    return context


async def greeted(site: Site, tls: ssl.SSLContext, username: str | None = None) -> tuple[Wire, ConnAck]:
    """Whoever says nothing but what the certificate says."""
    wire = await site.wire(tls=tls)
    wire.send(Connect("c", username=username))
    return wire, await wire.receive(ConnAck)


async def test_it_stands_for_its_device(site: Site, certificates: Certificates, data_dir: Path) -> None:
    made = await made_for(site, certificates)
    tls = showing(data_dir, made.certificate, made.key)
    for username in (None, "d-0"):
        wire, answer = await greeted(site, tls, username)
        assert answer.reason == 0
        wire.send(Publish("readings", b'{"no2":1}', 1, identifier=1))
        assert (await wire.receive(PubAck)).reason == 0
        wire.send(Publish("devices/d-1/x", b"", 1, identifier=2))
        assert (await wire.receive(PubAck)).reason == Reason.NOT_AUTHORIZED
    assert [payload for _, _, payload in await site.kept()] == [b'{"no2":1}'] * 2
    _, answer = await greeted(site, tls, "d-1")
    assert answer.reason == Reason.BAD_USER_NAME_OR_PASSWORD
    assert (await site.sees(lambda row: row["refused_at"] is not None, "d-1"))["refused_reason"]
    await site.connect("d-1", tls=tls)  # a password counts, whatever is shown
    _, answer = await greeted(site, ssl.create_default_context(cafile=data_dir / "tls.crt"))
    assert answer.reason == Reason.BAD_USER_NAME_OR_PASSWORD


async def test_an_authority_nobody_knows_opens_nothing(site: Site, data_dir: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    stranger = signed("d-0", key.public_key(), key).public_bytes(PEM).decode()
    with pytest.raises((ConnectionError, AssertionError, ssl.SSLError)):
        await greeted(site, showing(data_dir, stranger, pem_of(key).decode()))
    assert not site.gateway.counters.connected


async def test_what_was_not_written_down_opens_nothing(site: Site, data_dir: Path) -> None:
    """Whoever has stolen the house's authority signs in as nobody."""
    made = open_authority(data_dir, now_us()).make("d-0", 9, now_us())
    _, answer = await greeted(site, showing(data_dir, made.certificate, made.key))
    assert answer.reason == Reason.BAD_USER_NAME_OR_PASSWORD


async def test_a_revoked_one_ends_its_connection_and_no_other(
    site: Site, certificates: Certificates, data_dir: Path
) -> None:
    first, second = await made_for(site, certificates), await made_for(site, certificates)
    old, _ = await greeted(site, showing(data_dir, first.certificate, first.key))
    new = await site.wire(tls=showing(data_dir, second.certificate, second.key))
    new.send(Connect("another"))
    assert (await new.receive(ConnAck)).reason == 0
    city = await site.services.store.tenant("city")
    await certificates.revoke(city, "d-0", first.fingerprint, at_us=now_us())
    assert (await old.receive(Disconnect)).reason == Reason.NOT_AUTHORIZED
    new.send(Publish("readings", b"{}", 1, identifier=1))
    await new.receive(PubAck)
    _, answer = await greeted(site, showing(data_dir, first.certificate, first.key))
    assert answer.reason == Reason.BAD_USER_NAME_OR_PASSWORD
    rows = await certificates.list(city, "d-0")
    assert {row.fingerprint: row.revoked_us is None for row in rows} == {
        first.fingerprint: False,
        second.fingerprint: True,
    }
    for device, fingerprint in (("d-0", first.fingerprint), ("d-1", second.fingerprint), ("d-0", "no hex")):
        with pytest.raises(NotFound):
            await certificates.revoke(city, device, fingerprint, at_us=now_us())


async def test_a_disabled_device_stays_outside(site: Site, certificates: Certificates, data_dir: Path) -> None:
    made = await made_for(site, certificates)
    tls = showing(data_dir, made.certificate, made.key)
    wire, _ = await greeted(site, tls)
    city = await site.services.store.tenant("city")
    await site.services.registry.disable(city, "d-0", now_us())
    assert (await wire.receive(Disconnect)).reason == Reason.NOT_AUTHORIZED
    _, answer = await greeted(site, tls)
    assert answer.reason == Reason.BAD_USER_NAME_OR_PASSWORD


async def test_a_new_secret_ends_what_stands_by_the_old_one(site: Site, certificates: Certificates) -> None:
    by_secret, other = await site.connect(), await site.connect("d-1")
    city = await site.services.store.tenant("city")
    await site.services.registry.rotate_secret(city, "d-0", SECRET + "another")
    assert (await by_secret.receive(Disconnect)).reason == Reason.NOT_AUTHORIZED
    other.send(Publish("readings", b"{}", 1, identifier=1))
    await other.receive(PubAck)
    await site.connect(password=SECRET + "another")


async def test_a_revoked_token_ends_its_connection(site: Site) -> None:
    wire = await site.person()
    tokens = site.services.access.tokens
    await tokens.revoke((await tokens.list("ada"))[0].id, by="test")
    assert (await wire.receive(Disconnect)).reason == Reason.NOT_AUTHORIZED


async def test_the_operators_stands_for_whom_it_names(site: Site, certificates: Certificates, data_dir: Path) -> None:
    tls = showing(data_dir, *by_operator(data_dir, "d-1"))
    for _ in range(2):
        wire, answer = await greeted(site, tls)
        assert answer.reason == 0
    city = await site.services.store.tenant("city")
    (row,) = await certificates.list(city, "d-1")
    assert not row.is_ours
    await certificates.revoke(city, "d-1", row.fingerprint, at_us=now_us())
    assert (await wire.receive(Disconnect)).reason == Reason.NOT_AUTHORIZED
    _, answer = await greeted(site, tls)
    assert answer.reason == Reason.BAD_USER_NAME_OR_PASSWORD, "it is not written down anew"
    _, answer = await greeted(site, showing(data_dir, *by_operator(data_dir, "d-99")))
    assert answer.reason == Reason.BAD_USER_NAME_OR_PASSWORD, "no such device"
    with pytest.raises((ConnectionError, AssertionError, ssl.SSLError)):
        await greeted(site, showing(data_dir, *by_operator(data_dir, "d-1", days=-1)))


async def test_one_that_is_over_ends_its_connection(site: Site, certificates: Certificates, data_dir: Path) -> None:
    made = await made_for(site, certificates)
    wire, _ = await greeted(site, showing(data_dir, made.certificate, made.key))
    await site.services.store.control.execute("UPDATE device_certificate SET expires_at = $1", now_us())
    assert (await wire.receive(Disconnect)).reason == Reason.NOT_AUTHORIZED


async def test_a_request_keeps_the_key_where_it_was_made(
    site: Site, certificates: Certificates, data_dir: Path
) -> None:
    city = await site.services.store.tenant("city")

    async def asked(key: Key | None, text: str = "") -> NewCertificate:
        if key is not None:
            name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "anything")])
            built = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
            text = built.public_bytes(PEM).decode()
        return await certificates.issue(city, "d-0", CertificateWish(text), by="test", at_us=now_us())

    key = ec.generate_private_key(ec.SECP384R1())
    made = await asked(key)
    assert made.key is None
    _, answer = await greeted(site, showing(data_dir, made.certificate, pem_of(key).decode()))
    assert answer.reason == 0
    for wrong, why in ((rsa.generate_private_key(65537, 1024), "2,048 bits"), (None, "cannot be read")):
        with pytest.raises(InvalidInput, match=why):
            await asked(wrong)


async def test_what_is_refused(site: Site, certificates: Certificates) -> None:
    for days in (0, MAX_DAYS + 1):
        with pytest.raises(InvalidInput, match="days"):
            await made_for(site, certificates, days=days)
    with pytest.raises(NotFound):
        await made_for(site, certificates, "d-99")
    harbour = await site.services.store.tenant("harbour")
    with pytest.raises(NotFound):
        await certificates.issue(harbour, "d-0", CertificateWish(), by="test", at_us=now_us())
    made = [await made_for(site, certificates, "d-1") for _ in range(MAX_IN_USE)]
    assert len({one.fingerprint for one in made}) == MAX_IN_USE
    assert await certificates.list(harbour, "d-1") == []
    with pytest.raises(NotFound):
        await certificates.revoke(harbour, "d-1", made[0].fingerprint, at_us=now_us())
    with pytest.raises(Conflict):
        await made_for(site, certificates, "d-1")


async def test_by_http(site: Site) -> None:
    services = site.services
    app = create_app(services)
    bearer = {"authorization": f"Bearer {await issue(services, 'edi', ['engineer'])}"}
    path = "/v1/devices/d-0/certificates"
    made = await ask(app, "POST", path, headers=bearer, body=b'{"days": 30}')
    assert (made.status, "PRIVATE KEY" in made.json["key"]) == (201, True)
    leaf, authority = (
        x509.load_pem_x509_certificate(made.json[name].encode()) for name in ("certificate", "authority")
    )
    leaf.verify_directly_issued_by(authority)
    listed = await ask(app, "GET", path, headers=bearer)
    assert [(one["fingerprint"], one["created_by"], one["revoked_at"]) for one in listed.json] == [
        (made.json["fingerprint"], "edi", None)
    ]
    one = f"{path}/{made.json['fingerprint']}"
    assert [(await ask(app, "DELETE", one, headers=bearer)).status for _ in range(2)] == [204, 404]
    assert (await ask(app, "GET", "/v1/devices/d-99/certificates", headers=bearer)).status == 404
    lines = await services.access.audit.read("city")
    assert [(line.action, line.subject) for line in lines if line.principal == "edi"] == [
        ("device.certificate.revoke", "d-0"),
        ("device.certificate", "d-0"),
    ]


def test_an_authority_is_made_once(data_dir: Path) -> None:
    with ThreadPoolExecutor() as threads:
        opened = list(threads.map(lambda _: open_authority(data_dir, now_us()), range(5)))
    assert len({one.pem for one in opened}) == 1
    path = data_dir / FILE_NAME
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in data_dir.iterdir()] == [FILE_NAME]
    path.write_text("nothing")
    with pytest.raises(InvalidInput, match="cannot be read"):
        open_authority(data_dir, now_us())
    path.write_bytes(
        pem_of(rsa.generate_private_key(65537, 2048)) + write_certificate(data_dir, 1).certificate.read_bytes()
    )
    with pytest.raises(InvalidInput, match="another kind"):
        open_authority(data_dir, now_us())
