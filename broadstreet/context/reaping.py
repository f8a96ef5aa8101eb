"""Deleting what has ended (4.22 of the standard): entities with all that they have, attributes with those observations
that were written with an end, sub-attributes. Each deletion is written as any other, with its change for the outbox.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from broadstreet.access import Principal
from broadstreet.context import decision
from broadstreet.context.decision import AttributeWrite, Decision, Fate
from broadstreet.context.ledger import Ledger
from broadstreet.context.meta import Metas
from broadstreet.context.stored import StoredAttribute, StoredEntity
from broadstreet.context.transience import lasting
from broadstreet.model.entity import Meta
from broadstreet.store import Store, load_queries

BY: Final = "expiry"
"""As whom the house deletes what has ended."""
PORTION: Final = 200
"""How many entities or attributes are deleted in one transaction."""
_SQL = load_queries("transient")


class Reaper:
    """Make one a process."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._metas: dict[str, Metas] = {}

    async def reap(self, tenant: str, at_us: int) -> int:
        """Delete what of a tenant has ended by then; how many things were looked at. Raises Conflict."""
        database = await self._store.tenant(tenant)
        ledger = Ledger(database, self._store.terms(database), self._metas.setdefault(tenant, Metas()))
        principal = Principal.account(BY, "Expiry", tenant, ())
        looked = 0
        while rows := await database.fetch(_SQL["ended"], at_us, PORTION):
            series = sorted({row["series_key"] for row in rows} - {None})
            await database.execute(_SQL["forget"], series, at_us)
            ids = sorted({row["id"] for row in rows})
            await ledger.write(principal, at_us, ids, (), lambda stored: decide(stored, at_us), reaps=True)
            await database.execute(_SQL["settle"], series, at_us)
            looked += len(rows)
            if len(rows) < PORTION:
                break
        return looked


def decide(stored: Mapping[str, StoredEntity], at_us: int) -> list[Decision]:
    """What becomes of entities of which something may have ended."""
    return [_decide(entity, at_us) for entity in stored.values() if entity.is_there]


def _decide(entity: StoredEntity, at_us: int) -> Decision:
    if entity.expires_at_us is not None and entity.expires_at_us <= at_us:
        return decision.delete(entity, entity.id)
    decided = decision.kept(entity)
    for one in entity.attributes.values():
        meta = lasting(one.meta, at_us) if one.is_there else one.meta
        if meta is None:
            decided.deletes.append(one)
            decided.fate = Fate.CHANGED
        elif meta is not one.meta:
            decided.sets.append(_without_what_ended(one, meta))
    return decided


def _without_what_ended(one: StoredAttribute, meta: Meta) -> AttributeWrite:
    return AttributeWrite(
        name=one.name,
        value=one.value,
        kind=one.kind,
        dataset_id=one.dataset_id,
        observed_at_us=one.observed_at_us,
        meta=meta,
        filed_at_us=one.observed_at_us,
    )
