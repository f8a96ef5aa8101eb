"""Dead letters: looked through page by page, replayed exactly once under the time at which they came, or discarded."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from litestar import Litestar

from broadstreet.access import Principal
from broadstreet.apis import Services, create_app
from broadstreet.devices import Letters, letters
from broadstreet.log import Pack, Position, encode_pack
from broadstreet.model.errors import EngineFailed, NotFound
from tests.asgi import Answer, ask
from tests.contract.conftest import Clock
from tests.contract.recording import PROFILE, T0_US, House, S

MENDED = PROFILE.replace('field = "no2"', 'field = "nitrogen"')
WHY = {"why": "the profile is mended"}


class Desk:
    """The API of a house whose devices `air-0` and `air-1` said what their profile does not know."""

    def __init__(self, services: Services, app: Litestar, house: House) -> None:
        self.services = services
        self.app = app
        self.house = house
        self.tokens: dict[str, str] = {}

    async def ask(self, method: str, target: str, body: object = b"", role: str = "engineer") -> Answer:
        return await ask(self.app, method, target, headers={"authorization": f"Bearer {self.tokens[role]}"}, body=body)

    async def letters(self, query: str = "") -> list[dict[str, Any]]:
        """All pages, which must be of at most 2."""
        found: list[dict[str, Any]] = []
        before: int | None = 0
        target = f"/v1/dead?limit=2{query}"
        while before is not None:
            answer = await self.ask("GET", target + (f"&before={before}" if before else ""))
            assert answer.status == 200, answer.body
            assert len(answer.json["letters"]) <= 2
            found += answer.json["letters"]
            before = answer.json["before"]
        return found

    async def audited(self) -> list[tuple[str, str, dict[str, Any]]]:
        lines = await self.services.access.audit.read("city", limit=20)
        return [(e.action, e.subject, dict(e.detail)) for e in lines if e.action.startswith("dead.")]


@pytest.fixture
async def desk(services: Services, clock: Clock) -> AsyncIterator[Desk]:
    services = replace(services, partitions=1)
    city = await services.store.tenant("city")
    house = House(services.store, services.log, city)
    one, two = await house.add_devices(2)
    for n in range(3):
        await house.send((one, T0_US + n * S, {"nitrogen": 30 + n}))
    await house.send((two, T0_US + 10 * S, {"status": 7}), (two, T0_US + 11 * S, b"\xff\x00{"))
    await house.record()
    desk = Desk(services, create_app(services), house)
    for role in ("engineer", "dispatcher", "viewer"):
        await services.access.accounts.create(role, role, tenant="city", roles=[role], by="test")
        desk.tokens[role] = (await services.access.tokens.issue(role, "api", "t", 3600, by="test")).secret
    yield desk


async def test_letters_are_paged_chosen_and_shown_whole(desk: Desk) -> None:
    found = await desk.letters()
    assert [(one["device"], one["reason"]) for one in found] == [
        ("air-1", "not JSON"),
        ("air-1", "wrong type"),
        *[("air-0", "no known field")] * 3,
    ]
    assert [one["payload"] for one in found[2:]] == ['{"nitrogen":32}', '{"nitrogen":31}', '{"nitrogen":30}']
    assert (found[0]["encoding"], base64.b64decode(found[0]["payload"])) == ("base64", b"\xff\x00{")
    assert found[4]["received_at"] == "2026-01-01T00:00:00Z" and found[4]["profile"] == "air 1"
    for query, count in (
        ("&device=air-0", 3),
        ("&reason=wrong%20type", 1),
        ("&profile=air", 5),
        ("&profile=air%202", 0),
    ):
        assert len(await desk.letters(query)) == count, query
    whole = await desk.ask("GET", f"/v1/dead/{found[1]['id']}")
    assert whole.json == found[1]


async def test_a_letter_of_another_tenant_or_stream_is_not_there(desk: Desk) -> None:
    identifier = (await desk.letters())[0]["id"]
    sequence, _, mark = identifier.partition("-")
    wrong = [f"{int(sequence) - 1}-{mark}", f"999-{mark}", sequence, "x", f"{'9' * 30}-{mark}", f"{sequence}-{mark}0"]
    for one in wrong:
        assert (await desk.ask("GET", f"/v1/dead/{one}")).status == 404, one
    with pytest.raises(NotFound):
        await desk.services.letters.find("harbour", identifier)


async def test_a_replayed_letter_is_applied_once_under_its_own_time(desk: Desk) -> None:
    house = desk.house
    await house.registry.register_profile(house.city, MENDED, principal="test", at_us=T0_US)
    ids = [one["id"] for one in await desk.letters("&device=air-0")]
    heard = "SELECT device_key, messages, last_at FROM heard ORDER BY device_key"
    counted = await house.city.fetch(heard)
    answers = await asyncio.gather(*(desk.ask("POST", "/v1/dead/replay", {"ids": ids, **WHY}) for _ in range(3)))
    assert [answer.status for answer in answers] == [200] * 3
    assert sum(answer.json["settled"] for answer in answers) == 3
    house.sent = (await house.log.stream_info("RAW")).state.last_seq
    await house.record()
    assert await house.past("NO2") == [(0.0, 30.0), (1.0, 31.0), (2.0, 32.0)]
    assert await house.city.fetch(heard) == counted, "a message is counted when it comes"
    assert await desk.letters("&device=air-0") == []
    origins = await house.city.fetch("SELECT principal FROM origin WHERE kind = 'pack' AND principal LIKE 'replay%'")
    assert [row["principal"] for row in origins] == ["replay by engineer"] * 3
    again = (await desk.ask("POST", "/v1/dead/replay", {"ids": ids[:1], **WHY})).json
    assert again["settled"] == 0 and again["left"] == [{"id": ids[0], "why": "it is not there, or not any more"}]
    assert (await desk.audited())[0] == ("dead.replay", "1 letters", {"why": WHY["why"], "ids": ids[:1]})


async def test_a_replay_that_is_killed_between_its_steps_applies_each_once(desk: Desk) -> None:
    """The log has the pack and dies before the letter is taken out of DEAD; later the replay is asked for again."""
    house = desk.house
    await house.registry.register_profile(house.city, MENDED, principal="test", at_us=T0_US)
    [letter, *_] = [one["id"] for one in await desk.letters("&device=air-0")]

    class Dying:
        """A log whose answer never arrives."""

        client = house.log.client
        stream_info = staticmethod(house.log.stream_info)

        async def append_raw(self, pack: Pack) -> Position:
            await house.log.append_raw(pack)
            raise EngineFailed("killed")

    engineer = Principal.account("engineer", "E", "city", ["engineer"])
    dying = Letters(Dying(), desk.services.access.audit, partitions=1)  # type: ignore[arg-type]  # all that it asks of a log
    with pytest.raises(EngineFailed):
        await dying.settle_some(engineer, 1, [letter], why="try", is_replay=True)
    await house.record()
    assert len(await desk.letters("&device=air-0")) == 3, "it is still there, and may be asked for again"
    # Beyond the window in which JetStream itself remembers ids, the recorder is the one who drops the second.
    found = await desk.services.letters.find("city", letter)
    identity, key = letters.replay_pack_id(found.letter), found.letter.device_key
    pack = Pack(identity, "city", 0, "again", [key], [T0_US], ["readings"], [b'{"nitrogen":99}'])
    await house.log.client.jetstream().publish("raw.city.0", encode_pack(pack))
    assert (await desk.ask("POST", "/v1/dead/replay", {"ids": [letter], **WHY})).json["settled"] == 1
    house.sent = (await house.log.stream_info("RAW")).state.last_seq
    await house.record()
    assert await house.past("NO2") == [(2.0, 32.0)]


async def test_all_are_replayed_in_steps_and_what_dies_again_is_left_alone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(letters, "MAX_SETTLED", 2)
    house = desk.house
    body: dict[str, Any] = {"all": True, "profile": "air 1", **WHY}
    settled, rounds = 0, 0
    while body.get("after", 0) is not None:
        answer = (await desk.ask("POST", "/v1/dead/replay", body)).json
        settled, rounds = settled + answer["settled"], rounds + 1
        body |= {"after": answer["after"], "until": answer["until"]}
        house.sent = (await house.log.stream_info("RAW")).state.last_seq
        await house.record()  # the profile is not mended: each dies again
    assert (settled, rounds) == (5, 3)
    assert len(await desk.letters()) == 5
    assert [one["received_at"] for one in await desk.letters("&device=air-0")] == [
        f"2026-01-01T00:00:0{n}Z" for n in (2, 1, 0)
    ]


async def test_discarded_letters_are_gone_and_their_reason_stays(desk: Desk) -> None:
    answer = await desk.ask("POST", "/v1/dead/discard", {"all": True, "reason": "not JSON", "why": "a test device"})
    assert answer.json["settled"] == 1 and answer.json["after"] is None
    assert len(await desk.letters()) == 4
    ((action, subject, detail),) = await desk.audited()
    assert (action, subject, detail["why"]) == ("dead.discard", "reason not JSON", "a test device")


async def test_a_damaged_pack_cannot_be_replayed_and_can_be_discarded(desk: Desk) -> None:
    house = desk.house
    await house.log.client.jetstream().publish("raw.city.0", b"no pack")
    house.sent += 1
    await house.record()
    [damaged] = await desk.letters("&reason=corrupt%20pack")
    answer = (await desk.ask("POST", "/v1/dead/replay", {"ids": [damaged["id"]], **WHY})).json
    assert answer["settled"] == 0 and answer["left"][0]["why"] == letters.DAMAGED
    assert (await desk.ask("POST", "/v1/dead/discard", {"ids": [damaged["id"]], **WHY})).json["settled"] == 1


@pytest.mark.parametrize(
    "body", [{"ids": ["1-a"]}, {**WHY}, {"all": True, "ids": ["1-a"], **WHY}, {"all": True, "why": "  "}]
)
async def test_a_settlement_says_which_and_why(desk: Desk, body: dict[str, Any]) -> None:
    assert (await desk.ask("POST", "/v1/dead/discard", body)).status == 400
    assert await desk.audited() == []


async def test_who_may_look_may_not_settle(desk: Desk) -> None:
    assert (await desk.ask("GET", "/v1/dead", role="dispatcher")).status == 200
    assert (await desk.ask("GET", "/v1/dead", role="viewer")).status == 403
    for verb in ("replay", "discard"):
        answer = await desk.ask("POST", f"/v1/dead/{verb}", {"all": True, **WHY}, role="dispatcher")
        assert answer.status == 403
    assert len(await desk.letters()) == 5
