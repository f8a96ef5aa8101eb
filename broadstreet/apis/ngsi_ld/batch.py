"""`/entityOperations`: many entities at once (6.14 to 6.17 and 6.31 of the standard).

Each entity is read and written for itself: one that fails stands in the answer's `errors` with its problem, and keeps
no other from its place.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from litestar import post
from litestar.di import NamedDependency
from litestar.response.base import ASGIResponse
from litestar.status_codes import HTTP_201_CREATED, HTTP_207_MULTI_STATUS

from broadstreet.access import requires
from broadstreet.apis.ngsi_ld.answers import BATCH, IDS, Answer
from broadstreet.apis.ngsi_ld.exchange import JSON, Exchange, NgsiRequest, empty, encode
from broadstreet.apis.ngsi_ld.parameters import Query
from broadstreet.apis.problem import problem_of
from broadstreet.apis.router import Router
from broadstreet.apis.services import Call
from broadstreet.context import BatchError, BatchOperation, BatchOutcome, EntityFragment, Nulls, parse_entity
from broadstreet.context.bounds import MAX_BATCH
from broadstreet.model.errors import BroadstreetError, InvalidInput, TooMany
from broadstreet.model.identifiers import check_uri

Read = Callable[[Any], Awaitable[EntityFragment]]
"""Reads one document of a batch."""
_PARTLY: Final = Answer("What was done and what was not, and why (5.2.16).", BATCH)
_CREATED: Final = Answer("The ids of those created; the others were changed.", IDS)
_CREATE = Query("local", body="A list of entities.", answers={201: _CREATED, 207: _PARTLY})
_UPSERT = Query(
    "options",
    "local",
    body="A list of entities.",
    answers={201: _CREATED, 204: "All were changed.", 207: _PARTLY},
)
_WRITE = Query("options", "local", body="A list of entities.", answers={204: "All was done.", 207: _PARTLY})
_MERGE = Query("local", body="A list of entities.", answers={204: "All was done.", 207: _PARTLY})
_DELETE = Query("local", body="A list of ids.", answers={204: "All are deleted.", 207: _PARTLY})
_UPSERTS: Final = {"update": BatchOperation.UPSERT_UPDATE, "replace": BatchOperation.UPSERT_REPLACE}
_UPDATES: Final = {"noOverwrite": BatchOperation.UPDATE_NO_OVERWRITE, "replace": BatchOperation.UPDATE}


@post("/entityOperations/create", opt=requires("entity:write", makes_tenant=True), operation_class=_CREATE.operation)
async def create_entities(request: NgsiRequest, call: NamedDependency[Call]) -> ASGIResponse:
    """Create entities (5.6.7)."""
    _CREATE.read(request.scope)
    outcome = await _run(request, call, BatchOperation.CREATE)
    return _failed(outcome) or _ids(outcome.created)


@post("/entityOperations/upsert", opt=requires("entity:write", makes_tenant=True), operation_class=_UPSERT.operation)
async def upsert_entities(request: NgsiRequest, call: NamedDependency[Call]) -> ASGIResponse:
    """Create entities, or replace those that are there; `options=update` updates them instead (5.6.8)."""
    operation = _chosen(_UPSERT, request, _UPSERTS, BatchOperation.UPSERT_REPLACE)
    outcome = await _run(request, call, operation)
    return _failed(outcome) or (_ids(outcome.created) if outcome.created else empty())


@post("/entityOperations/update", opt=requires("entity:write"), operation_class=_WRITE.operation)
async def update_entities(request: NgsiRequest, call: NamedDependency[Call]) -> ASGIResponse:
    """Append attributes to entities; `options=noOverwrite` leaves those that are there (5.6.9)."""
    outcome = await _run(request, call, _chosen(_WRITE, request, _UPDATES, BatchOperation.UPDATE))
    return _failed(outcome) or empty()


@post("/entityOperations/merge", opt=requires("entity:write"), operation_class=_MERGE.operation)
async def merge_entities(request: NgsiRequest, call: NamedDependency[Call]) -> ASGIResponse:
    """Merge entities: lay fragments over what is there (5.6.20)."""
    _MERGE.read(request.scope)
    outcome = await _run(request, call, BatchOperation.MERGE)
    return _failed(outcome) or empty()


@post("/entityOperations/delete", opt=requires("entity:write"), operation_class=_DELETE.operation)
async def delete_entities(request: NgsiRequest, call: NamedDependency[Call]) -> ASGIResponse:
    """Delete entities by their ids (5.6.10)."""
    _DELETE.read(request.scope)
    outcome = await _run(request, call, BatchOperation.DELETE)
    return _failed(outcome) or empty()


async def _run(request: NgsiRequest, call: Call, operation: BatchOperation) -> BatchOutcome:
    """Read the body's entities, carry out the operation on those that could be read."""
    exchange = await Exchange.of(request, call)
    documents, is_linked_data = await exchange.documents()
    if not isinstance(documents, list) or not documents or None in documents:
        raise InvalidInput("the body is a list that is not empty and holds no null", where="body")
    if len(documents) > MAX_BATCH:
        raise TooMany(f"a batch has at most {MAX_BATCH} entities", where="body", remedy="Send it in several requests.")
    read = _id_reader() if operation is BatchOperation.DELETE else _reader(exchange, is_linked_data, operation)
    fragments: list[EntityFragment] = []
    errors: list[BatchError] = []
    for document in documents:
        try:
            fragments.append(await read(document))
        except BroadstreetError as error:
            errors.append(BatchError(_id_of(document), error))
    if not fragments:
        return BatchOutcome(errors=errors)
    outcome = await call.services.broker.batch(call.principal, call.at_us, operation, fragments)
    outcome.errors = errors + outcome.errors
    return outcome


