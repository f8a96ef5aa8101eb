"""What scenarios are worth, kept under names: the sheet that each case was reckoned by, and what came of it.

A case is of the plan that stood when it was made. When the scenario is planned again it stays, and says that it is of
an earlier plan; made again under its name, it takes the place of the one before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import msgspec

from broadstreet.model.errors import NotFound, TooMany
from broadstreet.network.investment import Case, Chance, Tornado, TwoWay
from broadstreet.network.scenarios.scenario import Scenario
from broadstreet.store import load_queries

if TYPE_CHECKING:
    import asyncpg

    from broadstreet.store import Database

MAX_CASES: Final = 50
"""Of a scenario."""
_SQL = load_queries("plan_case")


class Study(msgspec.Struct, frozen=True, kw_only=True):
    """A case, and how far it may be off. grid: take-up and cost both otherwise; None: reckoned before that was kept."""

    case: Case
    tornado: Tornado
    chance: Chance | None
    grid: TwoWay | None = None


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of a case first."""

    title: str
    currency: str
    invested_cents: int
    npv_cents: int
    rate: float | None
    payback_years: float | None


class NamedCase(msgspec.Struct, frozen=True, kw_only=True):
    """A case in a list. job: that made the plan it is of. Times in microseconds since 1970."""

    name: str
    figures: Figures
    job: str
    made_by: str
    made_us: int


class KeptCase(msgspec.Struct, frozen=True, kw_only=True):
    """A case whole. sheet: the business, as TOML."""

    named: NamedCase
    sheet: str
    study: Study


class Cases:
    """The cases of a tenant's scenarios."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock

    async def keep(self, database: Database, scenario: Scenario, sheet: str, study: Study, by: str) -> KeptCase:
        """Keeps a study under its case's name, in place of one of that name. Raises TooMany."""
        kept = await database.fetchval(
            _SQL["put"],
            scenario.key,
            study.case.name,
            sheet,
            msgspec.to_builtins(study, str_keys=True),
            msgspec.to_builtins(_figures(study.case)),
            scenario.job or "",
            by,
            self._clock(),
            MAX_CASES,
        )
        if kept is None:
            raise TooMany(f"a scenario has at most {MAX_CASES} cases", remedy="Remove one first.")
        return await self.find(database, scenario, study.case.name)

    async def list(self, database: Database, scenario: Scenario) -> list[NamedCase]:
        """A scenario's, by name."""
        return [_named(row) for row in await database.fetch(_SQL["list"], scenario.key)]

    async def find(self, database: Database, scenario: Scenario, name: str) -> KeptCase:
        """One of them. Raises NotFound."""
        row = await database.fetchrow(_SQL["find"], scenario.key, name)
        if row is None:
            raise _unknown(name)
        study = msgspec.convert(row["study"], Study, str_keys=True)
        return KeptCase(named=_named(row), sheet=row["sheet"], study=study)

    async def remove(self, database: Database, scenario: Scenario, name: str) -> None:
        """One goes. Raises NotFound."""
        if await database.fetchval(_SQL["remove"], scenario.key, name) is None:
            raise _unknown(name)


def _unknown(name: str) -> NotFound:
    return NotFound(f"there is no case {name[:80]!r}", where="case")


def _figures(case: Case) -> Figures:
    return Figures(
        title=case.business.title,
        currency=case.business.currency,
        invested_cents=case.invested_cents,
        npv_cents=case.npv_cents,
        rate=case.rates.rate,
        payback_years=case.payback_years,
    )


def _named(row: asyncpg.Record) -> NamedCase:
    return NamedCase(
        name=row["name"],
        figures=msgspec.convert(row["figures"], Figures),
        job=row["job"],
        made_by=row["made_by"],
        made_us=row["made_at"],
    )
