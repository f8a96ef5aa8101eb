"""Scenarios: what is wished of a project, how far it has come, and what came of it.

    draft ──▶ waiting ──▶ running ──▶ planned | failed
                 └───────────┴──────▶ cancelled

One that is planned, has failed or was cancelled may be planned again, and then forgets what came of it before. While it
waits or runs, its job says which: a worker that is killed leaves the job to the next one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, Literal, cast

import msgspec
from msgspec import UNSET, UnsetType

from broadstreet.model.errors import Conflict, NotFound, TooMany
from broadstreet.network.proof import Finding
from broadstreet.network.scenarios.project import ID_BYTES, Name, Project
from broadstreet.network.scenarios.trouble import Trouble
from broadstreet.network.scenarios.wish import PlanWish
from broadstreet.store import load_queries

if TYPE_CHECKING:
    import asyncpg

    from broadstreet.store import Database
    from broadstreet.store.database import Connection

MAX_SCENARIOS: Final = 200
"""Of a project."""

ScenarioState = Literal["draft", "waiting", "running", "planned", "failed", "cancelled"]
Stage = Literal["", "reading", "preparing", "planning", "checking"]
_SQL = load_queries("plan_scenario")


class NewScenario(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A scenario to make. derived_from: the id of one of the project's, whose wish it has where none is given. begin:
    whether it is planned at once."""

    name: Name
    wish: PlanWish | None = None
    derived_from: str | None = None
    begin: bool = False


class ScenarioChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be otherwise; a wish, while nothing came of it."""

    name: Name | UnsetType = UNSET
    wish: PlanWish | UnsetType = UNSET


class Better(msgspec.Struct, frozen=True):
    """A better plan was found: after how many seconds, at which cost, with which bound on any plan's cost. points,
    bound_points: where a budget decides whom to serve, what they are worth, and what no choice is worth more than."""

    seconds: float
    cost_cents: int
    bound_cents: int
    points: int | None = None
    bound_points: int | None = None


class OneWay(msgspec.Struct, frozen=True, kw_only=True):
    """Critical premises that streets lead to by one way alone: `id`, and what is in the way and where, in words."""

    id: str
    what: str


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """
    Figures of a plan.

    gap:           how far the cost may be from the least there is, as a share of the cost.
    premises:      how many are to be reached, but those to whom no street leads; lone: how many those are. served: how
                   many are reached; fibres: how many of theirs.
    one_way:       of the critical ones that are reached those who have one way alone, since streets lead there by no
                   two.
    opened_m:      ways that are opened, plant among them; trench_m: what of them is dug.
    worst_loss_db, longest_m: of all paths. most_loss_db: what the class allows, less the margin. most_m: how long a
                   path may be, by the class and by the architecture, whichever is less.
    seconds:       how long it was sought. ground: the digest of what it was planned on. faults: of that ground.
    was_stopped:   whether somebody ended it before its time.
    budget_cents, points, bound_points: where a budget decided whom to serve: what they are worth together, and what no
                   choice within it is worth more than.
    phase_cents, point_years, bound_point_years: where phases have budgets: what each comes to, the points reached by
                   the end of each phase, summed, and what no other phases have more than.
    """

    currency: str
    cost_cents: int
    bound_cents: int
    gap: float
    premises: int
    served: int
    critical: int
    second: int
    fibres: int
    offices: int
    cabinets: int
    closures: int
    splitters: int
    cables: int
    opened_m: float
    trench_m: float
    worst_loss_db: float
    most_loss_db: float
    longest_m: float
    seconds: float
    ground: str
    faults: int
    was_stopped: bool
    lone: int = 0
    one_way: tuple[OneWay, ...] = ()
    most_m: float | None = None
    budget_cents: int | None = None
    points: int | None = None
    bound_points: int | None = None
    phase_cents: tuple[int, ...] | None = None
    point_years: int | None = None
    bound_point_years: int | None = None


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario as it stands. job: that makes it, or made it; its artefacts are named by that. Times in microseconds
    since 1970, None: not yet."""

    key: int
    id: str
    project: str
    name: str
    wish: PlanWish
    derived_from: str | None
    state: ScenarioState
    stage: Stage
    is_stopping: bool
    created_by: str
    created_us: int
    changed_us: int
    begun_us: int | None
    ended_us: int | None
    progress: tuple[Better, ...]
    outcome: Outcome | None
    findings: tuple[Finding, ...]
    trouble: Trouble | None
    job: str | None

    @property
    def is_open(self) -> bool:
        """Whether it waits or is being planned."""
        return self.state in ("waiting", "running")


