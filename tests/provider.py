"""An OpenID provider with real keys on a port of this machine: it does what the standard says, or what a test asks for.

It signs whoever comes in at once, as `person`, and keeps the rules that an attack would have to break: a code is good
once, for the address it was asked for with, and for whoever holds PKCE's verifier and the client's secret.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "broadstreet", "the client's secret"
Claims = dict[str, Any]


def new_key(kid: str) -> RSAKey:
    """A key pair by which tokens are signed."""
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig", "alg": "RS256"})


@dataclass
class IdProvider:
    """What it says and who comes; a test changes any of it."""

    issuer: str = ""
    person: Claims = field(default_factory=lambda: {"sub": "7", "preferred_username": "anna", "name": "Anna"})
    key: RSAKey = field(default_factory=lambda: new_key("one"))
    published: list[RSAKey] = field(default_factory=list)
    description: Claims = field(default_factory=dict)
    userinfo: Claims = field(default_factory=dict)
    now_s: Callable[[], int] = lambda: 0
    alter: Callable[[Claims], Claims] = lambda claims: claims
    sign: Callable[[Claims], str] | None = None
    asked: Counter[str] = field(default_factory=Counter)
    codes: dict[str, Claims] = field(default_factory=dict)

    def visit(self, address: str) -> str:
        """What a browser that is sent here is sent back to, once the person has signed in."""
        asked = dict(parse_qsl(urlsplit(address).query))
        assert (asked["response_type"], asked["client_id"], asked["code_challenge_method"]) == ("code", CLIENT, "S256")
        code = secrets.token_urlsafe(8)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def described(self) -> Claims:
        """The discovery document."""
        places = {name: f"{self.issuer}/{place}" for name, place in PLACES.items()}
        return {"issuer": self.issuer, **places, **self.description}

    def exchange(self, form: Claims, authorization: str) -> Claims | None:
        """What a code is good for; None where it is not."""
        asked = self.codes.pop(form.get("code", ""), None)
        challenge = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        fits = asked is not None and (
            asked["redirect_uri"] == form.get("redirect_uri")
            and asked["code_challenge"] == base64.urlsafe_b64encode(challenge).decode().rstrip("=")
            and authorization == "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        )
        if not fits or asked is None:
            return None
        now_s = self.now_s()
        claims = {"iss": self.issuer, "aud": CLIENT, "nonce": asked["nonce"], "iat": now_s, "exp": now_s + 300}
        claims = self.alter({**claims, **self.person})
        token = self.sign(claims) if self.sign else self.signed(claims)
        return {"id_token": token, "access_token": "for userinfo", "token_type": "Bearer"}

    def signed(self, claims: Claims) -> str:
        """A token as it should be."""
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)


PLACES = {
    "authorization_endpoint": "authorize",
    "token_endpoint": "token",
    "jwks_uri": "keys",
    "userinfo_endpoint": "userinfo",
    "end_session_endpoint": "leave",
}


def _handler(provider: IdProvider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            provider.asked[self.path] += 1
            match self.path:
                case "/.well-known/openid-configuration":
                    self._answer(200, provider.described())
                case "/keys":
                    shown = provider.published or [provider.key]
                    self._answer(200, {"keys": [key.as_dict(private=False) for key in shown]})
                case "/userinfo" if self.headers["authorization"] == "Bearer for userinfo":
                    self._answer(200, {"sub": provider.person["sub"], **provider.userinfo})
                case path if path.startswith("/authorize?"):
                    self.send_response(303)
                    self.send_header("location", provider.visit(path))
                    self.end_headers()
                case _:
                    self._answer(404, {})

        def do_POST(self) -> None:
            provider.asked[self.path] += 1
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            told = provider.exchange(form, self.headers["authorization"] or "")
            self._answer(400 if told is None else 200, told or {"error": "invalid_grant"})

        def _answer(self, status: int, value: Claims) -> None:
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    return Handler


@contextmanager
def running() -> Iterator[IdProvider]:
    """A provider at its own port, until the end."""
    provider = IdProvider()
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(provider)) as server:
        provider.issuer = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield provider
        server.shutdown()
        thread.join()
