"""The house over HTTP, for a network that lets nothing else through: readings in batches, commands by a long poll.

A batch is lines of JSON; what of it was taken is forgotten, the rest is sent again, each with its own time, so that
nothing counts twice. 429 and 503 say how long to wait. Where the house cannot take a body at all, half of it is sent.
"""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final, NoReturn

import httpx
import msgspec

from broadstreet.model.clock import to_us
from broadstreet.model.errors import InvalidInput
from broadstreet.outpost.clock import DeviceClock
from broadstreet.outpost.credential import Credential
from broadstreet.outpost.link import FIRST_PAUSE_S, LONGEST_PAUSE_S, Pauses, Refused, Retry, read_offer
from broadstreet.outpost.memory import Memory

BATCH: Final = 500
ANSWERS: Final = 20
POLL_S: Final = 30
ANSWER_WITHIN_S: Final = 15.0
MAX_TRIES: Final = 10
"""How often a reading is sent that the house rejects by itself, before it is set aside."""
MAX_WORDS: Final = 200
_SIGNED_OUT: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_TOO_MUCH: Final = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE})


class _Rejected(msgspec.Struct):
    index: int
    reason: str


class _Receipt(msgspec.Struct):
    accepted: int
    rejected: list[_Rejected]


_receipts: Final = msgspec.json.Decoder(_Receipt)


class HttpLink:
    """base_url: where the house is, such as https://city.example. chance: gives numbers from 0 to 1."""

    def __init__(
        self,
        base_url: str,
        credential: Credential,
        tls: ssl.SSLContext | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._base_url = base_url
        self._credential = credential
        self._verify: ssl.SSLContext | bool = True if tls is None else tls
        self._busy = Pauses(FIRST_PAUSE_S, LONGEST_PAUSE_S, chance)
        self._tries: dict[int, int] = {}
        self._batch = BATCH

    async def speak(self, memory: Memory, clock: DeviceClock, met: Callable[[], None]) -> NoReturn:
        """Speak with the house until it cannot be reached. Raises Retry, Refused."""

        async def hear(response: httpx.Response) -> None:
            if date := response.headers.get("date"):
                clock.hear(to_us(parsedate_to_datetime(date)))
            if response.is_success:
                met()

        async with httpx.AsyncClient(
            base_url=self._base_url,
            auth=(self._credential.id, self._credential.secret),
            verify=self._verify,
            timeout=httpx.Timeout(ANSWER_WITHIN_S, read=POLL_S + ANSWER_WITHIN_S),
            event_hooks={"response": [hear]},
        ) as house:
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._send(house, memory))
                    group.create_task(self._fetch(house, memory))
            except* Refused as refused:
                raise refused.exceptions[0] from None
            except* Retry as retry:
                raise retry.exceptions[0] from None
            except* httpx.HTTPError as error:
                raise Retry(f"{self._base_url} does not answer: {error.exceptions[0]!r}") from None
        raise Retry("the conversation has ended")

    async def _send(self, house: httpx.AsyncClient, memory: Memory) -> NoReturn:
        while True:
            memory.to_send.clear()
            is_idle = not await self._answer(house, memory) and not memory.waiting
            if is_idle:
                await memory.to_send.wait()
            elif not memory.waiting or await self._send_readings(house, memory):
                self._busy.begin_anew()
            else:
                await asyncio.sleep(self._busy.next_s())

    async def _send_readings(self, house: httpx.AsyncClient, memory: Memory) -> bool:
        """Send the oldest readings; answers whether all went well."""
        readings = memory.oldest(self._batch)
        body = b"\n".join(one.payload for one in readings)
        response = await house.post("/v1/readings", content=body, headers={"Content-Type": "application/x-ndjson"})
        if response.status_code in _TOO_MUCH:
            if len(readings) == 1:
                memory.settle([], {readings[0].n: response.text[:MAX_WORDS]})
            self._batch = max(1, len(readings) // 2)
            return True
        _check(response)
        rejected = {readings[one.index].n: one.reason for one in _receipts.decode(response.content).rejected}
        self._tries = {n: self._tries.get(n, 0) + 1 for n in rejected}
        refused = {n: reason for n, reason in rejected.items() if self._tries[n] >= MAX_TRIES}
        memory.settle([one.n for one in readings if one.n not in rejected], refused)
        self._batch = min(BATCH, 2 * self._batch)
        return not rejected

    async def _answer(self, house: httpx.AsyncClient, memory: Memory) -> int:
        """Say what came of commands; answers of how many."""
        answers = memory.untold(ANSWERS)
        for command, answer in answers:
            path = f"/v1/devices/{self._credential.id}/commands/{command}/result"
            response = await house.post(path, content=answer, headers={"Content-Type": "application/json"})
            if response.status_code != HTTPStatus.NOT_FOUND:  # the house knows it no more: nobody waits for an answer
                _check(response)
            memory.told(command, answer)
        return len(answers)

    async def _fetch(self, house: httpx.AsyncClient, memory: Memory) -> NoReturn:
        while True:
            path = f"/v1/devices/{self._credential.id}/commands/next"
            response = await house.get(path, params={"wait_s": POLL_S})
            _check(response)
            if response.status_code == HTTPStatus.OK:
                try:
                    memory.take_command(read_offer(response.content))
                except (msgspec.DecodeError, InvalidInput) as error:
                    raise Retry(f"what the house offers is no command: {error}") from None


def _check(response: httpx.Response) -> None:
    """Raises Refused, Retry."""
    if response.is_success:
        return
    words = f"{response.status_code} {response.reason_phrase}: {response.text[:MAX_WORDS]}"
    if response.status_code in _SIGNED_OUT:
        raise Refused(words)
    asked = response.headers.get("retry-after", "")
    raise Retry(words, float(asked) if asked.isdecimal() else None)
