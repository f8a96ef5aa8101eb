"""Handing a message to an HTTP receiver: one POST, no redirects followed, its answer bounded and passed over."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Final, Self

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from broadstreet.delivery.receivers import Receivers
from broadstreet.model.errors import BroadstreetError, Unavailable

MAX_ANSWER_BYTES: Final = 65_536
"""What is read of an answer, so that its connection can be used again; a longer one costs the connection."""
CONNECT_S: Final = 10.0
KEEP_ALIVE_S: Final = 30.0
_REFUSING: Final = frozenset({400, 405, 411, 413, 414, 415, 422, 501})
"""Answers that say that the same message would never be taken."""


class DeliveryFailed(Unavailable):
    """A message was not taken. is_final: whether it would not be taken another time either."""

    def __init__(self, message: str, *, is_final: bool = False) -> None:
        super().__init__(message)
        self.is_final = is_final


class _Resolver(AbstractResolver):
    """Looks names up as `Receivers` has it."""

    def __init__(self, receivers: Receivers) -> None:
        self._receivers = receivers

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=address, port=port, family=kind, proto=0, flags=socket.AI_NUMERICHOST)
            for address, kind in await self._receivers.addresses(host, port)
        ]

    async def close(self) -> None:
        """There is nothing to close."""


class HttpPost:
    """Posts to receivers, keeping connections. Use it within `async with`."""

    def __init__(self, receivers: Receivers) -> None:
        self._receivers = receivers
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(
            resolver=_Resolver(self._receivers), use_dns_cache=False, limit=0, keepalive_timeout=KEEP_ALIVE_S
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("User-Agent", "Accept-Encoding"),
            requote_redirect_url=False,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._session is not None
        await self._session.close()

    async def send(self, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float) -> None:
        """One message. timeout_s: how long the receiver may take for everything. Raises DeliveryFailed."""
        assert self._session is not None
        try:
            parsed = URL(url, encoded=True)
            self._receivers.check_literal(parsed.host or "", parsed.port or 0)
            timeout = aiohttp.ClientTimeout(total=timeout_s, connect=CONNECT_S)
            async with self._session.post(
                parsed, data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as answer:
                status = answer.status
                await _pass_over(answer)
        except BroadstreetError as error:
            raise DeliveryFailed(error.message) from None
        except TimeoutError:
            raise DeliveryFailed(f"no answer within {timeout_s:g} s") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise DeliveryFailed(_words(error)) from None
        if not 200 <= status < 300:
            raise DeliveryFailed(f"it answers with status {status}", is_final=status in _REFUSING)


async def _pass_over(answer: aiohttp.ClientResponse) -> None:
    if (answer.content_length or 0) > MAX_ANSWER_BYTES:
        answer.close()
        return
    read = 0
    async for part in answer.content.iter_any():
        read += len(part)
        if read > MAX_ANSWER_BYTES:
            answer.close()
            return


def _words(error: Exception) -> str:
    """What went wrong, for people."""
    inner = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(inner, BroadstreetError):
        return inner.message
    if isinstance(inner, ConnectionRefusedError):
        return "nobody listens there"
    return f"it cannot be reached: {inner or type(inner).__name__}"
