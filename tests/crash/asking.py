"""What goes to the house by HTTP while it is killed: requests under a key, orders to devices, replays of dead letters.

Each asks until it is answered. A request under a key is sent as it was; an order that was not answered is not given
again, since it may have been taken.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx

from tests.crash.exact import Servant

ITEMS = 5
"""Readings in one request."""
REQUEST_EVERY_S = 0.05
ORDER_EVERY_S = 0.1
MAX_ORDERS_OPEN = 15
"""Of one device; it may have a hundred, and the house may be away for long."""
AGAIN_S = 0.1
TIMEOUT_S = 10.0
PATIENCE_S = 120.0
AWAY = (httpx.TransportError, AttributeError)
"""What a house that was killed looks like; the second is what anyio makes of a socket that closes as it opens."""
REPLAY = {"all": True, "why": "the field is known now"}


@dataclass
class KeyedDevice:
    """A device that sends its readings by HTTP, some of them in requests that are sent again although answered.

    values: every value it has sent. acknowledged: those that were answered.
    """

    id: str
    secret: str
    number: int
    values: list[float] = field(default_factory=list)
    acknowledged: list[float] = field(default_factory=list)


@dataclass
class Asking:
    """All that is asked, from `start` on; new things only while `publishing` is set.

    orders: by what was ordered as the how many-th, the command's id and its device, where it was answered.
    """

    port: int
    token: str
    keyed: list[KeyedDevice]
    servants: list[Servant]
    profile: str
    mended: str
    publishing: bool = True
    orders: dict[int, tuple[str, str]] = field(default_factory=dict)
    ordered: int = 0
    replayed: int = 0
    under_way: int = 0
    """Requests that wait for their answer."""
    is_replaying: bool = False
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def start(self) -> None:
        """Begin."""
        self._tasks = [asyncio.create_task(self._send(device)) for device in self.keyed]
        self._tasks += [asyncio.create_task(self._order(servant)) for servant in self.servants]

    def check(self) -> None:
        """Raise what went wrong."""
        for task in self._tasks:
            if task.done():
                task.result()

    async def stop(self) -> None:
        """Ask no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def settle(self) -> None:
        """Ask for nothing new; return when all that was asked is answered."""
        self.publishing = False
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(*self._tasks)

    def start_replay(self) -> None:
        """Mend the profile, and replay what is dead; under way from now on."""
        self._tasks.append(asyncio.create_task(self.mend_and_replay()))

    async def mend_and_replay(self) -> None:
        """Mend the profile, and replay what is dead, until nothing is."""
        async with self._client() as client:
            await self._ask(client, "/v1/profiles", {"content-type": "application/toml"}, self.mended.encode())
            await self.replay(client)

    async def replay(self, client: httpx.AsyncClient) -> None:
        """Replay until nothing of the profile is dead."""
        asked: dict[str, Any] = REPLAY | {"profile": self.profile}
        self.is_replaying = True
        while True:
            body = json.dumps(asked).encode()
            said = await self._ask(client, "/v1/dead/replay", {"content-type": "application/json"}, body)
            self.replayed += said["settled"]
            if said["after"] is None:
                self.is_replaying = False
                return
            asked |= {"after": said["after"], "until": said["until"]}

    async def replay_rest(self) -> None:
        """Replay what has died, or was told of, since."""
        async with self._client() as client:
            await self.replay(client)

    async def _send(self, device: KeyedDevice) -> None:
        headers = {"content-type": "application/json"}
        login = httpx.BasicAuth(device.id, device.secret)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", auth=login, timeout=TIMEOUT_S) as client:
            for n in count():
                if not self.publishing:
                    return
                values = [device.number * 10_000_000 + n * ITEMS + item + 0.5 for item in range(ITEMS)]
                device.values += values
                body = json.dumps([{"v": value} for value in values]).encode()
                keyed = headers | {"idempotency-key": f"{device.id}-{n}"}
                for _ in range(2 if n % 3 else 1):
                    said = await self._ask(client, "/v1/readings", keyed, body)
                    assert said["accepted"] == ITEMS, said
                device.acknowledged += values
                await asyncio.sleep(REQUEST_EVERY_S)

    async def _order(self, servant: Servant) -> None:
        headers = {"content-type": "application/json"}
        async with self._client() as client:
            while self.publishing:
                mine = sum(device == servant.id for _, device in self.orders.values())
                if mine - len(servant.done) < MAX_ORDERS_OPEN:
                    n = self.ordered = self.ordered + 1
                    order = {"devices": [servant.id], "name": "turn", "body": {"n": n}, "why": "the trial"}
                    with suppress(*AWAY):
                        answer = await client.post("/v1/commands", headers=headers, content=json.dumps(order))
                        if answer.status_code < 300:
                            [given] = answer.json()
                            self.orders[n] = given["id"], servant.id
                await asyncio.sleep(ORDER_EVERY_S)

    def _client(self) -> httpx.AsyncClient:
        login = {"authorization": f"Bearer {self.token}"}
        return httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", headers=login, timeout=TIMEOUT_S)

    async def _ask(self, client: httpx.AsyncClient, path: str, headers: dict[str, str], body: bytes) -> Any:
        """Post until it is answered; what the house said."""
        self.under_way += 1
        try:
            while True:
                with suppress(*AWAY):
                    answer = await client.post(path, headers=headers, content=body)
                    if answer.status_code < 300:
                        return answer.json()
                    assert answer.status_code >= 429, f"{path}: {answer.status_code} {answer.text}"
                await asyncio.sleep(AGAIN_S)
        finally:
            self.under_way -= 1
