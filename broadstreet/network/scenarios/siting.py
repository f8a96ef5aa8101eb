"""Questions where sensors go, of a project: what is asked, how far the answer is, and its first figures.

    waiting ──▶ running ──▶ chosen | failed
       └───────────┴──────▶ cancelled

One is begun as it is made, and stays as it was asked: another question is another one beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, cast

import msgspec
from msgspec import Meta

from broadstreet.model.errors import InvalidInput, TooMany
from broadstreet.network.ground.sources import Inputs
from broadstreet.network.scenarios.project import ID_BYTES, Name, Project, Words
from broadstreet.network.scenarios.scenario import Stage
from broadstreet.network.scenarios.task import FileName
from broadstreet.network.scenarios.trouble import Trouble
from broadstreet.network.scenarios.wish import MAX_SECONDS, Id
from broadstreet.network.scenarios.workpiece import Workpieces, state_of, trouble_of_row
from broadstreet.network.siting import Place
from broadstreet.network.siting.question import Question
from broadstreet.store import load_queries

if TYPE_CHECKING:
    import asyncpg

    from broadstreet.store import Database
    from broadstreet.store.database import Connection

MAX_SITINGS: Final = 100
"""Of a project."""
SitingState = Literal["waiting", "running", "chosen", "failed", "cancelled"]


class StandingSensors(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sensors of the registry that stand today: entities of a type (`,` or `|` for any, `;` for all) that fit an
    NGSI-LD query, where they are now."""

    type: Words
    q: Words | None = None


