"""Whoever plans is killed, or ends: nothing half-made is shown, no process stays, and the plan is begun anew."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from broadstreet.apis import Services
from broadstreet.jobs import MAX_ATTEMPTS
from broadstreet.jobs.job import LOST_US
from broadstreet.log.ending import end
from broadstreet.model.clock import US_PER_S
from broadstreet.model.errors import EngineFailed
from tests.contract.conftest import Clock
from tests.contract.planning import Desk, open_desk
from tests.quarter import grid

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def desk(services: Services, tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(services, tmp_path) as opened:
        yield opened


async def grid_town(desk: Desk) -> str:
    """A scenario whose search goes on until it is stopped; answers its id."""
    streets, homes, critical = grid()
    project = await desk.town(streets=streets, homes=homes)
    return await desk.scenario(project, "Grid", seconds=300, critical=critical)


def planners(desk: Desk) -> list[int]:
    """Processes that plan in the house's folder."""
    folder, found = os.fsencode(desk.services.data_path / "run" / "plans"), list[int]()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if folder in path.read_bytes():
                found.append(int(path.parent.name))
    return found


async def a_planner(desk: Desk) -> int:
    """The one process that plans, as soon as there is one."""
    while not (found := planners(desk)):  # noqa: ASYNC110  # another process begins, and tells nobody here
        await asyncio.sleep(0.02)
    assert len(found) == 1
    return found[0]


async def no_planner(desk: Desk) -> None:
    async with asyncio.timeout(30):
        while planners(desk):  # noqa: ASYNC110  # other processes end, and tell nobody here
            await asyncio.sleep(0.02)


async def bettered(desk: Desk, scenario: str) -> None:
    """A first plan is found, and the search goes on."""
    while not (found := await desk.get(f"/scenarios/{scenario}"))["progress"]:
        assert found["state"] in ("waiting", "running"), found
        await asyncio.sleep(0.05)
    assert found["stage"] == "planning"


async def nothing_is_shown(desk: Desk, scenario: str) -> None:
    found = await desk.get(f"/scenarios/{scenario}")
    assert (found["state"], found["outcome"]) == ("running", None)
    for path in ("layers/ways", "bill", "export?format=csv&part=bill"):
        assert (await desk.get(f"/scenarios/{scenario}/{path}", 409))["status"] == 409
    assert not list((desk.services.data_path / "plans").rglob("designs/*"))


async def killed_role(desk: Desk, dsn: str, jobs: Path, scenario: str) -> None:
    """A role takes the plan, is in the midst of the search, and is killed."""
    arguments = (dsn, str(desk.services.data_path), str(jobs), str(desk.services.clock()))
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.crash.planning", *arguments, cwd=ROOT)
    try:
        await bettered(desk, scenario)
        assert await a_planner(desk)
    finally:
        process.kill()
        await process.wait()


async def killed_process(desk: Desk) -> None:
    """The role goes on, but its process that plans is killed."""
    working = asyncio.create_task(desk.work())
    os.kill(await a_planner(desk), signal.SIGKILL)
    with pytest.raises(EngineFailed, match="was killed"):
        await working


async def killed_papers(desk: Desk, scenario: str, kills: int, status: int) -> dict[str, Any]:
    """Papers are asked for, and the first processes that make them are killed; answers what is said then."""
    asked = asyncio.create_task(desk.ask("GET", f"/scenarios/{scenario}/export?format=csv&part=bill"))
    killed = set[int]()
    for _ in range(kills):
        while not (found := set(planners(desk)) - killed):
            assert not asked.done()
            await asyncio.sleep(0.02)
        for process in found:
            os.kill(process, signal.SIGKILL)
        killed |= found
    answer = await asked
    assert (answer.status, len(killed)) == (status, kills), answer.body
    return {} if status == 200 else answer.json


async def test_a_plan_is_begun_anew_after_each_kill_and_stopped_with_the_best(
    desk: Desk, services_dsn: str, clock: Clock, tmp_path: Path
) -> None:
    scenario = await grid_town(desk)
    await killed_role(desk, services_dsn, tmp_path / "exports", scenario)
    await no_planner(desk)
    await nothing_is_shown(desk, scenario)
    assert not await desk.work(), "the role may be at it still"
    clock.forward(LOST_US / US_PER_S + 1)
    await killed_process(desk)
    await nothing_is_shown(desk, scenario)
    clock.forward(LOST_US / US_PER_S + 1)

    working = asyncio.create_task(desk.work())
    await a_planner(desk)
    await desk.until(scenario, "preparing", "planning")
    await bettered(desk, scenario)
    assert (await desk.ask("POST", f"/scenarios/{scenario}/stop")).status == 202
    assert await working
    found: dict[str, Any] = await desk.get(f"/scenarios/{scenario}")
    assert (found["state"], found["findings"], found["outcome"]["was_stopped"]) == ("planned", [], True)
    assert found["outcome"]["seconds"] < found["wish"]["seconds"] / 2
    assert found["outcome"]["served"] == 352 and found["outcome"]["second"] > 0
    assert found["outcome"]["cost_cents"] == found["progress"][-1]["cost_cents"]
    assert (await desk.get(f"/scenarios/{scenario}/layers/ways"))["features"]
    assert not list((desk.services.data_path / "run" / "plans").rglob("task.json"))


async def test_papers_are_begun_anew_after_a_kill_and_what_is_killed_each_time_says_so(desk: Desk) -> None:
    scenario = (await desk.planned(await desk.town(), "Town"))["id"]
    refused = await killed_papers(desk, scenario, MAX_ATTEMPTS, 503)
    assert "was killed" in refused["detail"] and refused["remedy"].startswith("Ask for it once more")
    await killed_papers(desk, scenario, MAX_ATTEMPTS - 1, 200)
    await killed_papers(desk, scenario, 0, 200)
    left = [path.name for path in (desk.services.data_path / "run" / "plans").rglob("*.json")]
    assert left == [], "of tasks and orders nothing stays"


async def test_a_role_that_ends_takes_its_process_along_and_what_is_killed_each_time_fails(
    desk: Desk, clock: Clock
) -> None:
    scenario = await grid_town(desk)
    role = asyncio.create_task(desk.work())
    await a_planner(desk)
    await end([role])  # which is said again and again until it has ended
    assert role.cancelled()
    assert planners(desk) == []
    await nothing_is_shown(desk, scenario)
    for _ in range(MAX_ATTEMPTS - 2):
        clock.forward(LOST_US / US_PER_S + 1)
        await killed_process(desk)
    clock.forward(LOST_US / US_PER_S + 1)
    working = asyncio.create_task(desk.work())
    os.kill(await a_planner(desk), signal.SIGKILL)
    assert await working
    failed = await desk.get(f"/scenarios/{scenario}")
    assert failed["state"] == "failed" and "ended with -9" in failed["trouble"]["detail"], failed
    assert failed["trouble"]["remedy"].startswith("Plan a smaller area")
