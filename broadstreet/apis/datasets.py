"""`/v1/datasets`: the steward's facts about data, such as who answers for it and how long it stays."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from litestar import get, put
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.status_codes import HTTP_204_NO_CONTENT

from broadstreet.access import requires
from broadstreet.apis.router import Router
from broadstreet.apis.services import Call
from broadstreet.devices.dataset import Dataset, describe_dataset
from broadstreet.store import load_queries

if TYPE_CHECKING:
    from asyncpg import Record

MAX_TEXT_LENGTH = 2_000
DAY = timedelta(days=1)
_SQL = load_queries("dataset")

Text = Annotated[str, msgspec.Meta(max_length=MAX_TEXT_LENGTH)]


class DatasetFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset. `id` is a URI; `licence` an SPDX id or a URI; `retention_days` null: kept."""

    id: str
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TEXT_LENGTH)]
    owner: Text = ""
    purpose: Text = ""
    licence: Text = ""
    personal_data: Literal["none", "pseudonymous", "personal", "special"] = "none"
    retention_days: Annotated[int, msgspec.Meta(ge=1, le=36_600)] | None = None
    simulated: bool = False


class DatasetView(DatasetFacts, frozen=True, kw_only=True):
    """A dataset, with how many series belong to it."""

    series: int


@get("/datasets", opt=requires("entity:read"))
async def list_of_datasets(call: NamedDependency[Call]) -> list[DatasetView]:
    """All datasets: who answers for each, what it is for, who may use it and how long it stays."""
    return [
        DatasetView(
            id=row["id"],
            title=row["title"],
            owner=row["owner"],
            purpose=row["purpose"],
            licence=row["licence"],
            personal_data=row["personal_data"],
            retention_days=None if row["retention"] is None else row["retention"] // DAY,
            simulated=row["simulated"],
            series=row["series"],
        )
        for row in await call.database.fetch(_SQL["list"])
    ]


@put("/datasets", opt=requires("steward:write"), status_code=HTTP_204_NO_CONTENT)
async def put_dataset(call: NamedDependency[Call], data: JSONBody[DatasetFacts]) -> None:
    """Write a dataset's facts down, or bring them up to date; its `id` says which."""
    facts = msgspec.structs.asdict(data)
    days = facts.pop("retention_days")
    before = await call.database.fetchrow(_SQL["one"], data.id)
    await describe_dataset(call.database, Dataset(**facts, retention=None if days is None else days * DAY))
    told = {"before": None if before is None else _facts(before), "after": msgspec.structs.asdict(data)}
    await call.audit("dataset.describe", data.id, told)


def _facts(row: Record) -> dict[str, Any]:
    """A dataset's facts as a steward writes them."""
    facts = dict(row)
    retention = facts.pop("retention")
    return {**facts, "retention_days": None if retention is None else retention // DAY}


def datasets_router() -> Router:
    """`/datasets`, to stand below `/v1`."""
    return Router("/", route_handlers=[list_of_datasets, put_dataset], tags=["Data"])
