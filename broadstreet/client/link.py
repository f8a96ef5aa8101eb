"""The conversation with a house: addresses, headers, patience.

What only reads is asked again where the house does not answer or asks for patience, each time after twice the pause,
or after as long as it says. What writes is sent once: whether it was carried out, nobody knows but the house.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import httpx
import msgspec

from broadstreet.client.problem import error_of
from broadstreet.model.errors import Unavailable

BASE: Final = "/ngsi-ld/v1"
JSON: Final = "application/json"
FIRST_PAUSE_S: Final = 0.2
LONGEST_PAUSE_S: Final = 10.0
_BUSY: Final = frozenset({429, 502, 503})
_CONTEXT_RELATION: Final = "http://www.w3.org/ns/json-ld#context"
_encode: Final = msgspec.json.Encoder().encode

Parameters = Mapping[str, str]


@dataclass(frozen=True)
class Patience:
    """How often a question is asked, and how long is waited in between. chance: gives numbers from 0 to 1."""

    tries: int = 5
    wait: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random

    def pause_s(self, tried: int, asked_s: float | None) -> float:
        """The pause after so many tries; asked_s: what the house asked for."""
        longest_s = min(FIRST_PAUSE_S * 2.0 ** (tried - 1), LONGEST_PAUSE_S)
        own_s = longest_s * (0.5 + 0.5 * self.chance())
        return own_s if asked_s is None else min(max(asked_s, own_s), LONGEST_PAUSE_S)


@dataclass(frozen=True)
class Link:
    """headers: sent with each request."""

    http: httpx.Client
    headers: Mapping[str, str] = field(default_factory=dict)
    context: str | None = None
    patience: Patience = Patience()

    def speaking(self, context: str | None) -> Link:
        """The same under another @context, by its address; None: the core's."""
        return replace(self, context=context)

    def within(self, tenant: str) -> Link:
        """The same in another tenant."""
        return replace(self, headers={**self.headers, "NGSILD-Tenant": tenant})

    def get(self, path: str, parameters: Parameters | None = None) -> httpx.Response:
        """Raises what the house refuses with, and Unavailable where it does not answer at all."""
        tried = 0
        while True:
            tried += 1
            is_last = tried >= self.patience.tries
            asked_s: float | None = None
            try:
                response = self._send("GET", path, parameters)
                if is_last or response.status_code not in _BUSY:
                    return _checked(response)
                asked = response.headers.get("retry-after", "")
                asked_s = float(asked) if asked.isdecimal() else None
            except httpx.TransportError as error:
                if is_last:
                    raise self._silent(error) from error
            self.patience.wait(self.patience.pause_s(tried, asked_s))

    def send(self, method: str, path: str, body: Any = None, parameters: Parameters | None = None) -> httpx.Response:
        """Write, once. body: sent as JSON. Raises as `get` does."""
        try:
            return _checked(self._send(method, path, parameters, body))
        except httpx.TransportError as error:
            raise self._silent(error) from error

    def _send(self, method: str, path: str, parameters: Parameters | None, body: Any = None) -> httpx.Response:
        headers = {"Accept": JSON, **self.headers}
        if self.context is not None:
            headers["Link"] = f'<{self.context}>; rel="{_CONTEXT_RELATION}"; type="application/ld+json"'
        if body is not None:
            headers["Content-Type"] = JSON
        content = None if body is None else _encode(body)
        return self.http.request(method, BASE + path, params=parameters, headers=headers, content=content)

    def _silent(self, error: httpx.TransportError) -> Unavailable:
        return Unavailable(
            f"nothing answers at {self.http.base_url}: {error or type(error).__name__}",
            remedy="Look whether the house runs, and whether this is its address.",
        )


def _checked(response: httpx.Response) -> httpx.Response:
    if not response.is_success:
        raise error_of(response)
    return response
