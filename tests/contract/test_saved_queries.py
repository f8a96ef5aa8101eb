"""Queries that people keep under a name: for themselves, or for their colleagues too."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from broadstreet.apis import Services
from broadstreet.portal import saved
from tests.asgi import Answer, ask
from tests.contract.conftest import Clock
from tests.contract.doors import ORIGIN, issue
from tests.contract.house import portal_of, whole_app

PATH = "/portal/api/queries"


class Desk:
    """Somebody at the portal."""

    def __init__(self, app: Any, session: str) -> None:
        self._app = app
        self._headers = {"cookie": f"broadstreet_session={session}", **ORIGIN}

    async def ask(self, method: str, path: str = PATH, body: object = b"") -> Answer:
        return await ask(self._app, method, path, headers=self._headers, body=body)

    async def keep(self, name: str, query: str = "type=Bench", **more: object) -> Answer:
        return await self.ask("POST", body={"name": name, "query": query, **more})

    async def seen(self) -> list[tuple[str, str, bool]]:
        return [(one["name"], one["owner"], one["is_own"]) for one in (await self.ask("GET")).json]


@pytest.fixture
async def desks(services: Services, data_dir: Path, clock: Clock) -> AsyncIterator[dict[str, Desk]]:
    """An analyst, a viewer and a steward of the city, and an engineer of the harbour."""
    people = (("anna", "analyst", "city"), ("ville", "viewer", "city"), ("sara", "steward", "city"))
    async with portal_of(services, data_dir) as portal:
        app, opened = whole_app(services, portal), {}
        for name, role, tenant in (*people, ("helmi", "engineer", "harbour")):
            await services.access.accounts.create(name, name.title(), tenant=tenant, roles=[role], by="test")
            session = await services.access.tokens.issue(name, "session", "test", 3_600, by="test")
            opened[name] = Desk(app, session.secret)
        yield opened


async def test_one_sees_ones_own_and_what_colleagues_share(desks: dict[str, Desk], services: Services) -> None:
    anna, ville, helmi = desks["anna"], desks["ville"], desks["helmi"]
    made = await anna.keep("Cold benches", "type=Bench&q=t%3C0", is_shared=True)
    assert made.status == 201
    assert made.json == {
        "id": made.json["id"],
        "name": "Cold benches",
        "query": "type=Bench&q=t%3C0",
        "owner": "Anna",
        "is_own": True,
        "is_shared": True,
        "changed_at": "2026-03-01T12:00:00Z",
    }
    await anna.keep("Mine alone")
    await ville.keep("All benches")
    assert await anna.seen() == [("Cold benches", "Anna", True), ("Mine alone", "Anna", True)]
    assert await ville.seen() == [("All benches", "Ville", True), ("Cold benches", "Anna", False)]
    assert await helmi.seen() == []
    lines = await services.store.control.fetch(
        "SELECT subject, detail FROM audit WHERE action = 'query.save' ORDER BY key"
    )
    assert [line["subject"] for line in lines] == ["Cold benches", "Mine alone", "All benches"]
    assert lines[0]["detail"] == {"query": "type=Bench&q=t%3C0", "is_shared": True}


async def test_the_same_name_is_kept_anew(desks: dict[str, Desk], clock: Clock) -> None:
    anna = desks["anna"]
    first = (await anna.keep("Benches", is_shared=True)).json
    clock.forward(60)
    second = (await anna.keep("Benches", "type=Bin")).json
    assert (second["id"], second["query"], second["is_shared"]) == (first["id"], "type=Bin", False)
    assert await desks["ville"].seen() == []


async def test_ones_own_is_removed_and_a_steward_removes_what_is_shared(desks: dict[str, Desk]) -> None:
    anna, ville, sara = desks["anna"], desks["ville"], desks["sara"]
    shared = (await anna.keep("Shared", is_shared=True)).json["id"]
    alone = (await anna.keep("Alone")).json["id"]
    assert (await ville.ask("DELETE", f"{PATH}/{shared}")).status == 404
    assert (await sara.ask("DELETE", f"{PATH}/{alone}")).status == 404, "what is not shared is its owner's alone"
    assert (await sara.ask("DELETE", f"{PATH}/{shared}")).status == 204
    assert (await anna.ask("DELETE", f"{PATH}/{alone}")).status == 204
    assert (await anna.ask("DELETE", f"{PATH}/{alone}")).status == 404
    assert await anna.seen() == []


@pytest.mark.parametrize(
    "wrong",
    [{"name": ""}, {"name": " x"}, {"name": "x" * 121}, {"query": ""}, {"query": "x" * 8_193}, {"is_shared": "yes"}],
)
async def test_what_cannot_be_kept_is_refused(desks: dict[str, Desk], wrong: dict[str, object]) -> None:
    answer = await desks["anna"].ask("POST", body={"name": "a", "query": "type=B", **wrong})
    assert answer.status == 400, answer.body


async def test_an_account_keeps_so_many(desks: dict[str, Desk], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved, "MAX_KEPT", 2)
    anna = desks["anna"]
    assert [(await anna.keep(name)).status for name in ("a", "b", "c", "b")] == [201, 201, 429, 201]
    assert (await desks["ville"].keep("a")).status == 201


async def test_a_token_keeps_nothing(desks: dict[str, Desk], services: Services) -> None:
    secret = await issue(services, "robot", ["administrator"])
    app = desks["anna"]._app
    headers = {"authorization": f"Bearer {secret}"}
    assert (await ask(app, "POST", PATH, headers=headers, body={"name": "a", "query": "b"})).status == 403
    assert (await ask(app, "GET", PATH, headers=headers)).json == []
