"""`/v1`: devices, profiles, datasets, accounts and the audit, each through the whole application."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar

from broadstreet.apis import Services
from broadstreet.apis.devices import MAX_BULK
from tests.asgi import Answer, ask
from tests.contract.conftest import Clock
from tests.contract.house import portal_of, whole_app
from tests.contract.portal_house import AIR


@dataclass
class Api:
    """The application, as an administrator's program sees it."""

    app: Litestar
    services: Services
    token: str

    async def ask(self, method: str, target: str, body: bytes | object = b"", **headers: str) -> Answer:
        sent = {"authorization": f"Bearer {self.token}", **headers}
        return await ask(self.app, method, target, headers=sent, body=body)

    async def get(self, target: str) -> Any:
        answer = await self.ask("GET", target)
        assert answer.status == 200, answer.body
        return answer.json

    async def audited(self) -> list[tuple[str, str, str]]:
        """(principal, action, subject) of the audit's lines, newest first."""
        return [(line["principal"], line["action"], line["subject"]) for line in await self.get("/v1/audit")]


@asynccontextmanager
async def open_api(services: Services, data_dir: Path) -> AsyncIterator[Api]:
    """The application of a house with the profile `air`."""
    await services.access.accounts.create("root", "Root", tenant="city", roles=["administrator"], by="test")
    token = (await services.access.tokens.issue("root", "api", "test", 3600, by="test")).secret
    async with portal_of(services, data_dir) as portal:
        opened = Api(whole_app(services, portal), services, token)
        assert (await opened.ask("POST", "/v1/profiles", AIR.encode())).status == 201
        yield opened


@pytest.fixture
async def api(services: Services, data_dir: Path) -> AsyncIterator[Api]:
    async with open_api(services, data_dir) as opened:
        yield opened


def device(name: str, **more: object) -> dict[str, object]:
    return {"id": name, "title": f"Air {name}", "profile": "air", "lon": 24.95, "lat": 60.17, **more}


async def test_a_device_is_registered_found_shut_out_and_let_in(api: Api, clock: Clock) -> None:
    made = await api.ask("POST", "/v1/devices", device("a-1"))
    assert made.status == 201
    secret = made.json["secret"]
    assert await api.services.registry.authenticate("a-1", secret, at_us=clock()) is not None
    found = await api.get("/v1/devices/a-1")
    assert (found["entity"], found["profile"], found["profile_version"]) == (made.json["entity"], "air", 1)
    assert (found["registered_at"], found["last_heard_at"], found["messages"]) == ("2026-03-01T12:00:00Z", None, 0)
    assert (await api.ask("POST", "/v1/devices", device("a-1"))).status == 409
    newer = (await api.ask("POST", "/v1/devices/a-1/secret")).json["secret"]
    assert await api.services.registry.authenticate("a-1", secret, at_us=clock()) is None
    assert (await api.ask("DELETE", "/v1/devices/a-1")).status == 204
    assert (await api.get("/v1/devices/a-1"))["disabled_at"] == "2026-03-01T12:00:00Z"
    assert await api.services.registry.authenticate("a-1", newer, at_us=clock()) is None
    newest = (await api.ask("POST", "/v1/devices/a-1/secret")).json["secret"]
    assert await api.services.registry.authenticate("a-1", newest, at_us=clock()) is None, "it stays disabled"
    assert (await api.ask("POST", "/v1/devices/a-1/enable")).status == 204
    assert await api.services.registry.authenticate("a-1", newest, at_us=clock()) is not None
    assert [action for _, action, subject in await api.audited() if subject == "a-1"] == [
        "device.enable",
        "device.secret",
        "device.disable",
        "device.secret",
        "device.create",
    ]


@pytest.mark.parametrize(
    ("change", "status", "where"),
    [
        ({"id": "two words"}, 400, "device"),
        ({"lat": 91}, 400, "lon, lat"),
        ({"profile": "none"}, 404, "profile"),
        ({"secret": "short"}, 400, "secret"),
        ({"lon": "east"}, 400, None),
    ],
)
async def test_a_device_that_cannot_be_is_refused_in_words(
    api: Api, change: dict[str, object], status: int, where: str | None
) -> None:
    answer = await api.ask("POST", "/v1/devices", device("a-1", **change))
    assert answer.status == status
    assert where is None or answer.json["where"] == where
    assert await api.get("/v1/devices") == []


async def test_many_devices_come_by_the_line(api: Api) -> None:
    lines = b"\n".join(json.dumps(device(f"a-{n:03}")).encode() for n in range(250)) + b"\n"
    answer = await api.ask("POST", "/v1/devices/bulk", lines)
    made = [json.loads(line) for line in answer.body.splitlines()]
    assert (answer.status, answer.headers["content-type"]) == (200, "application/x-ndjson")
    assert [one["id"] for one in made] == [f"a-{n:03}" for n in range(250)] and all(one["secret"] for one in made)
    again = await api.ask("POST", "/v1/devices/bulk", lines)
    assert [json.loads(line)["secret"] for line in again.body.splitlines()] == [None] * 250
    seen: list[str] = []
    while page := await api.get(f"/v1/devices?limit=100&after={seen[-1] if seen else ''}"):
        seen += [one["id"] for one in page]
    assert seen == [f"a-{n:03}" for n in range(250)]


