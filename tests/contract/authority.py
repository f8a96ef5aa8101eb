"""An authority that gives certificates by ACME (RFC 8555), over HTTP-01, as small as one can be that is right.

It looks at every signature, nonce and address, asks for its answers over HTTP as a real one does, and signs with a key
of its own. `places` is its DNS; `refusals` are what it is to refuse, and how. Certificates live as long as it is told.
"""

from __future__ import annotations

import base64
import datetime
import http.client
import json
import secrets
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from acme.jws import JWS
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from josepy.b64 import b64encode
from josepy.jwk import JWK

from tests.contract.certificates import write_certificate

Answer = tuple[int, object, dict[str, str]]
"""Status, body, headers."""


class Refusal(Exception):
    """A problem document."""

    def __init__(self, code: str, detail: str, status: int = 403, **headers: str) -> None:
        self.code, self.detail, self.status = code, detail, status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    @property
    def document(self) -> dict[str, object]:
        return {"type": f"urn:ietf:params:acme:error:{self.code}", "detail": self.detail, "status": self.status}


@dataclass
class Order:
    account: str
    names: list[str]
    status: str = "pending"
    certificate: str = ""
    authorizations: dict[str, dict[str, Any]] = field(default_factory=dict)


class Authority:
    """places: where a name's port 80 is, on this machine. life: of what it signs, and how much of it is over."""

    def __init__(self, base: str, places: dict[str, int]) -> None:
        self.base = base
        self.places = places
        self.refusals: dict[str, Refusal] = {}
        self.life = datetime.timedelta(days=90)
        self.age = datetime.timedelta(0)
        self.forgets = 0
        """How many signatures to come it does not take, for their nonce."""
        self.asked: list[str] = []
        """Resources that were asked for by a signed request, in order."""
        self.contacts: list[list[str]] = []
        self._nonces: set[str] = set()
        self._accounts: dict[str, JWK] = {}
        self._orders: dict[str, Order] = {}
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "An authority of tests")])
        self._lock = threading.Lock()

    @property
    def directory(self) -> str:
        return f"{self.base}/directory"

    def nonce(self) -> str:
        fresh = secrets.token_urlsafe(12)
        self._nonces.add(fresh)
        return fresh

    def open_resources(self) -> dict[str, object]:
        names = {"newNonce": "nonce", "newAccount": "account", "newOrder": "order"}
        return {**{name: f"{self.base}/{path}" for name, path in names.items()}, "meta": {"termsOfService": "terms"}}

    def answer(self, path: str, body: bytes) -> Answer:
        """What a signed request is told. Raises Refusal."""
        with self._lock:
            signed = JWS.from_json(json.loads(body))
            header = signed.signature.combined
            if header.url != self.base + path:
                raise Refusal("unauthorized", "signed for another address")
            if b64encode(header.nonce).decode() not in self._nonces:
                raise Refusal("badNonce", "not one of ours, or used", 400)
            if self.forgets:
                self.forgets -= 1
                raise Refusal("badNonce", "forgotten", 400)
            self._nonces.discard(b64encode(header.nonce).decode())
            key = header.jwk if header.kid is None else self._accounts.get(header.kid)
            if key is None:
                raise Refusal("accountDoesNotExist", "who are you?", 400)
            if not signed.verify(key):
                raise Refusal("malformed", "the signature does not hold", 400)
            _, resource, *rest = path.split("/")
            self.asked.append(resource)
            if (refusal := self.refusals.get(resource)) is not None:
                raise refusal
            said = json.loads(signed.payload) if signed.payload else {}
            return getattr(self, f"_{resource}")(header.kid, key, said, *rest)  # type: ignore[no-any-return]  # by its name

    def _account(self, _: str, key: JWK, said: dict[str, Any]) -> Answer:
        if not said.get("termsOfServiceAgreed"):
            raise Refusal("userActionRequired", "agree to the terms")
        self.contacts.append(list(said.get("contact", [])))
        place = f"{self.base}/account/{len(self._accounts)}"
        self._accounts[place] = key
        return 201, {"status": "valid"}, {"Location": place}

    def _order(self, account: str, key: JWK, said: dict[str, Any], number: str = "") -> Answer:
        if number:
            return 200, self._shown(number), {}
        names = [one["value"] for one in said["identifiers"]]
        number = str(len(self._orders))
        self._orders[number] = Order(account, names)
        for place, name in enumerate(names):
            challenge = {
                "type": "http-01",
                "url": f"{self.base}/challenge/{number}/{place}",
                "token": b64encode(secrets.token_bytes(32)).decode(),
                "status": "pending",
            }
            self._orders[number].authorizations[str(place)] = {
                "identifier": {"type": "dns", "value": name},
                "status": "pending",
                "challenges": [challenge],
            }
        return 201, self._shown(number), {"Location": f"{self.base}/order/{number}"}

    def _shown(self, number: str) -> dict[str, object]:
        order = self._orders[number]
        shown: dict[str, object] = {
            "status": order.status,
            "identifiers": [{"type": "dns", "value": name} for name in order.names],
            "authorizations": [f"{self.base}/authorization/{number}/{place}" for place in order.authorizations],
            "finalize": f"{self.base}/finalize/{number}",
        }
        return shown | ({"certificate": f"{self.base}/certificate/{number}"} if order.certificate else {})

    def _authorization(self, _: str, key: JWK, said: object, number: str, place: str) -> Answer:
        return 200, self._orders[number].authorizations[place], {}

    def _challenge(self, _: str, key: JWK, said: object, number: str, place: str) -> Answer:
        order = self._orders[number]
        authorization = order.authorizations[place]
        (challenge,) = authorization["challenges"]
        thumbprint = b64encode(key.thumbprint()).decode()
        try:
            found = self._look(authorization["identifier"]["value"], challenge["token"])
            if found != f"{challenge['token']}.{thumbprint}":
                raise Refusal("unauthorized", f"found {found[:40]!r}")
        except Refusal as refusal:
            challenge |= {"status": "invalid", "error": refusal.document}
            authorization["status"] = order.status = "invalid"
        else:
            challenge["status"] = authorization["status"] = "valid"
            if all(one["status"] == "valid" for one in order.authorizations.values()):
                order.status = "ready"
        return 200, challenge, {"Link": f'<{self.base}/authorization/{number}/{place}>;rel="up"'}

    def _look(self, name: str, token: str) -> str:
        """What stands at a name's port 80."""
        if name not in self.places:
            raise Refusal("dns", f"no address for {name}")
        connection = http.client.HTTPConnection("127.0.0.1", self.places[name], timeout=5)
        try:
            connection.request("GET", f"/.well-known/acme-challenge/{token}", headers={"Host": name})
            return connection.getresponse().read(1000).decode()
        except OSError as error:
            raise Refusal("connection", f"{name}: {error}") from error
        finally:
            connection.close()

    def _finalize(self, _: str, key: JWK, said: dict[str, Any], number: str) -> Answer:
        order = self._orders[number]
        if order.status != "ready":
            raise Refusal("orderNotReady", order.status)
        raw = base64.urlsafe_b64decode(said["csr"] + "==")
        request = x509.load_der_x509_csr(raw)
        named = request.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        is_right = sorted(named.value.get_values_for_type(x509.DNSName)) == sorted(order.names)
        if not (is_right and request.is_signature_valid):
            raise Refusal("badCSR", "not the names of the order", 400)
        begin = datetime.datetime.now(datetime.UTC) - self.age
        certificate = (
            x509.CertificateBuilder()
            .subject_name(request.subject)
            .issuer_name(self._name)
            .public_key(request.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(begin + self.life)
            .add_extension(named.value, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        order.certificate = certificate.public_bytes(serialization.Encoding.PEM).decode()
        order.status = "valid"
        return 200, self._shown(number), {}

    def _certificate(self, _: str, key: JWK, said: object, number: str) -> Answer:
        return 200, self._orders[number].certificate, {}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    authority: Authority

    def do_GET(self) -> None:
        self._send(200, self.authority.open_resources(), {})

    def do_HEAD(self) -> None:
        self._send(200, b"", {})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            self._send(*self.authority.answer(self.path, body))
        except Refusal as refusal:
            self._send(refusal.status, refusal.document, refusal.headers, "application/problem+json")

    def _send(self, status: int, body: object, headers: dict[str, str], kind: str = "application/json") -> None:
        raw = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        sent = {"Content-Type": kind, "Content-Length": str(len(raw)), "Replay-Nonce": self.authority.nonce()}
        for name, value in (sent | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextmanager
def open_authority(folder: Path, places: dict[str, int]) -> Iterator[tuple[Authority, Path]]:
    """An authority at an address of its own, and the file with what that is signed by."""
    folder.mkdir()
    tls = write_certificate(folder, 1)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls.certificate, tls.key)

    class Its(Handler):
        """Of this authority alone."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Its) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        Its.authority = Authority(f"https://localhost:{server.server_address[1]}", places)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield Its.authority, tls.certificate
        finally:
            server.shutdown()
            thread.join()
