"""Exports as jobs: they end, whoever is killed; their files are fetched by whoever asked, whole or in parts."""

from __future__ import annotations

import asyncio
import csv
import io
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar

from broadstreet.apis import Services, create_app
from broadstreet.exports import KIND, Wish
from broadstreet.jobs import Job, JobLimits, Product, Worker, worker
from broadstreet.jobs.job import LOST_US, MAX_ATTEMPTS, MAX_OPEN
from broadstreet.model.errors import Conflict, NotFound, TooMany
from tests.asgi import Answer, ask
from tests.contract.bazaar import Bazaar, open_bazaar
from tests.contract.conftest import Clock
from tests.docs.pages import ROOT

ALL = Wish(begin="0001-01-01T00:00:00Z", end="9999-12-31T23:59:59Z")


@pytest.fixture
async def bazaar(services: Services, clock: Clock, tmp_path: Path) -> AsyncIterator[Bazaar]:
    async with open_bazaar(services, clock, tmp_path) as opened:
        yield opened


@pytest.fixture
async def app(bazaar: Bazaar) -> Litestar:
    return create_app(replace(bazaar.services, jobs=bazaar.jobs))


def worker_of(bazaar: Bazaar, name: str = "worker") -> Worker:
    return Worker(bazaar.jobs, {KIND: bazaar.exports.work}, name)


async def begun(bazaar: Bazaar, wish: Wish = ALL) -> Job:
    return await bazaar.exports.begin(bazaar.database, bazaar.analyst, wish, bazaar.clock())


async def found(bazaar: Bazaar, job: Job) -> Job:
    return await bazaar.jobs.find(bazaar.database, "ann", job.id, KIND)


def left(bazaar: Bazaar) -> list[str]:
    folder = bazaar.jobs.folder / "city"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


async def asked(app: Litestar, secret: str, path: str, method: str = "GET", **more: Any) -> Answer:
    headers = {"authorization": f"Bearer {secret}", **more.pop("headers", {})}
    return await ask(app, method, path, headers=headers, **more)


async def test_an_export_is_begun_followed_fetched_and_removed(bazaar: Bazaar, app: Litestar) -> None:
    secret = (await bazaar.services.access.tokens.issue("ann", "api", "script", 3600, by="test")).secret
    wish = {"from": "0001-01-01T00:00:00Z", "type": "Bench", "attrs": ["load"], "near": [24.9, 60.17, 5000]}
    one = (await asked(app, secret, "/v1/exports", "POST", body=wish)).json
    assert (one["state"], one["file"], one["error"]) == ("waiting", None, None)
    assert one["url"] == "/v1/export?type=Bench&near=24.9,60.17,5000&attrs=load&from=0001-01-01T00:00:00Z"
    assert (await asked(app, secret, f"/v1/exports/{one['id']}/file")).status == 409
    assert await worker_of(bazaar).do_next(bazaar.database)
    one = (await asked(app, secret, f"/v1/exports/{one['id']}")).json
    assert (one["state"], one["share"]) == ("done", 1.0)
    assert (await asked(app, secret, "/v1/exports")).json == [one]
    whole = await asked(app, secret, one["file"])
    assert whole.headers["content-disposition"] == 'attachment; filename="history_Bench_load_0001-01-01.csv"'
    assert (len(whole.body), len(whole.body.splitlines()) - 1) == (one["bytes"], one["rows"])
    assert len(list(csv.DictReader(io.StringIO(whole.body.decode())))) == one["rows"] > 4 * 9 * 144
    streamed = await asked(app, secret, one["url"])
    assert streamed.body == whole.body
    assert streamed.headers["content-type"].startswith("text/csv")
    some = await asked(app, secret, one["file"], headers={"range": "bytes=100-199", "if-range": whole.headers["etag"]})
    assert (some.status, some.body) == (206, whole.body[100:200])
    assert some.headers["content-range"] == f"bytes 100-199/{one['bytes']}"
    beyond = await asked(app, secret, one["file"], headers={"range": f"bytes={one['bytes']}-"})
    assert (beyond.status, beyond.headers["content-range"]) == (416, f"bytes */{one['bytes']}")
    assert (await asked(app, secret, f"/v1/exports/{one['id']}", "DELETE")).status == 204
    assert (await asked(app, secret, one["file"])).status == 404
    assert left(bazaar) == []
    audit = [line.action for line in await bazaar.services.access.audit.read("city") if line.principal == "ann"]
    assert audit == ["export.end", "export.stream", "export.fetch", "export.begin"]


async def test_nobody_sees_anothers_exports(bazaar: Bazaar, app: Litestar) -> None:
    accounts, tokens = bazaar.services.access.accounts, bazaar.services.access.tokens
    await accounts.create("bo", "Bo", tenant="city", roles=["administrator"], by="test")
    await accounts.create("ann2", "Ann", tenant="harbour", roles=["administrator"], by="test")
    job = await begun(bazaar)
    await worker_of(bazaar).do_next(bazaar.database)
    for name in ("bo", "ann2"):
        secret = (await tokens.issue(name, "api", "script", 3600, by="test")).secret
        for path in (f"/v1/exports/{job.id}", f"/v1/exports/{job.id}/file"):
            assert (await asked(app, secret, path)).status == 404
        assert (await asked(app, secret, f"/v1/exports/{job.id}", "DELETE")).status == 404
        assert (await asked(app, secret, "/v1/exports")).json == []


