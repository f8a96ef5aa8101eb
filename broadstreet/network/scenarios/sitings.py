"""Where sensors go, as jobs: begun beside a project's scenarios, done in a process of their own, kept with the project.

The ground is the project's, as its inputs say it now; or that of a planned scenario, whose closures and cabinets fibre
then comes from.
"""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from broadstreet.context import Broker
from broadstreet.jobs import Job, Product
from broadstreet.model.errors import Conflict, InvalidInput
from broadstreet.network.scenarios.design import layer_file
from broadstreet.network.scenarios.files import SITINGS
from broadstreet.network.scenarios.planner import Following, carry_out
from broadstreet.network.scenarios.plans import SENSORS, Plans, check_killed
from broadstreet.network.scenarios.project import Project, RegistrySites
from broadstreet.network.scenarios.registry import sites_of
from broadstreet.network.scenarios.siting import NewSiting, Siting, SitingTask
from broadstreet.network.scenarios.trouble import error_of
from broadstreet.network.scenarios.wish import PlanWish
from broadstreet.network.siting import Place

if TYPE_CHECKING:
    from broadstreet.access import Principal
    from broadstreet.store import Database, Store

SITING_LAYERS: Final = ("sites", "candidates")


async def begin_siting(
    plans: Plans, store: Store, database: Database, principal: Principal, project: Project, wanted: NewSiting
) -> Siting:
    """Have a question answered. The registry is asked with the rights of whoever begins it, and what it says travels
    with the job. Raises InvalidInput, NotFound, Conflict, TooMany, and what the registry raises."""
    wish = wanted.wish
    wish.check()
    there = await plans.laid_out(database, project)
    for name in wish.files:
        if name not in there:
            known = ", ".join(sorted(there)) or "none"
            raise InvalidInput(
                f"the project has no source {name!r}", where="wish", remedy=f"Give it one; it has: {known}."
            )
    if wish.scenario is not None:
        scenario = await plans.scenarios.find(database, wish.scenario)
        if scenario.project != project.id:
            raise InvalidInput(
                "the scenario is another project's", where="scenario", remedy="Name one of this project."
            )
        plans.design(database, scenario)
    standing: tuple[Place, ...] = ()
    if wish.registry is not None:
        known_sites = RegistrySites(type=wish.registry.type, q=wish.registry.q)
        found = await sites_of(store, Broker(store), database, principal, known_sites)
        standing = tuple(Place(id=site.id, lon=site.lon, lat=site.lat, label=site.label) for site in found)
    task = await plans.task(database, principal, project, PlanWish())
    async with plans.begun(database, principal, SENSORS, wanted.name, sites=task.sites, standing=standing) as (
        connection,
        job,
    ):
        identifier = await plans.sitings.create(connection, project, wanted, principal.name, job)
    return await plans.sitings.find(database, identifier)


async def cancel_siting(plans: Plans, database: Database, siting: Siting) -> Siting:
    """End it with nothing. Raises Conflict where it is not being answered."""
    await plans.sitings.cancel(database, siting)
    await plans.end_job(database, siting, SENSORS)
    return await plans.sitings.find(database, siting.id)


async def remove_siting(plans: Plans, database: Database, siting: Siting) -> None:
    """It goes with what came of it."""
    await plans.end_job(database, siting, SENSORS)
    await plans.sitings.remove(database, siting)
    folder = plans.files.siting(database.name, siting.project, siting.job)
    await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def sited(plans: Plans, database: Database, siting: Siting) -> Path:
    """Where an answer's artefacts are. Raises Conflict where there is none."""
    if siting.state != "chosen":
        raise Conflict(f"the question is {siting.state}, and has no answer", remedy="Wait for it, or ask another.")
    return plans.files.siting(database.name, siting.project, siting.job)


def siting_layer(plans: Plans, database: Database, siting: Siting, layer: str) -> Path:
    """The file of a layer of an answer. Raises Conflict where there is none, NotFound."""
    return layer_file(sited(plans, database, siting), layer, SITING_LAYERS)


class SitingWork:
    """What a worker does of jobs that choose where sensors go."""

    def __init__(self, plans: Plans) -> None:
        self._plans = plans

    async def work(self, database: Database, job: Job, product: Product) -> None:
        """Do a job. Raises why that cannot be, for whoever asked."""
        plans = self._plans
        siting = await plans.sitings.of_job(database, job.id)
        if siting is None:
            return
        project = await plans.projects.find(database, siting.project)
        await plans.sweep(database, job)
        async with plans.folder(database, job) as work:
            await self._choose(database, job, project, siting, work)

    async def _choose(self, database: Database, job: Job, project: Project, siting: Siting, work: Path) -> None:
        plans = self._plans
        await plans.lay_out(database, job, project, PlanWish(), work)
        standing = msgspec.convert(job.wish["standing"], tuple[Place, ...])
        task = SitingTask(wish=siting.wish, standing=standing)
        await asyncio.to_thread((work / "question.json").write_bytes, msgspec.json.encode(task))
        if siting.wish.scenario is not None:
            planned = plans.design(database, await plans.scenarios.find(database, siting.wish.scenario))
            for name in ("ground", "statement"):
                await asyncio.to_thread(shutil.copyfile, planned / name, work / name)

        async def say(following: Following) -> bool:
            stop = await plans.sitings.advance(database, job.id, following.stage)
            return stop is not False

        result = await carry_out(work, "sensors", say)
        check_killed(result, job)
        if result.trouble is None:
            kept = plans.files.siting(database.name, project.id, job.id)
            await asyncio.to_thread(plans.files.keep, work / "out", kept)
        is_wanted = await plans.sitings.finish(database, job.id, result.figures, result.trouble)
        known = {one.job for one in await plans.sitings.list(database, project)}
        await asyncio.to_thread(plans.files.keep_only, database.name, project.id, SITINGS, known)
        if is_wanted and result.trouble is not None:
            raise error_of(result.trouble)
