"""Scenarios: what is wished of a project, how far it has come, and what came of it.

    draft ──▶ waiting ──▶ running ──▶ planned | failed
                 └───────────┴──────▶ cancelled

One that is planned, has failed or was cancelled may be planned again, and then forgets what came of it before. While it
waits or runs, its job says which: a worker that is killed leaves the job to the next one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Literal, cast

import msgspec
from msgspec import UNSET, UnsetType

from broadstreet.model.errors import Conflict, TooMany
from broadstreet.network.proof import Finding
from broadstreet.network.scenarios.project import ID_BYTES, Name, Project
from broadstreet.network.scenarios.trouble import Trouble
from broadstreet.network.scenarios.wish import PlanWish
from broadstreet.network.scenarios.workpiece import Workpieces, state_of, trouble_of_row
from broadstreet.store import load_queries

if TYPE_CHECKING:
    import asyncpg

    from broadstreet.store import Database
    from broadstreet.store.database import Connection

MAX_SCENARIOS: Final = 200
"""Of a project."""

ScenarioState = Literal["draft", "waiting", "running", "planned", "failed", "cancelled"]
Stage = Literal["", "reading", "preparing", "planning", "checking"]


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


class Scenarios(Workpieces[Scenario]):
    """The scenarios of a tenant's projects."""

    sql = load_queries("plan_scenario")
    noun = where = "scenario"

    async def create(self, database: Database, project: Project, wanted: NewScenario, by: str) -> Scenario:
        """Make one. Raises NotFound where what it is derived from is not there, Conflict, TooMany, InvalidInput."""
        wish = wanted.wish
        if wanted.derived_from is not None:
            origin = await self.find(database, wanted.derived_from)
            if origin.project != project.id:
                raise self.unknown(wanted.derived_from)
            wish = wish or origin.wish
        wish = wish or PlanWish()
        wish.check()
        identifier = self._random_bytes(ID_BYTES).hex()
        described = msgspec.to_builtins(wish)
        origin_id, now_us = wanted.derived_from, self._clock()
        key = await database.fetchval(
            self.sql["insert"], identifier, project.key, wanted.name, described, origin_id, by, now_us, MAX_SCENARIOS
        )
        if key is None:
            if await database.fetchval(self.sql["named"], project.key, wanted.name) is not None:
                raise self.taken(wanted.name)
            raise TooMany(f"a project has at most {MAX_SCENARIOS} scenarios", remedy="Remove one first.")
        return await self.find(database, identifier)

    async def change(
        self, database: Database, project: Project, scenario: Scenario, change: ScenarioChange
    ) -> Scenario:
        """Make something of it otherwise. Raises Conflict for another's name, and where its wish is being planned."""
        name = scenario.name if change.name is UNSET else change.name
        holder = await database.fetchval(self.sql["named"], project.key, name)
        if holder not in (None, scenario.id):
            raise self.taken(name)
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
        await database.execute(self.sql["update"], scenario.key, name, msgspec.to_builtins(wish), self._clock())
        return await self.find(database, scenario.id)

    async def begin(self, connection: Connection, scenario: Scenario, job: str) -> None:
        """A job is to plan it from now on. Raises Conflict where another is at it."""
        if await connection.fetchval(self.sql["begin"], scenario.key, job, self._clock()) is None:
            raise Conflict("the scenario is being planned", remedy="Wait for it, stop it, or cancel it.")

    async def advance(self, database: Database, job: str, stage: Stage, progress: Sequence[Better]) -> bool | None:
        """How far a job is; answers whether it is to stop with the best, None where it is not wanted any more."""
        stop: bool | None = await database.fetchval(self.sql["advance"], job, stage, msgspec.to_builtins(progress))
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
        return await database.fetchval(self.sql["finish"], job, *values) is not None

    def told(self, row: asyncpg.Record) -> Scenario:
        state = state_of(row)
        return Scenario(
            key=row["key"],
            id=row["id"],
            project=row["project"],
            name=row["name"],
            wish=msgspec.convert(row["wish"], PlanWish),
            derived_from=row["derived_from"],
            state=cast("ScenarioState", state),
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
            trouble=None if row["findings"] and not row["problem"] else trouble_of_row(row, "Begin it again."),
            job=row["job"],
        )
