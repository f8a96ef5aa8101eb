"""The @contexts that are kept here, each tenant's own (5.13 of the standard): those put here by somebody, which are
`Hosted`, and copies of those that requests name by their addresses, `Cached`.

A request's @context is understood from what is kept; what is not is fetched once, from hosts that the settings name and
from nowhere else. What is kept is remembered with the vocabularies made of it, for as long as nothing changes: that is
looked at once a second where it is used at all. The core's own @context is known without any of this.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Literal

import msgspec

from broadstreet.context.bounds import MAX_CONTEXT_BYTES, MAX_CONTEXT_PARTS, MAX_CONTEXTS
from broadstreet.context.vocabulary import CORE, Library, Vocabulary, check_shape
from broadstreet.model.errors import (
    BroadstreetError,
    ContextNotAvailable,
    InvalidInput,
    NotFound,
    TooLarge,
    TooMany,
    UnknownTenant,
)
from broadstreet.model.terms import CORE_CONTEXT_PATTERN
from broadstreet.store import Database, Store, load_queries

ContextKind = Literal["Hosted", "Cached", "ImplicitlyCreated"]
Fetch = Callable[[str], Awaitable[Any]]
"""A document by its address. Raises BroadstreetError."""

PATH: Final = "/ngsi-ld/v1/jsonldContexts/"
"""Where a context stands that is served from here, behind any host that we are known by."""
LOOKED_AT_EVERY_US: Final = 1_000_000
MAX_TENANTS_REMEMBERED: Final = 64
_SQL = load_queries("jsonld_context")


class KeptContext(msgspec.Struct, frozen=True):
    """A context that is kept. url: where a copy is from. hits: how often it was used."""

    id: str
    url: str | None
    kind: ContextKind
    created_at_us: int
    used_at_us: int | None
    hits: int
    body: Any = None


class _Shelf:
    """What one tenant has, as this process remembers it."""

    def __init__(self, version: str, documents: Mapping[str, Any]) -> None:
        self.version = version
        self.looked_at_us = 0
        self.documents = dict(documents)
        self.library = Library(self.documents)
        self.ids: dict[str, str] = {}
        """Ids by the name that requests use."""
        self.hits: Counter[str] = Counter()


class Contexts:
    """Make one a process."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], int],
        fetch: Fetch | None = None,
        documents: Mapping[str, Any] | None = None,
    ) -> None:
        """fetch: how a document is come by that is not kept; None: not at all. documents: known to every tenant."""
        self._store = store
        self._clock = clock
        self._fetch = fetch
        self._documents = documents or {}
        self._shelves: dict[str, _Shelf] = {}

    async def vocabulary(self, tenant: str, context: Any, *, may_fetch: bool = True) -> Vocabulary:
        """What names mean under an @context. may_fetch: whether a copy may be fetched for this caller.

        Raises ContextNotAvailable, InvalidInput, TooLarge.
        """
        if isinstance(context, str) and CORE_CONTEXT_PATTERN.fullmatch(context):
            return CORE
        shelf = await self._shelf(tenant)
        for _ in range(MAX_CONTEXT_PARTS):
            missing = shelf.library.missing(context)
            if not missing:
                break
            if len(missing) > MAX_CONTEXT_PARTS:
                raise TooLarge(f"an @context has at most {MAX_CONTEXT_PARTS} parts", where="@context")
            for name in missing:
                await self._bring(tenant, shelf, name, may_fetch=may_fetch)
        for name in context if isinstance(context, list) else [context]:
            if isinstance(name, str) and name in shelf.ids:
                shelf.hits[shelf.ids[name]] += 1
        return shelf.library.vocabulary(context)

    async def add(self, tenant: str, body: Any, kind: ContextKind = "Hosted") -> str:
        """Keep a document `{"@context": …}`; answers its id. Raises InvalidInput, TooLarge, TooMany."""
        if not isinstance(body, dict) or "@context" not in body:
            raise InvalidInput("the document has no @context", where="body")
        _check_size(body)
        check_shape(body["@context"])
        database = await self._store.tenant(tenant)
        if await database.fetchval(_SQL["count"], kind) >= MAX_CONTEXTS:
            raise TooMany(f"a tenant keeps at most {MAX_CONTEXTS} @contexts of a kind", remedy="Delete one.")
        made = secrets.token_hex(8)
        await database.execute(_SQL["insert"], made, None, kind, body, self._clock())
        return made

    async def find(self, tenant: str, name: str) -> KeptContext:
        """A context by its id or its address. Raises NotFound."""
        await self._count(tenant)
        row = await (await self._store.tenant(tenant)).fetchrow(_SQL["one"], _local(name))
        if row is None:
            raise _missing(name)
        return _kept(row, row["body"])

    async def list(self, tenant: str, kind: str | None = None) -> list[KeptContext]:
        """All that are kept, oldest first; none where there is no such tenant."""
        try:
            await self._store.tenant(tenant)
        except UnknownTenant:
            return []
        await self._count(tenant)
        return [_kept(row) for row in await (await self._store.tenant(tenant)).fetch(_SQL["list"], kind)]

    async def delete(self, tenant: str, name: str) -> None:
        """Keep it no longer. Raises NotFound."""
        database = await self._store.tenant(tenant)
        if await database.fetchval(_SQL["delete"], _local(name)) is None:
            raise _missing(name)
        self._shelves.pop(tenant, None)

    async def reload(self, tenant: str, name: str) -> None:
        """Fetch a copy anew; the old one stays where that fails. Raises InvalidInput, ContextNotAvailable."""
        try:
            url = (await self.find(tenant, name)).url
        except NotFound:
            url = None
        if url is None:
            raise InvalidInput("only a copy that is kept can be fetched anew", where="reload")
        await self._keep_copy(await self._store.tenant(tenant), url)
        self._shelves.pop(tenant, None)

    async def _shelf(self, tenant: str) -> _Shelf:
        shelf, now_us = self._shelves.get(tenant), self._clock()
        if shelf is not None and 0 <= now_us - shelf.looked_at_us < LOOKED_AT_EVERY_US:
            return shelf
        version = await (await self._store.tenant(tenant)).fetchval(_SQL["version"])
        if shelf is None or shelf.version != version:
            if len(self._shelves) >= MAX_TENANTS_REMEMBERED:
                self._shelves.clear()
            shelf = self._shelves[tenant] = _Shelf(version, self._documents)
        elif shelf.hits:
            await self._count(tenant)
        shelf.looked_at_us = now_us
        return shelf

    async def _bring(self, tenant: str, shelf: _Shelf, name: str, *, may_fetch: bool) -> None:
        """Put a document on the shelf, from the database or from elsewhere. Raises ContextNotAvailable."""
        database = await self._store.tenant(tenant)
        row = await database.fetchrow(_SQL["one"], _local(name))
        if row is not None:
            shelf.documents[name], shelf.ids[name] = row["body"], row["id"]
        elif may_fetch and self._fetch is not None:
            shelf.ids[name], shelf.documents[name] = await self._keep_copy(database, name)
        else:
            raise ContextNotAvailable(f"the @context {name[:200]} is not kept here", where="@context", remedy=_REMEDY)

    async def _keep_copy(self, database: Database, url: str) -> tuple[str, Any]:
        """Fetch a document and keep it: its id, and itself.

        Raises ContextNotAvailable where it does not come, InvalidInput or TooLarge where it is no context.
        """
        assert self._fetch is not None
        try:
            body = await self._fetch(url)
        except (InvalidInput, TooLarge):
            raise
        except BroadstreetError as error:
            raise ContextNotAvailable(
                f"the @context {url[:200]} is not kept here, and cannot be fetched: {error.message}",
                where="@context",
                remedy=_REMEDY,
            ) from None
        if not isinstance(body, dict) or "@context" not in body:
            raise InvalidInput("the document has no @context", where=url[:200])
        _check_size(body)
        check_shape(body["@context"])
        if await database.fetchval(_SQL["count"], "Cached") >= MAX_CONTEXTS:
            await database.execute(_SQL["forget_oldest"])
        made = await database.fetchval(_SQL["insert"], secrets.token_hex(8), url, "Cached", body, self._clock())
        return str(made), body

    async def _count(self, tenant: str) -> None:
        """Write down how often contexts were used."""
        shelf = self._shelves.get(tenant)
        if shelf is None or not shelf.hits:
            return
        hits, shelf.hits = shelf.hits, Counter()
        database = await self._store.tenant(tenant)
        await database.execute(_SQL["used"], list(hits), list(hits.values()), self._clock())


_REMEDY: Final = (
    "Put it here by POST /ngsi-ld/v1/jsonldContexts, send its terms in the body, or let its host be asked: "
    "the setting ngsi_ld.context_hosts."
)


def _missing(name: str) -> NotFound:
    return NotFound(f"the @context {name[:200]} is not kept here", where="contextId")


def _local(name: str) -> str:
    """An id from a context's own address here, or whatever else it was called."""
    _, is_here, local = name.rpartition(PATH)
    return local if is_here else name


def _check_size(body: Any) -> None:
    if len(msgspec.json.encode(body)) > MAX_CONTEXT_BYTES:
        raise TooLarge(f"an @context of more than {MAX_CONTEXT_BYTES:,} bytes", where="@context")


def _kept(row: Any, body: Any = None) -> KeptContext:
    return KeptContext(row["id"], row["url"], row["kind"], row["created_at"], row["used_at"], row["hits"], body)