class SitingWish(Question, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    A question, on a project's ground; files that it names are the project's sources.

    inputs:       the project's own; what is written here counts for nothing.
    budget:       as everywhere over HTTP, money is told in cents: `budget_cents`.
    registry:     sensors of today, beside those of the layer `today`.
    scenario:     the id of a planned scenario of the project: the ground is that plan's, and fibre comes from wherever
                  it opens a cable; None: from the ground's offices.
    seconds:      how long it is sought, beside reading and looking. seed: equal seeds give equal sites.
    """

    inputs: Inputs = Inputs()
    budget_cents: Annotated[int, Meta(ge=0, le=10**11)] | None = None
    registry: StandingSensors | None = None
    scenario: Id | None = None
    seconds: Annotated[float, Meta(ge=0.1, le=MAX_SECONDS)] = 60.0
    seed: Annotated[int, Meta(ge=0, lt=2**31)] = 0

    @property
    def files(self) -> tuple[str, ...]:
        """The sources that it names."""
        layers = (self.candidates, self.today, self.gateway_layer)
        names = (*(layer.file for layer in layers if layer is not None), self.readings, self.prices)
        return tuple(name for name in names if name is not None)

    def check(self) -> None:
        """Raises InvalidInput for what no case can be made of, before anything is begun."""
        if self.count is None and self.budget_cents is None:
            raise InvalidInput(
                "nothing bounds how many are chosen",
                where="count, budget_cents",
                remedy="Give a count, a budget, or both.",
            )
        if self.budget is not None or self.inputs != Inputs():
            what = "budget" if self.budget is not None else "inputs"
            raise InvalidInput(
                f"a question of a project has no {what}",
                where=what,
                remedy="Money is told as budget_cents; the ground is the project's.",
            )
        for name in self.files:
            try:
                msgspec.convert(name, FileName)
            except msgspec.ValidationError as error:
                raise InvalidInput(f"{name[:80]!r} is no source: {error}", where="wish", remedy="Name one.") from None


def siting_wish(described: Mapping[str, Any]) -> SitingWish:
    """A wish from its parts, without those that are the project's. Raises InvalidInput."""
    try:
        return msgspec.convert(described, SitingWish)
    except msgspec.ValidationError as error:
        raise InvalidInput(
            f"the wish is not right: {error}",
            where="wish",
            remedy="docs/reference/planning.md says what it may hold.",
        ) from None


class NewSiting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A question to have answered."""

    name: Name
    wish: SitingWish


class SitingFigures(msgspec.Struct, frozen=True, kw_only=True):
    """
    What is told of an answer first.

    sites:        how many were chosen. cost_cents: with their connection. value: what is covered with them and today's
                  sensors, or the mean variance that is left; bound: what no choice passes; gap: as a share of value.
    today:        the same of today's sensors alone, standing: how many these are; greedy, chance: of greed, and the
                  mean of choices by chance.
    audience_total: everyone there is to cover. seconds: how long it was sought. was_stopped: before its time.
    """

    objective: str
    audience: str
    currency: str
    sites: int
    cost_cents: int
    value: float
    bound: float
    gap: float
    is_optimal: bool
    today: float
    standing: int
    greedy: float
    chance: float
    elsewhere: float | None
    audience_total: int
    candidates: int
    reachable: int
    seconds: float
    was_stopped: bool


class SitingTask(msgspec.Struct, frozen=True, kw_only=True):
    """What a process of its own is to choose. standing: sensors of today that the registry knows."""

    wish: SitingWish
    standing: tuple[Place, ...] = ()


class Siting(msgspec.Struct, frozen=True, kw_only=True):
    """A question as it stands. job: that answers it, or did; its artefacts are named by that. Times in microseconds
    since 1970, None: not yet."""

    key: int
    id: str
    project: str
    name: str
    wish: SitingWish
    state: SitingState
    stage: Stage
    is_stopping: bool
    created_by: str
    created_us: int
    ended_us: int | None
    figures: SitingFigures | None
    trouble: Trouble | None
    job: str

    @property
    def is_open(self) -> bool:
        """Whether it waits or is being answered."""
        return self.state in ("waiting", "running")


class Sitings(Workpieces[Siting]):
    """The questions of a tenant's projects."""

    sql = load_queries("plan_siting")
    noun, where = "question", "siting"

    async def create(self, connection: Connection, project: Project, wanted: NewSiting, by: str, job: str) -> str:
        """Keep one that a job is to answer; answers its id. Raises Conflict, TooMany."""
        identifier = self._random_bytes(ID_BYTES).hex()
        described = msgspec.to_builtins(wanted.wish)
        values = (identifier, project.key, wanted.name, described, by, self._clock(), job, MAX_SITINGS)
        if await connection.fetchval(self.sql["insert"], *values) is None:
            if await connection.fetchval(self.sql["named"], project.key, wanted.name) is not None:
                raise self.taken(wanted.name)
            raise TooMany(f"a project has at most {MAX_SITINGS} questions", remedy="Remove one first.")
        return identifier

    async def advance(self, database: Database, job: str, stage: Stage) -> bool | None:
        """How far a job is; answers whether it is to stop with the best, None where it is not wanted any more."""
        stop: bool | None = await database.fetchval(self.sql["advance"], job, stage)
        return stop

    async def finish(
        self, database: Database, job: str, figures: SitingFigures | None, trouble: Trouble | None
    ) -> bool:
        """What came of a job; answers whether it was wanted still. What has no figures has failed."""
        told = [None if part is None else msgspec.to_builtins(part) for part in (figures, trouble)]
        state = "chosen" if figures is not None and trouble is None else "failed"
        return await database.fetchval(self.sql["finish"], job, state, self._clock(), *told) is not None

    def told(self, row: asyncpg.Record) -> Siting:
        state = state_of(row)
        return Siting(
            key=row["key"],
            id=row["id"],
            project=row["project"],
            name=row["name"],
            wish=msgspec.convert(row["wish"], SitingWish),
            state=cast("SitingState", state),
            stage=row["stage"] if state == "running" else "",
            is_stopping=state in ("waiting", "running") and row["stop_asked"],
            created_by=row["created_by"],
            created_us=row["created_at"],
            ended_us=row["ended_at"],
            figures=None if row["figures"] is None else msgspec.convert(row["figures"], SitingFigures),
            trouble=trouble_of_row(row, "Ask again."),
            job=row["job"],
        )