async def test_a_bulk_with_a_wrong_line_keeps_nothing(api: Api) -> None:
    lines = json.dumps(device("a-1")).encode() + b'\n{"id": "a-2"}'
    answer = await api.ask("POST", "/v1/devices/bulk", lines)
    assert (answer.status, answer.json["where"]) == (400, "line 2")
    assert await api.get("/v1/devices") == []
    assert (await api.ask("POST", "/v1/devices/bulk", b"\n" * (MAX_BULK + 2))).status == 413
    assert (await api.ask("POST", "/v1/devices/bulk", b"\n")).status == 400


async def test_a_mended_profile_is_a_new_version(api: Api) -> None:
    same = await api.ask("POST", "/v1/profiles", AIR.encode())
    assert same.json["version"] == 1
    mended = await api.ask("POST", "/v1/profiles", AIR.replace("limit = 200", "limit = 180").encode())
    assert (mended.status, mended.json["version"]) == (201, 2)
    assert [version["version"] for version in await api.get("/v1/profiles/air")] == [2, 1]
    (newest,) = await api.get("/v1/profiles")
    assert (newest["type"], newest["attributes"]) == ("AirQualityObserved", ["NO2", "temperature"])
    for wrong in (b"\xff", b"[profile]", b"not toml"):
        assert (await api.ask("POST", "/v1/profiles", wrong)).status == 400


async def test_a_steward_says_who_answers_for_data(api: Api) -> None:
    facts = {"id": "urn:x:air", "title": "Air", "owner": "Environment office", "retention_days": 90}
    assert (await api.ask("PUT", "/v1/datasets", facts)).status == 204
    assert (await api.ask("PUT", "/v1/datasets", {**facts, "personal_data": "pseudonymous"})).status == 204
    await api.ask("POST", "/v1/devices", device("a-1", dataset="urn:x:air"))
    (dataset,) = await api.get("/v1/datasets")
    assert (dataset["owner"], dataset["retention_days"], dataset["personal_data"]) == (
        "Environment office",
        90,
        "pseudonymous",
    )
    assert dataset["series"] == 4
    for wrong in ({"id": "air"}, {"title": ""}, {"retention_days": 0}, {"personal_data": "much"}):
        assert (await api.ask("PUT", "/v1/datasets", {**facts, **wrong})).status == 400, wrong


async def test_people_are_let_in_and_taken_their_roles(api: Api) -> None:
    new = {"name": "farr", "title": "William Farr", "roles": ["steward"], "password": "the bills of mortality"}
    assert (await api.ask("POST", "/v1/accounts", new)).status == 201
    assert (await api.ask("PUT", "/v1/accounts/farr/roles/analyst")).status == 204
    assert (await api.ask("DELETE", "/v1/accounts/farr/roles/steward")).status == 204
    farr, root = await api.get("/v1/accounts")
    assert (farr["name"], farr["roles"], farr["has_password"]) == ("farr", ["analyst"], True)
    assert (root["roles"], root["has_password"]) == (["administrator"], False)
    assert (await api.ask("PUT", "/v1/accounts/farr/roles/king")).status == 400
    assert (await api.ask("PUT", "/v1/accounts/nobody/roles/viewer")).status == 404
    assert b"mortality" not in (await api.ask("GET", "/v1/audit")).body


async def test_figures_for_prometheus(api: Api) -> None:
    await api.get("/v1/devices")
    await api.ask("GET", "/v1/nothing")
    page = (await api.ask("GET", "/metrics")).body.decode()
    assert 'broadstreet_http_requests_total{method="GET",route="/v1/devices",status="2xx"} 1' in page
    assert 'broadstreet_http_first_byte_seconds_count{route="/v1/devices"} 1' in page
    for line in page.splitlines():
        assert line.startswith("# ") or line.rsplit(" ", 1)[1].replace(".", "").replace("e-", "").isdigit(), line


async def test_readiness_names_what_does_not_answer(api: Api) -> None:
    ready = await ask(api.app, "GET", "/ready")
    assert (ready.status, ready.json["ready"]) == (200, True)
    assert {part["name"] for part in ready.json["parts"]} == {"postgres", "migrations", "log"}
    await api.services.log.client.close()
    lost = await ask(api.app, "GET", "/ready")
    assert (lost.status, lost.json["ready"]) == (503, False)
    assert [part["name"] for part in lost.json["parts"] if not part["ready"]] == ["log"]
    assert (await ask(api.app, "GET", "/health")).json == {"status": "alive"}
