"""Looks at a project's ground: begun as jobs, kept with the project, and drawn from files."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, Literal, cast

import msgspec

from broadstreet.model.errors import Conflict
from broadstreet.network.scenarios.design import layer_file
from broadstreet.network.scenarios.look import Look
from broadstreet.network.scenarios.packed import GROUND_FORM
from broadstreet.network.scenarios.project import Project
from broadstreet.network.scenarios.task import Task
from broadstreet.network.scenarios.trouble import Trouble
from broadstreet.store import load_queries

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from broadstreet.network.scenarios.files import PlanFiles
    from broadstreet.store import Database
    from broadstreet.store.database import Connection

GROUND_LAYERS: Final = ("ways", "premises", "offices", "faults", "nodes", "spans")
LookState = Literal["none", "waiting", "reading", "ready", "failed"]
_SQL = load_queries("plan_project")


class LookedAt(msgspec.Struct, frozen=True, kw_only=True):
    """How a project's ground looked last, and whether it is being looked at again. key: the folder of its layers."""

    state: LookState
    look: Look | None
    trouble: Trouble | None
    looked_us: int | None
    key: str | None
    job: str | None


def ground_key(task: Task, sources: Mapping[str, Path]) -> str:
    """A name for the ground that a task has: of all that it is put together from, of how that is done, and of nothing
    else."""
    inputs = task.wish.inputs(task.inputs)
    # Sources are named by their content; what comes with the house by its size.
    contents = {name: (path.name, path.stat().st_size) for name, path in sources.items() if path.is_file()}
    parts = (GROUND_FORM.decode(), inputs, task.networks, task.sites, task.wish.catalogue, contents)
    return hashlib.sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()[:32]


async def find_look(database: Database, project: Project) -> LookedAt:
    """How a project's ground looks."""
    row = await database.fetchrow(_SQL["look"], project.key)
    assert row is not None, "the project was found"
    state: str = "none"
    if row["live"] in ("waiting", "running"):
        state = "waiting" if row["live"] == "waiting" else "reading"
    elif row["look"] is not None:
        state = "ready"
    elif row["look_problem"] is not None or row["look_job"] is not None:
        state = "failed"
    trouble = None
    if row["look_problem"] is not None:
        trouble = msgspec.convert(row["look_problem"], Trouble)
    elif state == "failed":
        trouble = Trouble(detail=row["live_error"] or "its worker ended before it", remedy="Look again.", status=500)
    return LookedAt(
        state=cast("LookState", state),
        look=None if row["look"] is None else msgspec.convert(row["look"], Look),
        trouble=trouble,
        looked_us=row["looked_at"],
        key=row["look_key"],
        job=row["look_job"],
    )


def ground_layer(files: PlanFiles, tenant: str, project: str, seen: LookedAt, layer: str) -> Path:
    """The file of a layer of a ground that was looked at. Raises Conflict where none was, NotFound."""
    if seen.look is None or seen.key is None:
        raise Conflict("nobody has looked at this ground", remedy="Look at it first: POST to …/ground.")
    return layer_file(files.ground(tenant, project, seen.key), layer, GROUND_LAYERS)


async def begin_look(connection: Connection, project: Project, job: str) -> None:
    """A job looks at it from now on."""
    await connection.execute(_SQL["begin_look"], project.key, job)


async def project_of_look(database: Database, job: str) -> str | None:
    """The id of the project that a job is to look at; None where that is not wanted any more."""
    found: str | None = await database.fetchval(_SQL["of_look"], job)
    return found


async def keep_look(
    database: Database, job: str, key: str | None, look: Look | None, trouble: Trouble | None, at_us: int
) -> None:
    """How it looks."""
    told = [None if part is None else msgspec.to_builtins(part) for part in (look, trouble)]
    await database.execute(_SQL["looked"], job, key, *told, at_us)
