"""A desk at which somebody plans: the HTTP API over a small town, and who does the jobs."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from litestar import Litestar

from broadstreet.apis import Services, create_app
from broadstreet.jobs import Jobs, Worker
from broadstreet.network.scenarios import KIND, LOOK, SENSORS, SitingWork
from tests.asgi import Answer, ask
from tests.contract.doors import issue
from tests.quarter import HOMES, INPUTS, STREETS


class Desk:
    """Somebody who plans, at the HTTP API."""

    def __init__(self, app: Litestar, services: Services, token: str) -> None:
        self._app, self.services, self.token = app, services, token
        plans = services.plans
        does = {KIND: plans.work, LOOK: plans.look_work, SENSORS: SitingWork(plans).work}
        self.worker = Worker(plans.jobs, does, "w")

    async def ask(self, method: str, path: str, body: Any = b"", **headers: str) -> Answer:
        sent = {"authorization": f"Bearer {self.token}", **headers}
        if body and "content-type" not in sent:
            sent["content-type"] = "application/json"
        return await ask(self._app, method, f"/v1/network{path}", headers=sent, body=body)

    async def get(self, path: str, status: int = 200) -> Any:
        answer = await self.ask("GET", path)
        assert answer.status == status, answer.body
        return answer.json

    async def post(self, path: str, body: Any = b"", status: int = 201) -> Any:
        answer = await self.ask("POST", path, body)
        assert answer.status == status, answer.body
        return answer.json

    async def put(self, path: str, body: bytes, status: int = 200) -> Any:
        answer = await self.ask("PUT", path, body, **{"content-type": "application/octet-stream"})
        assert answer.status == status, answer.body
        return answer.json

    async def audited(self) -> list[str]:
        rows = await self.services.store.control.fetch("SELECT action FROM audit WHERE principal = 'ann' ORDER BY key")
        return [row["action"] for row in rows]

    async def town(self, name: str = "Town", *, streets: bytes = STREETS, homes: bytes = HOMES, **inputs: Any) -> str:
        """A project of the small town, or of another by the same inputs; answers its id."""
        project: str = (await self.post("/projects", {"name": name, "inputs": {**INPUTS, **inputs}}))["id"]
        await self.put(f"/projects/{project}/sources/streets.geojson", streets)
        await self.put(f"/projects/{project}/sources/homes.csv", homes)
        return project

    async def scenario(self, project: str, name: str, **wish: Any) -> str:
        """A scenario that is begun; answers its id."""
        body = {"name": name, "wish": {"seconds": 1, **wish}, "begin": True}
        identifier: str = (await self.post(f"/projects/{project}/scenarios", body))["id"]
        return identifier

    async def work(self) -> bool:
        """Do the next job; whether there was one."""
        return await self.worker.do_next(await self.services.store.tenant("city"))

    async def planned(self, project: str, name: str, **wish: Any) -> dict[str, Any]:
        """A scenario, planned or failed."""
        identifier = await self.scenario(project, name, **wish)
        assert await self.work()
        found: dict[str, Any] = await self.get(f"/scenarios/{identifier}")
        return found

    async def until(self, scenario: str, *states: str) -> dict[str, Any]:
        """A scenario once it is in one of these states, or stages."""
        while True:
            found: dict[str, Any] = await self.get(f"/scenarios/{scenario}")
            if found["state"] in states or found["stage"] in states:
                return found
            await asyncio.sleep(0.05)


@asynccontextmanager
async def open_desk(services: Services, folder: Path) -> AsyncIterator[Desk]:
    """A desk whose jobs' files are in a folder."""
    jobs = Jobs(services.store, folder / "exports", services.clock, os.urandom)
    services = replace(services, jobs=jobs)
    yield Desk(create_app(services), services, await issue(services, "ann", ["engineer"]))