async def test_the_right_is_looked_at_when_it_is_done_and_when_it_is_fetched(bazaar: Bazaar, app: Litestar) -> None:
    access = bazaar.services.access
    secret = (await access.tokens.issue("ann", "api", "script", 3600, by="test")).secret
    fetched = await begun(bazaar)
    await worker_of(bazaar).do_next(bazaar.database)
    job = await begun(bazaar)
    await access.accounts.grant("ann", "viewer", tenant="city", by="test")
    await access.accounts.withdraw("ann", "analyst", tenant="city", by="test")
    assert (await asked(app, secret, f"/v1/exports/{fetched.id}/file")).status == 403
    await worker_of(bazaar).do_next(bazaar.database)
    job = await found(bazaar, job)
    assert (job.state, "lacks the permission" in (job.error or "")) == ("failed", True)
    await access.accounts.disable("ann", by="test")
    last = await begun(bazaar)
    await worker_of(bazaar).do_next(bazaar.database)
    assert "no role" in ((await found(bazaar, last)).error or "")
    assert left(bazaar) == [fetched.id]


async def test_a_cancelled_export_ends_and_leaves_nothing(bazaar: Bazaar, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "BEAT_S", 0.01)
    at_it = asyncio.Event()

    async def never_done(_: Any, __: Job, product: Product) -> None:
        product.write(b"x")
        at_it.set()
        await asyncio.Event().wait()

    job = await begun(bazaar)
    doing = asyncio.create_task(Worker(bazaar.jobs, {KIND: never_done}, "w").do_next(bazaar.database))
    await at_it.wait()
    await bazaar.jobs.end(bazaar.database, job)
    assert await doing
    assert ((await found(bazaar, job)).state, left(bazaar)) == ("cancelled", [])
    with pytest.raises(Conflict):
        bazaar.jobs.finished_file(await found(bazaar, job))


async def test_a_file_too_large_is_refused_and_does_not_stay(bazaar: Bazaar) -> None:
    bazaar.jobs.limits = JobLimits(max_bytes=1_000)
    job = await begun(bazaar)
    await worker_of(bazaar).do_next(bazaar.database)
    assert "all files together may take 1,000 bytes" in ((await found(bazaar, job)).error or "")
    assert left(bazaar) == []


async def test_what_is_over_its_time_goes_and_so_does_what_nobody_knows(bazaar: Bazaar, clock: Clock) -> None:
    job = await begun(bazaar)
    await worker_of(bazaar).do_next(bazaar.database)
    (bazaar.jobs.folder / "city" / "stray.part").touch()
    await bazaar.jobs.sweep(bazaar.database)
    assert left(bazaar) == [job.id]
    clock.now_us += bazaar.jobs.limits.keep_us + 1
    await bazaar.jobs.sweep(bazaar.database)
    assert left(bazaar) == []
    with pytest.raises(NotFound):
        await found(bazaar, job)


async def test_nobody_has_too_many_open_ones(bazaar: Bazaar) -> None:
    for _ in range(MAX_OPEN):
        await begun(bazaar)
    with pytest.raises(TooMany):
        await begun(bazaar)


async def killed(dsn: str, bazaar: Bazaar) -> None:
    """A process takes the job, writes some of its file, and is killed."""
    folders = (str(bazaar.database.files and bazaar.database.files.parent), str(bazaar.jobs.folder))
    arguments = (sys.executable, "-m", "tests.crash.exporting", dsn, *folders, str(bazaar.clock()))
    process = await asyncio.create_subprocess_exec(*arguments, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            assert await process.stdout.readline() == b"writes\n"
    finally:
        process.kill()
        await process.wait()


async def test_an_export_survives_the_kill_of_who_makes_it(bazaar: Bazaar, services_dsn: str, clock: Clock) -> None:
    job = await begun(bazaar)
    await killed(services_dsn, bazaar)
    assert left(bazaar) == [f"{job.id}.part"]
    one = worker_of(bazaar)
    assert not await one.do_next(bazaar.database), "who makes it may be at it still"
    clock.now_us += LOST_US + 1
    assert await one.do_next(bazaar.database)
    done = await found(bazaar, job)
    assert (done.state, done.attempts, left(bazaar)) == ("done", 2, [job.id])
    assert bazaar.jobs.finished_file(done).read_bytes() == await bazaar.take(begin=ALL.begin, end=ALL.end)


async def test_what_kills_its_worker_each_time_is_given_up(bazaar: Bazaar, clock: Clock) -> None:
    job = await begun(bazaar)
    for number in range(MAX_ATTEMPTS):
        assert await bazaar.jobs.take(bazaar.database, f"dead {number}", [KIND]) is not None
        clock.now_us += LOST_US + 1
    assert await worker_of(bazaar).do_next(bazaar.database)
    assert "was begun 3 times" in ((await found(bazaar, job)).error or "")


async def test_a_worker_looks_for_jobs_by_itself(bazaar: Bazaar) -> None:
    running = asyncio.create_task(worker_of(bazaar, f"worker {os.getpid()}").run())
    job = await begun(bazaar)
    async with asyncio.timeout(30):
        while (await found(bazaar, job)).state != "done":  # noqa: ASYNC110  # it is another task's database
            await asyncio.sleep(0.02)
    running.cancel()
    await asyncio.wait({running})
