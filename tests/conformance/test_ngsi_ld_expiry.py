"""Transient entities and attributes (4.22): shown until their end and never after it, and then deleted for good."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from broadstreet.app import expiring
from broadstreet.app.expiring import Expiring
from broadstreet.context import Reaper
from broadstreet.context.reaping import BY
from broadstreet.context.transience import END
from broadstreet.log import ending
from broadstreet.model.change import Flag, decode_changes
from broadstreet.model.clock import US_PER_S, format_rfc3339
from broadstreet.model.errors import Unavailable
from tests.conformance.conftest import Client, Ticking

SOON_S = 600
POLL_S, POLLS = 0.02, 3_000
FAR = "2100-01-01T00:00:00Z"
PLACE = {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [24.9, 60.1]}}


def clock(client: Client) -> Ticking:
    assert isinstance(client.services.clock, Ticking)
    return client.services.clock


def soon(client: Client) -> str:
    """When what a test makes ends."""
    return format_rfc3339(clock(client).now_us + SOON_S * US_PER_S)


def wait(client: Client) -> None:
    """Let that moment pass."""
    clock(client).now_us += SOON_S * US_PER_S


async def reap(client: Client) -> None:
    await Reaper(client.services.store).reap(client.database.name, client.services.clock())


def ends(value: Any, end: str, **more: Any) -> dict[str, Any]:
    return {"type": "Property", "value": value, END: end, **more}


async def status(client: Client, target: str) -> int:
    return (await client.ask("GET", target)).status


@pytest.mark.parametrize("is_reaped", [False, True])
async def test_an_entity_is_there_until_its_end(client: Client, is_reaped: bool) -> None:
    kind = client.name()
    entity = await client.make(kind, name="passing", expiresAt=soon(client))
    other = await client.make(kind, name="staying", to={"type": "Relationship", "object": entity})
    found = await client.get(f"entities?type={kind}&count=true")
    assert [one["id"] for one in found] == [entity, other]
    wait(client)
    if is_reaped:
        await reap(client)
    assert await status(client, f"entities/{entity}") == 404
    answer = await client.ask("GET", f"entities?type={kind}&count=true&join=flat")
    assert [one["id"] for one in answer.json] == [other] and answer.headers["ngsild-results-count"] == "1"
    assert (await client.get(f"types/{kind}"))["entityCount"] == 1
    assert await client.get(f'entities?type={kind}&join=flat&q=to{{name}}=="passing"') == []
    for method, target in (("DELETE", ""), ("PATCH", ""), ("PATCH", "/attrs")):
        assert (await client.ask(method, f"entities/{entity}{target}", {"name": "x"})).status == 404
    when = "timerel=after&timeAt=2020-01-01T00:00:00Z"
    answer = await client.ask("GET", f"temporal/entities?type={kind}&count=true&{when}")
    assert [one["id"] for one in answer.json] == [other] and answer.headers["ngsild-results-count"] == "1"
    history = await client.get(f"temporal/entities/{entity}")
    assert [one["value"] for one in history["name"]] == ["passing"]
    await client.make(kind, id=entity, size=1)
    assert await client.get(f"entities/{entity}") == {
        "id": entity,
        "type": kind,
        "size": {"type": "Property", "value": 1},
    }
    wait(client)
    await reap(client)
    assert await status(client, f"entities/{entity}") == 200


@pytest.mark.parametrize("is_reaped", [False, True])
async def test_an_attribute_is_there_until_its_end(client: Client, is_reaped: bool) -> None:
    kind, end, data = client.name(), soon(client), "urn:ngsi-ld:data:1"
    several = [{"type": "Property", "value": 1}, ends(2, end, datasetId=data)]
    passing = client.name()
    members = {passing: ends(5, end), "place": {**PLACE, END: end}, "many": several}
    entity = await client.make(kind, **members, stays=ends(7, FAR, part=ends(8, end), note=ends(9, FAR)))
    asked = [f"q={passing}", f"q={passing}==5", f"attrs={passing}", "q=many==2", "q=stays.part==8"]
    near = "georel=near;maxDistance==9&geometry=Point&coordinates=[24.9,60.1]&geoproperty=place"
    for one in (*asked, near):
        assert len(await client.get(f"entities?type={kind}&{one}")) == 1
    wait(client)
    if is_reaped:
        await reap(client)
    shown = await client.get(f"entities/{entity}")
    assert shown["many"] == {"type": "Property", "value": 1}
    assert shown["stays"] == {"type": "Property", "value": 7, "note": {"type": "Property", "value": 9}}
    assert passing not in shown and "place" not in shown
    assert await client.get(f"entities?type={kind}") == [shown]
    for one in (*asked[: None if is_reaped else -1], near):
        assert await client.get(f"entities?type={kind}&{one}") == [], one
    assert len(await client.get(f"entities?type={kind}&q=stays==7")) == 1
    assert await status(client, f"attributes/{passing}") == 404
    history = await client.get(f"temporal/entities/{entity}")
    assert passing not in history and history["stays"]
    assert (await client.ask("PATCH", f"entities/{entity}/attrs/{passing}", {"value": 6})).status == 404
    if is_reaped:
        left = await client.database.fetchval("SELECT count(*) FROM transient WHERE next_at < $1", clock(client).now_us)
        kept = (
            "SELECT count(*) FROM observation o JOIN series s ON s.key = o.series_key JOIN term t ON t.key = s.term_key"
        )
        assert (left, await client.database.fetchval(f"{kept} WHERE t.iri LIKE '%/' || $1", passing)) == (0, 0)


async def test_an_end_is_shown_with_the_times_of_the_system_alone(client: Client) -> None:
    members: dict[str, Any] = {
        "vocab": {"type": "VocabProperty", "vocab": "x", END: FAR},
        "json": {"json": {"a": 1}, END: FAR},
    }
    entity = await client.make(expiresAt=FAR, a=ends(1, FAR, part=ends(2, FAR)), **members)
    assert END not in str(await client.get(f"entities/{entity}?options=concise"))
    shown = await client.get(f"entities/{entity}?options=sysAttrs")
    assert shown[END] == shown["a"][END] == shown["a"]["part"][END] == FAR
    assert shown["vocab"][END] == shown["json"][END] == FAR
    over_time = f"temporal/entities/{entity}?timerel=after&timeAt=2020-01-01T00:00:00Z"
    assert END not in str(await client.get(over_time))
    assert (await client.get(f"{over_time}&options=sysAttrs"))["a"][0][END] == FAR
    assert len(await client.get(f"entities?q=a.expiresAt=={FAR}&id={entity}")) == 1


async def test_each_operation_sets_keeps_or_takes_away_an_end_by_its_own_rule(client: Client) -> None:
    async def told(entity: str) -> tuple[str | None, str | None]:
        shown = await client.get(f"entities/{entity}?options=sysAttrs")
        return shown.get(END), shown["a"].get(END)

    async def does(method: str, target: str, body: dict[str, Any]) -> None:
        answer = await client.ask(method, f"entities/{entity}{target}", body)
        assert answer.status == 204, answer.body

    entity = await client.make("Fleeting", a=1)
    steps: list[tuple[str, str, dict[str, Any], tuple[str | None, str | None]]] = [
        ("PATCH", "", {END: FAR}, (FAR, None)),
        ("PATCH", "", {"a": {END: FAR}}, (FAR, FAR)),
        ("PATCH", "", {"a": 2}, (FAR, FAR)),
        ("PATCH", "/attrs/a", {"type": "Property", "value": 3}, (FAR, FAR)),
        ("PATCH", "/attrs", {"a": {"type": "Property", "value": 4}}, (FAR, None)),
        ("POST", "/attrs", {"a": ends(5, FAR)}, (FAR, FAR)),
        ("PATCH", "/attrs/a", {END: "urn:ngsi-ld:null"}, (FAR, None)),
        ("PUT", "/attrs/a", ends(6, FAR), (FAR, FAR)),
        ("PATCH", "", {END: "urn:ngsi-ld:null"}, (None, FAR)),
        ("POST", "/attrs", {END: FAR}, (FAR, FAR)),
        ("PUT", "", {"type": "Fleeting", "a": 7}, (None, None)),
        ("PUT", "", {"type": "Fleeting", "a": 7, END: FAR}, (FAR, None)),
    ]
    for method, target, body, expected in steps:
        await does(method, target, body)
        assert await told(entity) == expected, (method, target, body)
    upsert = {"id": entity, "type": "Fleeting", "a": ends(8, FAR)}
    assert (await client.ask("POST", "entityOperations/upsert?options=update", [upsert])).status == 204
    assert await told(entity) == (FAR, FAR)
    assert (await client.ask("POST", "entityOperations/upsert", [upsert])).status == 204
    assert await told(entity) == (None, FAR)


async def test_an_end_that_has_passed_ends_at_once_and_nonsense_is_refused(client: Client) -> None:
    entity = await client.make(a=1)
    for end in ("not-a-date", "2026-13-45T00:00:00Z", 5, None, "urn:ngsi-ld:null"):
        for body in ({END: end}, {"a": {"type": "Property", "value": 1, END: end}}):
            made = {"id": "urn:x:never", "type": "Never", **body}
            assert await client.problem("POST", "entities", made) == (400, "BadRequestData"), body
    assert (await client.ask("PATCH", f"entities/{entity}", {END: "2020-01-01T00:00:00Z"})).status == 204
    assert await status(client, f"entities/{entity}") == 404


async def test_who_takes_away_an_end_in_time_keeps_the_thing(client: Client) -> None:
    entity = await client.make(a=ends(1, soon(client)), expiresAt=soon(client))
    body = {"a": {END: "urn:ngsi-ld:null"}, END: FAR}
    assert (await client.ask("PATCH", f"entities/{entity}", body)).status == 204
    wait(client)
    await reap(client)
    assert (await client.get(f"entities/{entity}"))["a"] == {"type": "Property", "value": 1}


async def test_an_end_leaves_its_change(client: Client) -> None:
    wait(client)
    await reap(client)  # what other tests made and left
    end = soon(client)
    gone = await client.make("Passing", expiresAt=end, a=1)
    left = await client.make("Staying", a=ends(2, end))
    await client.database.execute("DELETE FROM outbox")
    wait(client)
    await reap(client)
    rows = await client.database.fetch("SELECT body FROM outbox WHERE kind = 'changes' ORDER BY key")
    batches = [decode_changes(row["body"]) for row in rows]
    assert {batch.principal for batch in batches} == {BY}
    assert [(one.id, one.operation) for batch in batches for one in batch.entities] == [(gone, "deleted")]
    changed = [change for batch in batches for change in zip(batch.old, batch.flags, strict=True)]
    assert changed == [(1.0, Flag.CURRENT | Flag.DELETED), (2.0, Flag.CURRENT | Flag.DELETED)]
    assert await client.get(f"entities/{left}") == {"id": left, "type": "Staying"}
    await client.database.execute("DELETE FROM outbox")
    await reap(client)
    assert await client.database.fetchval("SELECT count(*) FROM outbox") == 0


async def test_another_process_looks_for_ends_once_a_second(client: Client) -> None:
    """What ends is found in the database: this process was told of none."""
    kind = client.name()
    entity = await client.make(kind, a=1)
    assert await client.get(f"entities?type={kind}")
    await client.database.execute("UPDATE entity SET expires_at = $2 WHERE id = $1", entity, clock(client).now_us)
    clock(client).now_us += US_PER_S
    assert await client.get(f"entities?type={kind}") == []
    assert await status(client, f"entities/{entity}") == 404


async def test_the_house_deletes_by_itself_what_ends(client: Client) -> None:
    entity = await client.make(expiresAt=soon(client), a=1)
    wait(client)
    gone = "SELECT deleted_at IS NOT NULL AND expires_at IS NULL FROM entity WHERE id = $1"
    assert await client.database.fetchval(gone, entity) is False
    looking = asyncio.create_task(Expiring(client.services.store, client.services.clock).run())
    try:
        for _ in range(POLLS):
            if await client.database.fetchval(gone, entity):
                break
            await asyncio.sleep(POLL_S)
        else:
            pytest.fail("it is there still")
    finally:
        await ending.end([looking])


async def test_what_fails_is_tried_again(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tried = asyncio.Event()
    reaps = [Unavailable("the database restarts"), None]

    async def reap(self: Reaper, tenant: str, at_us: int) -> int:
        error = reaps.pop(0) if reaps else None
        if error is not None:
            raise error
        tried.set()
        return 0

    monkeypatch.setattr(Reaper, "reap", reap)
    monkeypatch.setattr(expiring, "EVERY_S", 0.01)
    looking = asyncio.create_task(Expiring(client.services.store, client.services.clock).run())
    try:
        async with asyncio.timeout(60):
            await tried.wait()
    finally:
        await ending.end([looking])
    assert "the database restarts" in caplog.text