class Scenarios:
    """The scenarios of a tenant's projects. random_bytes: fit for ids."""

    def __init__(self, clock: Callable[[], int], random_bytes: Callable[[int], bytes] = os.urandom) -> None:
        self._clock = clock
        self._random_bytes = random_bytes

    async def create(self, database: Database, project: Project, wanted: NewScenario, by: str) -> Scenario:
        """Make one. Raises NotFound where what it is derived from is not there, Conflict, TooMany, InvalidInput."""
        wish = wanted.wish
        if wanted.derived_from is not None:
            origin = await self.find(database, wanted.derived_from)
            if origin.project != project.id:
                raise _unknown(wanted.derived_from)
            wish = wish or origin.wish
        wish = wish or PlanWish()
        wish.check()
        identifier = self._random_bytes(ID_BYTES).hex()
        described = msgspec.to_builtins(wish)
        origin_id, now_us = wanted.derived_from, self._clock()
        key = await database.fetchval(
            _SQL["insert"], identifier, project.key, wanted.name, described, origin_id, by, now_us, MAX_SCENARIOS
        )
        if key is None:
            if await database.fetchval(_SQL["named"], project.key, wanted.name) is not None:
                raise _taken(wanted.name)
            raise TooMany(f"a project has at most {MAX_SCENARIOS} scenarios", remedy="Remove one first.")
        return await self.find(database, identifier)

    async def list(self, database: Database, project: Project) -> list[Scenario]:
        """A project's, the oldest first."""
        return [_scenario(row) for row in await database.fetch(_SQL["list"], project.key)]

    async def find(self, database: Database, identifier: str) -> Scenario:
        """One of them. Raises NotFound."""
        row = await database.fetchrow(_SQL["find"], identifier)
        if row is None:
            raise _unknown(identifier)
        return _scenario(row)

    async def change(
        self, database: Database, project: Project, scenario: Scenario, change: ScenarioChange
    ) -> Scenario:
        """Make something of it otherwise. Raises Conflict for another's name, and where its wish is being planned."""
        name = scenario.name if change.name is UNSET else change.name
        holder = await database.fetchval(_SQL["named"], project.key, name)
        if holder not in (None, scenario.id):
            raise _taken(name)
        wish = scenario.wish
        if change.wish is not UNSET and change.wish != wish:
            if scenario.is_open or scenario.state == "planned":
                raise Conflict(
                    f"the scenario is {scenario.state}, and its wish stays as it was planned",
                    where="wish",
                    remedy="Derive another scenario from it.",
                )
            wish = change.wish
            wish.check()
        await database.execute(_SQL["update"], scenario.key, name, msgspec.to_builtins(wish), self._clock())
        return await self.find(database, scenario.id)

    async def remove(self, database: Database, scenario: Scenario) -> None:
        """It goes; its artefacts are the caller's to remove."""
        await database.execute(_SQL["remove"], scenario.key)

    async def begin(self, connection: Connection, scenario: Scenario, job: str) -> None:
        """A job is to plan it from now on. Raises Conflict where another is at it."""
        if await connection.fetchval(_SQL["begin"], scenario.key, job, self._clock()) is None:
            raise Conflict("the scenario is being planned", remedy="Wait for it, stop it, or cancel it.")

    async def stop(self, database: Database, scenario: Scenario) -> None:
        """It is to end with the best there is. Raises Conflict where it is not being planned."""
        if not scenario.is_open or await database.fetchval(_SQL["stop"], scenario.key) is None:
            raise Conflict(f"the scenario is {scenario.state}, and nothing is to be stopped")

    async def cancel(self, database: Database, scenario: Scenario) -> None:
        """It is to end with nothing."""
        await database.execute(_SQL["cancel"], scenario.key, self._clock())

    async def of_job(self, database: Database, job: str) -> Scenario | None:
        """What a job is to plan; None where that is not wanted any more."""
        row = await database.fetchrow(_SQL["of_job"], job)
        return None if row is None else _scenario(row)

    async def advance(self, database: Database, job: str, stage: Stage, progress: Sequence[Better]) -> bool | None:
        """How far a job is; answers whether it is to stop with the best, None where it is not wanted any more."""
        stop: bool | None = await database.fetchval(_SQL["advance"], job, stage, msgspec.to_builtins(progress))
        return stop

    async def finish(
        self,
        database: Database,
        job: str,
        progress: Sequence[Better],
        outcome: Outcome | None = None,
        findings: Sequence[Finding] = (),
        trouble: Trouble | None = None,
    ) -> bool:
        """What came of a job; answers whether it was wanted still. What has findings, or a trouble, has failed."""
        state = "planned" if outcome is not None and not findings and trouble is None else "failed"
        told = [None if part is None else msgspec.to_builtins(part) for part in (outcome, trouble)]
        lists = [msgspec.to_builtins(part) for part in (progress, findings)]
        values = (state, self._clock(), lists[0], told[0], lists[1], told[1])
        return await database.fetchval(_SQL["finish"], job, *values) is not None


def _unknown(identifier: str) -> NotFound:
    return NotFound(f"there is no scenario {identifier[:80]!r}", where="scenario")


def _taken(name: str) -> Conflict:
    return Conflict(f"the project has a scenario {name!r} already", where="name", remedy="Choose another name.")


def _state(row: asyncpg.Record) -> ScenarioState:
    """Of one that is begun its job says how far; a job that failed, or is gone, ended without a word."""
    if row["state"] != "begun":
        return cast("ScenarioState", row["state"])
    live = row["live"]
    return cast("ScenarioState", live) if live in ("waiting", "running", "cancelled") else "failed"


def _trouble(row: asyncpg.Record, state: ScenarioState) -> Trouble | None:
    if row["problem"] is not None:
        return msgspec.convert(row["problem"], Trouble)
    if state != "failed" or row["findings"]:
        return None
    return Trouble(detail=row["live_error"] or "its worker ended before it", remedy="Begin it again.")


def _scenario(row: asyncpg.Record) -> Scenario:
    state = _state(row)
    return Scenario(
        key=row["key"],
        id=row["id"],
        project=row["project"],
        name=row["name"],
        wish=msgspec.convert(row["wish"], PlanWish),
        derived_from=row["derived_from"],
        state=state,
        stage=row["stage"] if state == "running" else "",
        is_stopping=state in ("waiting", "running") and row["stop_asked"],
        created_by=row["created_by"],
        created_us=row["created_at"],
        changed_us=row["changed_at"],
        begun_us=row["begun_at"],
        ended_us=row["ended_at"],
        progress=msgspec.convert(row["progress"], tuple[Better, ...]),
        outcome=None if row["outcome"] is None else msgspec.convert(row["outcome"], Outcome),
        findings=msgspec.convert(row["findings"], tuple[Finding, ...]),
        trouble=_trouble(row, state),
        job=row["job"],
    )
