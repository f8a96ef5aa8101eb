"""Datasets: the steward's facts about what devices will feed, written down before the devices are."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Literal

import msgspec

from broadstreet.model.identifiers import check_uri
from broadstreet.store import load_queries

if TYPE_CHECKING:
    from broadstreet.store import Database

_SQL = load_queries("device")


class Dataset(msgspec.Struct, frozen=True, kw_only=True):
    """Who answers for some data, what it is for, who may use it and how long it stays; `retention` None: kept."""

    id: str
    title: str
    owner: str = ""
    purpose: str = ""
    licence: str = ""
    personal_data: Literal["none", "pseudonymous", "personal", "special"] = "none"
    retention: timedelta | None = None
    simulated: bool = False


async def describe_dataset(database: Database, dataset: Dataset) -> int:
    """Write a dataset down, or bring it up to date; answers its key. Raises InvalidInput for an id that is no URI."""
    check_uri(dataset.id, "dataset.id")
    return int(
        await database.fetchval(
            _SQL["upsert_dataset"],
            dataset.id,
            dataset.title,
            dataset.owner,
            dataset.purpose,
            dataset.licence,
            dataset.personal_data,
            dataset.retention,
            dataset.simulated,
        )
    )
