"""The room's one object: NGSI-LD's operations on the entities of a principal's tenant."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from broadstreet.access import Permission, Principal
from broadstreet.context import decision, provision
from broadstreet.context.batch import BatchOperation, BatchOutcome, decide_batch, rounds
from broadstreet.context.bounds import MAX_BATCH
from broadstreet.context.decision import Decision
from broadstreet.context.discovery import AttributeUse, TypeUse
from broadstreet.context.evolution import Summary, Told
from broadstreet.context.expression import Expression
from broadstreet.context.fragment import AttributeFragment, EntityFragment
from broadstreet.context.gathering import Write
from broadstreet.context.instance import no_such_instance, parse_instance_id
from broadstreet.context.instances import TemporalQuery
from broadstreet.context.known_tenant import KnownTenant
from broadstreet.context.ledger import ATTEMPTS
from broadstreet.context.linking import Join, Linked, Linker
from broadstreet.context.meta import Metas
from broadstreet.context.past_search import PastSearch
from broadstreet.context.purging import Rest, purge
from broadstreet.context.representation import EntityRow, Presentation, Projection
from broadstreet.context.selection import Selection, types_hold
from broadstreet.context.shelf import Shelf
from broadstreet.context.stored import StoredAttribute, StoredEntity
from broadstreet.context.transience import Ends
from broadstreet.context.written_search import WrittenPage
from broadstreet.model.errors import Conflict, NotFound, TooMany
from broadstreet.store import Store

if TYPE_CHECKING:
    from broadstreet.store.database import Connection

Operation = Callable[[StoredEntity | None, EntityFragment], Decision]
MAX_KNOWN: Final = 1_000
"""Tenants, and parts of them, of which something is kept."""
Gate = Expression[str] | None
"""A type selection that the target of a write must satisfy; None: any."""


@dataclass(frozen=True)
class Found:
    """A page of entities. count: of all that match, where it was asked for; more: whether some follow."""

    entities: list[EntityRow]
    count: int | None
    more: bool


@dataclass(frozen=True)
class FoundEvolutions:
    """A page of entities over time, as `Found`."""

    told: Told
    count: int | None
    more: bool


class Broker:
    """Make one a process. Every operation names its principal, whose tenant it works in and whose right it checks."""

    def __init__(self, store: Store, clock: Callable[[], int] | None = None) -> None:
        """clock: now, in microseconds since 1970, by which things end; None: they are there until they are deleted."""
        self._store = store
        self._clock = clock
        self._shelf = Shelf()
        self._tenants: dict[tuple[str, str | None], KnownTenant] = {}

    async def retrieve(self, principal: Principal, entity_id: str, *, with_times: bool = False) -> EntityRow:
        """5.7.1. with_times: whether createdAt and modifiedAt are wanted. Raises NotFound."""
        tenant = await self._tenant(principal, "entity:read")
        return await (await tenant.reader()).entity(entity_id, with_times=with_times)

    async def query(self, principal: Principal, selection: Selection, *, with_times: bool = False) -> Found:
        """5.7.2. with_times: as for `retrieve`.

        Raises InvalidInput for a query that would fetch everything, InvalidQuery, TooMany.
        """
        selection.check_narrow()
        tenant = await self._tenant(principal, "entity:read")
        search, reader = await tenant.search(), await tenant.reader()
        if not selection.is_measured:
            found = await search.rows(selection, with_times=with_times)
            return Found(await reader.shown(found.rows), found.count, found.more)
        page = await search.page(selection)
        return Found(await reader.entities(page.keys, with_times=with_times), page.count, page.more)

    async def query_written(
        self, principal: Principal, selection: Selection, presentation: Presentation
    ) -> WrittenPage | None:
        """As `query`, the entities as JSON texts; None where that takes to look at each attribute."""
        selection.check_narrow()
        tenant = await self._tenant(principal, "entity:read")
        return await tenant.written(selection, presentation, self._shelf)

    async def written(
        self, principal: Principal, rows: Sequence[EntityRow], presentation: Presentation
    ) -> list[str] | None:
        """Entities that were read as JSON texts; None where that takes to look at each attribute."""
        rendering = (await self._tenant(principal, "entity:read")).renderings.of(presentation)
        return None if rendering is None else [rendering.entity(row) for row in rows]

    async def link(
        self,
        principal: Principal,
        rows: Sequence[EntityRow],
        projection: Projection,
        join: Join,
        *,
        with_times: bool = False,
    ) -> list[Linked]:
        """4.5.23: entities with those that their shown relationships lead to. Raises TooMany."""
        tenant = await self._tenant(principal, "entity:read")
        return await Linker(await tenant.reader(), join, with_times=with_times).link(rows, projection)

    async def choose(self, principal: Principal, selection: Selection, connection: Connection) -> list[int]:
        """The keys of all entities that are meant, as the transaction of `connection` sees them, to be taken away.

        Raises InvalidQuery, TooMany where more are found than `selection.limit` says.
        """
        tenant = await self._tenant(principal, "history:export")
        page = await (await tenant.search()).page(selection, connection)
        if page.more:
            raise TooMany(f"more than {selection.limit:,} entities are meant", remedy="Ask for fewer.")
        return page.keys

    async def retrieve_evolution(
        self,
        principal: Principal,
        entity_id: str,
        query: TemporalQuery,
        projection: Projection,
        summary: Summary | None = None,
    ) -> Told:
        """5.7.3. summary: what to sum up instead of showing instances. Raises NotFound, TooMany."""
        tenant = await self._tenant(principal, "history:read")
        return await tenant.historian.entity(entity_id, query, projection, summary)

    async def query_evolutions(
        self,
        principal: Principal,
        selection: Selection,
        query: TemporalQuery,
        projection: Projection,
        summary: Summary | None = None,
    ) -> FoundEvolutions:
        """5.7.4, of entities of which something was told in that time. Raises as `query` does."""
        selection.check_narrow()
        tenant = await self._tenant(principal, "history:read")
        search = PastSearch(tenant.database, tenant.terms, await tenant.ends.overdue())
        page, validity = await search.page(selection, query, projection.dataset_ids)
        told = await tenant.historian.entities(page.keys, query, projection, summary, validity)
        return FoundEvolutions(told, page.count, page.more)

    async def provide(self, principal: Principal, at_us: int, fragment: EntityFragment) -> bool:
        """5.6.11: add to an entity's past, or begin one; answers whether it began. Raises InvalidInput."""
        assert fragment.id is not None
        tenant = await self._tenant(principal, "entity:write")
        was_known = await tenant.historian.is_known(fragment.id)
        await self._provide(principal, at_us, fragment)
        return not was_known

    async def append_instances(self, principal: Principal, at_us: int, fragment: EntityFragment) -> None:
        """5.6.12. Raises NotFound, InvalidInput."""
        await self._provide(principal, at_us, fragment)

    async def modify_instance(
        self, principal: Principal, at_us: int, entity_id: str, instance_id: str, one: AttributeFragment
    ) -> None:
        """5.6.14: parts of one instance; which datasetId its name says. Raises NotFound, InvalidInput, Conflict."""
        wanted = parse_instance_id(instance_id)
        tenant = await self._tenant(principal, "entity:write")
        for _ in range(ATTEMPTS):
            instance = await tenant.historian.instance(entity_id, one.name, wanted)
            one.dataset_id = instance.dataset_id
            operation = partial(_modified, instance=instance, n=wanted.n, at_us=at_us)
            with suppress(provision.Stale):
                await self._write_attribute(principal, at_us, entity_id, one, operation, None, knows_time=True)
                return
        raise Conflict("others keep changing the same attribute", remedy="Try again in a moment.")

    async def erase_past(self, principal: Principal, at_us: int, entity_id: str) -> None:
        """5.6.16: all that an entity was; what it is stays. Raises NotFound, Unavailable."""
        tenant = await self._tenant(principal, "entity:write")
        missing = NotFound(f"the past of {entity_id[:200]} was erased", where="id")
        span, key = await tenant.historian.span(entity_id), await tenant.historian.key(entity_id)
        await tenant.eraser.erase(principal, at_us, span, missing, key)

    async def erase_attribute(
        self, principal: Principal, at_us: int, entity_id: str, name: str, dataset_id: str | None
    ) -> None:
        """5.6.13: all that an attribute was. dataset_id: None for all instances. Raises NotFound, Unavailable."""
        tenant = await self._tenant(principal, "entity:write")
        missing = NotFound("the entity has no such attribute over time", where="attrId")
        span = await tenant.historian.span(entity_id, name, dataset_id)
        await tenant.eraser.erase(principal, at_us, span, missing)

    async def erase_instance(
        self, principal: Principal, at_us: int, entity_id: str, name: str, instance_id: str
    ) -> None:
        """5.6.15: one instance of an attribute over time. Raises NotFound, Unavailable."""
        wanted = parse_instance_id(instance_id)
        tenant = await self._tenant(principal, "entity:write")
        span = await tenant.historian.span_of(entity_id, name, wanted)
        await tenant.eraser.erase(principal, at_us, span, no_such_instance())

    async def _provide(self, principal: Principal, at_us: int, fragment: EntityFragment) -> None:
        def operation(stored: StoredEntity | None, given: EntityFragment) -> Decision:
            return provision.provide(stored, given, at_us)

        await self._write(principal, at_us, fragment, operation, None, fragment.attributes, knows_time=True)

    async def types(self, principal: Principal, *, with_attributes: bool) -> list[TypeUse]:
        """5.7.5 and 5.7.6."""
        tenant = await self._tenant(principal, "entity:read")
        return await (await tenant.discovery()).types(with_attributes=with_attributes)

    async def type(self, principal: Principal, iri: str) -> TypeUse:
        """5.7.7. Raises NotFound."""
        tenant = await self._tenant(principal, "entity:read")
        return await (await tenant.discovery()).type(iri)

    async def attributes(self, principal: Principal) -> list[AttributeUse]:
        """5.7.8 and 5.7.9."""
        tenant = await self._tenant(principal, "entity:read")
        return await (await tenant.discovery()).attributes()

    async def attribute(self, principal: Principal, iri: str) -> AttributeUse:
        """5.7.10. Raises NotFound."""
        tenant = await self._tenant(principal, "entity:read")
        return await (await tenant.discovery()).attribute(iri)

    async def create(self, principal: Principal, at_us: int, fragment: EntityFragment) -> None:
        """5.6.1. Raises Conflict where the entity is there."""
        await self._write(principal, at_us, fragment, decision.create)

    async def replace(self, principal: Principal, at_us: int, fragment: EntityFragment, gate: Gate = None) -> None:
        """5.6.18. Raises NotFound."""
        await self._write(principal, at_us, fragment, decision.replace, gate)

    async def append(
        self, principal: Principal, at_us: int, fragment: EntityFragment, *, may_overwrite: bool, gate: Gate = None
    ) -> Decision:
        """5.6.3. Raises NotFound."""
        operation = partial(decision.append, may_overwrite=may_overwrite)
        return await self._write(principal, at_us, fragment, operation, gate, fragment.attributes)

    async def update(self, principal: Principal, at_us: int, fragment: EntityFragment, gate: Gate = None) -> Decision:
        """5.6.2. Raises NotFound."""
        return await self._write(principal, at_us, fragment, decision.update, gate, fragment.attributes)

    async def merge(self, principal: Principal, at_us: int, fragment: EntityFragment, gate: Gate = None) -> Decision:
        """5.6.17. Raises NotFound, InvalidInput."""
        return await self._write(principal, at_us, fragment, decision.merge, gate, fragment.attributes)

    async def delete(self, principal: Principal, at_us: int, entity_id: str, gate: Gate = None) -> None:
        """5.6.6. Raises NotFound."""
        fragment = EntityFragment(entity_id, [], [])
        await self._write(principal, at_us, fragment, lambda stored, _: decision.delete(stored, entity_id), gate)

    async def update_attribute(
        self, principal: Principal, at_us: int, entity_id: str, attribute: AttributeFragment, gate: Gate = None
    ) -> None:
        """5.6.4. Raises NotFound, InvalidInput."""
        await self._write_attribute(principal, at_us, entity_id, attribute, decision.update_attribute, gate)

    async def replace_attribute(
        self, principal: Principal, at_us: int, entity_id: str, attribute: AttributeFragment, gate: Gate = None
    ) -> None:
        """5.6.19. Raises NotFound, InvalidInput."""
        await self._write_attribute(principal, at_us, entity_id, attribute, decision.replace_attribute, gate)

    async def delete_attribute(
        self,
        principal: Principal,
        at_us: int,
        entity_id: str,
        attribute: AttributeFragment,
        *,
        all_instances: bool,
        gate: Gate = None,
    ) -> None:
        """5.6.5. attribute: only its name and datasetId count. Raises NotFound."""

        def operation(stored: StoredEntity | None, owner: str, one: AttributeFragment) -> Decision:
            return decision.delete_attribute(stored, owner, one.name, one.dataset_id, all_instances=all_instances)

        await self._write_attribute(principal, at_us, entity_id, attribute, operation, gate)

    async def batch(
        self, principal: Principal, at_us: int, operation: BatchOperation, fragments: Sequence[EntityFragment]
    ) -> BatchOutcome:
        """5.6.7 to 5.6.10 and 5.6.20. Raises TooMany over MAX_BATCH entities."""
        if len(fragments) > MAX_BATCH:
            raise TooMany(f"a batch has at most {MAX_BATCH} entities", remedy="Send it in several requests.")
        tenant = await self._tenant(principal, "entity:write")
        outcome = BatchOutcome()
        for part in rounds(fragments):
            done = BatchOutcome()

            def decide(stored: Mapping[str, StoredEntity], part: list[EntityFragment] = part) -> list[Decision]:
                nonlocal done
                decisions, done = decide_batch(operation, part, stored)
                return decisions

            ids = [fragment.id for fragment in part if fragment.id is not None]
            iris = {iri for fragment in part for iri in _iris(fragment)}
            async with tenant.batches:
                await tenant.ledger.write(principal, at_us, ids, iris, decide)
            outcome.created += done.created
            outcome.changed += done.changed
            outcome.errors += done.errors
        return outcome

    async def purge(self, principal: Principal, at_us: int, selection: Selection, rest: Rest) -> int:
        """5.6.21. Answers how many entities were meant. Raises as `purging.purge`."""
        tenant = await self._tenant(principal, "entity:write")
        search = await tenant.search()
        return await purge(
            principal, at_us, selection, rest, database=tenant.database, search=search, ledger=tenant.ledger
        )

    async def _write(
        self,
        principal: Principal,
        at_us: int,
        fragment: EntityFragment,
        operation: Operation,
        gate: Gate = None,
        about: Sequence[AttributeFragment] | None = None,
        *,
        knows_time: bool = False,
    ) -> Decision:
        """One operation on one entity. about: the attributes it looks at; None for all. knows_time: whether what it
        decides hangs on `at_us`, so that it cannot be put down under another time together with others."""
        entity_id = fragment.id
        assert entity_id is not None

        def decide(entity: StoredEntity | None) -> Decision:
            if entity is not None and not types_hold(gate, entity.types):
                raise NotFound(f"there is no entity {entity_id} of this type", where="type")
            return operation(entity, fragment)

        tenant = await self._tenant(principal, "entity:write")
        names = None if about is None else [one.name for one in about]
        if not knows_time:
            return await tenant.gathering.write(Write(principal, at_us, entity_id, _iris(fragment), decide, names))
        (decided,) = await tenant.ledger.write(
            principal, at_us, [entity_id], _iris(fragment), lambda stored: [decide(stored.get(entity_id))], names
        )
        return decided

    async def _write_attribute(
        self,
        principal: Principal,
        at_us: int,
        entity_id: str,
        attribute: AttributeFragment,
        operation: Callable[[StoredEntity | None, str, AttributeFragment], Decision],
        gate: Gate,
        *,
        knows_time: bool = False,
    ) -> None:
        fragment = EntityFragment(entity_id, [], [attribute])

        def operate(stored: StoredEntity | None, _: EntityFragment) -> Decision:
            return operation(stored, entity_id, attribute)

        await self._write(principal, at_us, fragment, operate, gate, [attribute], knows_time=knows_time)

    async def _tenant(self, principal: Principal, permission: Permission) -> KnownTenant:
        principal.require(permission)
        seen = principal.tenant, principal.reach
        tenant = self._tenants.get(seen)
        if tenant is None:
            database = await self._store.tenant(*seen)
            if len(self._tenants) >= MAX_KNOWN:
                self._tenants.clear()
            tenant = self._tenants.setdefault(
                seen, KnownTenant(database, self._store.terms(database), Metas(), Ends(database, self._clock))
            )
        return tenant


def _modified(
    stored: StoredEntity | None, owner: str, one: AttributeFragment, *, instance: StoredAttribute, n: int, at_us: int
) -> Decision:
    return provision.modify(stored, one, instance, n, at_us)


def _iris(fragment: EntityFragment) -> set[str]:
    return {*fragment.types, *(one.name for one in fragment.attributes)}