def _reader(exchange: Exchange, is_linked_data: bool, operation: BatchOperation) -> Read:
    """Reads a document as an entity: whole, or only what an update needs of one."""
    nulls = {BatchOperation.MERGE: Nulls.WITHIN, BatchOperation.UPDATE: Nulls.WHOLE}.get(operation, Nulls.REFUSED)

    async def read(document: Any) -> EntityFragment:
        if not isinstance(document, dict):
            raise InvalidInput("an entity is a JSON object")
        vocabulary = await exchange.context_of(document, is_linked_data)
        return parse_entity(document, vocabulary, nulls)

    return read


def _id_reader() -> Read:
    async def read(document: Any) -> EntityFragment:
        if not isinstance(document, str):
            raise InvalidInput("an id is a text")
        return EntityFragment(check_uri(document, "id"), [], [])

    return read


def _id_of(document: Any) -> str:
    """What a document that cannot be read calls itself."""
    said = document.get("id", "") if isinstance(document, dict) else document
    return said if isinstance(said, str) else ""


def _chosen(
    query: Query, request: NgsiRequest, choices: dict[str, BatchOperation], default: BatchOperation
) -> BatchOperation:
    options = query.read(request.scope).options
    if len(options) > 1 or not options <= choices.keys():
        raise InvalidInput(f"options is one of {', '.join(choices)}", where="options")
    return choices[options.pop()] if options else default


def _ids(ids: list[str]) -> ASGIResponse:
    return ASGIResponse(body=encode(ids), media_type=JSON, status_code=HTTP_201_CREATED)


def _failed(outcome: BatchOutcome) -> ASGIResponse | None:
    """A BatchOperationResult (5.2.16) where something failed."""
    if not outcome.errors:
        return None
    errors = [{"entityId": one.entity_id, "error": problem_of(one.error)} for one in outcome.errors]
    body = encode({"success": outcome.succeeded, "errors": errors})
    return ASGIResponse(body=body, media_type=JSON, status_code=HTTP_207_MULTI_STATUS)


def batch_router() -> Router:
    """`/entityOperations`, but for the query."""
    return Router(
        "/",
        route_handlers=[create_entities, upsert_entities, update_entities, merge_entities, delete_entities],
        tags=["Entities"],
    )
