"""Canary records of one tenant are found in no answer, stream, export, log or error that another tenant gets.

Every GET route of the whole application, and every query that is sent as a POST, is asked by an administrator of `city`
for what is its own and for what is `harbour`'s, whose ids it is supposed to have guessed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from itertools import product
from pathlib import Path

import pytest
from litestar import Litestar

from broadstreet.access import demand_of
from broadstreet.apis import Services
from broadstreet.apis.guard import handlers_of
from broadstreet.portal import live, town
from broadstreet.portal.portal import Portal
from tests.asgi import Conversation, ask, converse
from tests.contract.canaries import WORDLESS, Filled, fill, read, tables_without
from tests.contract.conftest import Clock
from tests.contract.house import portal_of, whole_app
from tests.contract.walk import ENDLESS, POSTED, targets

SPARROW, CANARY = "sparrow", "canary"
WAIT_S = 20.0
ECHOES = {"/v1/audit", "/v1/audit.csv"}
"""What tells of the caller's own exports, by the words in which they were asked for."""
Pair = tuple[Filled, Filled]


@pytest.fixture
async def portal(services: Services, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Portal]:
    monkeypatch.setattr(town, "BATCH_S", 0.05)
    monkeypatch.setattr(town, "TICK_S", 0.1)
    monkeypatch.setattr(live, "AWAKE_S", 0.2)
    async with portal_of(services, data_dir) as opened:
        yield opened


@pytest.fixture
async def app(services: Services, portal: Portal) -> Litestar:
    return whole_app(services, portal)


@pytest.fixture
async def both(app: Litestar, services: Services, clock: Clock, portal: Portal) -> Pair:
    """`city`, who asks, and `harbour`, who is not to be heard of."""
    own = await fill(app, services, "city", SPARROW, clock)
    other = await fill(app, services, "harbour", CANARY, clock)
    for name in (own.tenant, other.tenant):
        portal.settings.maps.mkdir(exist_ok=True)
        (portal.settings.maps / f"{name}.pmtiles").write_bytes(name.encode())
    return own, other


async def test_every_table_of_a_tenant_holds_a_canary(both: Pair, services: Services) -> None:
    _, other = both
    missing = await tables_without(await services.store.tenant(other.tenant), other.word, other.tenant)
    assert set(missing) == set(WORDLESS)


async def test_no_answer_tells_of_another_tenant(app: Litestar, both: Pair, caplog: pytest.LogCaptureFixture) -> None:
    own, other = both
    caplog.set_level(logging.DEBUG)
    wrong, found = [], set()
    for path, handler in handlers_of(app):
        if "GET" not in handler.http_methods or path in ENDLESS:
            continue
        demand = demand_of(handler.opt)
        assert demand is not None
        for wanted, asked in product((None, other.tenant), both):
            headers = {"authorization": f"Bearer {own.token}", **({"ngsild-tenant": wanted} if wanted else {})}
            for target in targets(path, handler, asked):
                answer = await ask(app, "GET", target, headers=headers)
                told = answer.body + str(answer.headers).encode()
                may_echo = other.tenant in f"{target} {wanted}" or path in ECHOES
                hidden = (CANARY,) if may_echo else (CANARY, other.tenant)
                if any(word.encode() in told for word in hidden):
                    wrong.append((target, wanted, answer.status, answer.body[:300]))
                if SPARROW.encode() in told:
                    found.add(path)
    assert wrong == []
    assert len(found) >= 15, "of its own tenant the same walk tells much"
    assert CANARY not in caplog.text


async def test_no_query_by_post_tells_of_another_tenant(app: Litestar, both: Pair) -> None:
    own, _ = both
    for path, bodies in POSTED.items():
        for number, body in enumerate(bodies):
            answer = await ask(app, "POST", path, headers={"authorization": f"Bearer {own.token}"}, body=body)
            assert CANARY.encode() not in answer.body and b"harbour-17" not in answer.body
            assert (SPARROW.encode() in answer.body) == (number == 0), answer.body
    reading = [path for path, h in handlers_of(app) if h.http_methods == {"POST"} and path.endswith("/query")]
    assert sorted(reading) == sorted(POSTED), "a route that answers a query by POST is asked here"


async def test_no_stream_tells_of_another_tenant(app: Litestar, both: Pair, services: Services, clock: Clock) -> None:
    own, other = both
    headers = {"authorization": f"Bearer {own.token}"}
    async with converse(app, "GET", "/portal/api/live", headers=headers) as conversation:
        heard = await _until(conversation, "event: system")
        await read(services, other, clock)
        await read(services, own, clock)
        heard += await _until(conversation, own.device)
    assert CANARY not in heard and "harbour" not in heard


async def _until(conversation: Conversation, word: str) -> str:
    heard = ""
    async with asyncio.timeout(WAIT_S):
        while word not in heard:
            piece = await conversation.pieces.get()
            assert piece is not None, "the stream has ended"
            heard += piece.decode()
    return heard
