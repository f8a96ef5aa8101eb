"""Fetching a JSON document from a host that may be asked."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin

import msgspec

from broadstreet.delivery.hosts import Hosts
from broadstreet.model.errors import InvalidInput, NotAllowed, TooLarge, Unavailable

if TYPE_CHECKING:
    import httpx

MAX_BYTES: Final = 2_000_000
MAX_REDIRECTS: Final = 3
TIMEOUT_S: Final = 5.0
"""Of one step: to connect, or to hear more."""
WHOLE_S: Final = 10.0


class FetchFailed(Unavailable):
    """What was asked for elsewhere did not come."""


async def fetch_json(url: str, hosts: Hosts, accept: str = "application/json") -> Any:
    """A JSON document from elsewhere. Each host on the way is looked at, where one sends on to another.

    Raises NotAllowed for a host that may not be asked, TooLarge over MAX_BYTES, InvalidInput for what is no JSON,
    FetchFailed.
    """
    import httpx  # slow to load, and seldom asked for

    try:
        async with (
            asyncio.timeout(WHOLE_S),
            httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False) as client,
        ):
            for _ in range(MAX_REDIRECTS + 1):
                if not hosts.allows(url):
                    raise NotAllowed(f"the settings do not let the house ask {url[:200]}", where=url[:200])
                async with client.stream("GET", url, headers={"accept": accept}) as answer:
                    if answer.is_redirect:
                        url = urljoin(url, answer.headers["location"])
                        continue
                    if answer.status_code != httpx.codes.OK:
                        raise FetchFailed(f"it answers with status {answer.status_code}", where=url[:200])
                    return _decoded(await _bounded(answer, url), url)
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        raise FetchFailed(f"it does not answer: {error or type(error).__name__}", where=url[:200]) from None
    raise FetchFailed("it sends on and on", where=url[:200])


async def _bounded(answer: httpx.Response, url: str) -> bytes:
    body = bytearray()
    async for part in answer.aiter_bytes():
        body += part
        if len(body) > MAX_BYTES:
            raise TooLarge(f"a document of more than {MAX_BYTES:,} bytes", where=url[:200])
    return bytes(body)


def _decoded(body: bytes, url: str) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput(f"what stands there is no JSON: {error}", where=url[:200]) from None
