"""`/entities`: entities one by one, and queries for them (6.4, 6.5 and 6.23 of the standard)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote, unquote, urlencode

from litestar import delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response.base import ASGIResponse
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED

from broadstreet.access import requires
from broadstreet.apis.ngsi_ld.answers import ONE_ENTITY, SOME_ENTITIES
from broadstreet.apis.ngsi_ld.asking import (
    PAGING,
    SELECTING,
    SHOWING,
    Wishes,
    presentation_of,
    selection_of,
    selector_of,
    wishes_as,
    wishes_of_parameters,
)
from broadstreet.apis.ngsi_ld.exchange import ENTITY_OFFERS, GEO_JSON, JSON, Exchange, NgsiRequest, empty
from broadstreet.apis.ngsi_ld.joining import (
    JOINING,
    JoinWishes,
    join_of_parameters,
    join_of_wishes,
    levels_of,
    shown_of,
)
from broadstreet.apis.ngsi_ld.ordering import ORDERING, order_of
from broadstreet.apis.ngsi_ld.parameters import Parameters, Query
from broadstreet.apis.router import Router
from broadstreet.apis.services import Call
from broadstreet.context import (
    Found,
    Join,
    Nulls,
    Selection,
    Selector,
    WrittenPage,
    parse_entity,
    parse_fragment,
    parse_types,
)
from broadstreet.context.broker import Gate
from broadstreet.context.selection import types_hold
from broadstreet.model.errors import InvalidInput, NotFound
from broadstreet.model.identifiers import check_uri

COUNT: Final = "NGSILD-Results-Count"
"""The header that says how many there are."""
_DONE: Final = {204: "Done."}
_SHOW = Query(*SHOWING, *JOINING, "type", "geometryProperty", "local", answers=ONE_ENTITY)
_FIND = Query(*SELECTING, *SHOWING, *JOINING, *PAGING, *ORDERING, "geometryProperty", answers=SOME_ENTITIES)
_POST_FIND = Query("options", "format", *PAGING, "geometryProperty", body="A Query (5.2.23).", answers=SOME_ENTITIES)
_CREATE = Query("local", body="An entity.", answers={201: "Created; Location says where it stands."})
_WRITE = Query("type", "local", "options", "format", body="An entity or a part of one.", answers=_DONE)
_DELETE = Query("type", "local", answers=_DONE)


def entity_id_of(text: str) -> str:
    """An entity's id from its place in a path."""
    return check_uri(unquote(text), "entityId")


def gate_of(parameters: Parameters, exchange: Exchange) -> Gate:
    """The type selection that a write's target must satisfy."""
    text = parameters.text("type")
    return None if text is None else parse_types(text, exchange.vocabulary)


@get("/entities/{entity_id:str}", opt=requires("entity:read", within_reach=True), operation_class=_SHOW.operation)
async def retrieve_entity(request: NgsiRequest, call: NamedDependency[Call], entity_id: FromPath[str]) -> ASGIResponse:
    """Retrieve an entity (5.7.1)."""
    exchange = await Exchange.of(request, call, ENTITY_OFFERS)
    parameters = _SHOW.read(request.scope)
    wishes = wishes_of_parameters(parameters)
    join = join_of_parameters(parameters)
    presentation = presentation_of(wishes, parameters, exchange.vocabulary, exchange.shown, levels=levels_of(join))
    geometry_property = _geometry_property(parameters, exchange)
    broker, with_times = call.services.broker, presentation.with_times
    row = await broker.retrieve(call.principal, entity_id_of(entity_id), with_times=with_times)
    if not types_hold(gate_of(parameters, exchange), row.types):
        raise NotFound("there is no such entity of this type", where="type")
    written = None
    if join is None and _is_as_kept(exchange):
        written = await broker.written(call.principal, [row], presentation)
    if written is not None:
        return exchange.written(written, is_one=True)
    if wishes.attrs and not any(presentation.projection.shows(one.name, one.dataset_id) for one in row.attributes):
        raise NotFound("the entity has none of these attributes", where="attrs")
    shown = await shown_of(call, exchange, presentation, [row], join, geometry_property)
    if not shown:
        raise NotFound("the entity has none of these members", where="pick, omit")
    if exchange.media_type == GEO_JSON:
        return exchange.geo_answer(shown[0] if len(shown) == 1 else _collection(shown), presentation.form)
    return exchange.answer(shown[0] if len(shown) == 1 else shown, form=presentation.form)


@get("/entities", opt=requires("entity:read", within_reach=True), operation_class=_FIND.operation)
async def query_entities(request: NgsiRequest, call: NamedDependency[Call]) -> ASGIResponse:
    """Query entities (5.7.2)."""
    exchange = await Exchange.of(request, call, ENTITY_OFFERS)
    parameters = _FIND.read(request.scope)
    selectors = (selector_of(parameters, exchange.vocabulary),)
    wishes, join = wishes_of_parameters(parameters), join_of_parameters(parameters)
    return await _find(call, exchange, parameters, wishes, join, selectors, request.url.path)


@post("/entityOperations/query", opt=requires("entity:read", within_reach=True), operation_class=_POST_FIND.operation)
async def query_entities_by_post(request: NgsiRequest, call: NamedDependency[Call]) -> ASGIResponse:
    """Query entities, the query in the body (5.7.2)."""
    exchange = await Exchange.of(request, call, ENTITY_OFFERS)
    parameters = _POST_FIND.read(request.scope)
    wishes = wishes_as(await exchange.body(), JoinWishes)
    return await _find(call, exchange, parameters, wishes, join_of_wishes(wishes), (), request.url.path)


async def _find(
    call: Call,
    exchange: Exchange,
    parameters: Parameters,
    wishes: Wishes,
    join: Join | None,
    selectors: tuple[Selector, ...],
    path: str,
) -> ASGIResponse:
    levels = levels_of(join)
    selection = selection_of(wishes, parameters, exchange.vocabulary, selectors, levels=levels)
    selection = replace(selection, order=order_of(wishes.ordering, parameters))
    presentation = presentation_of(wishes, parameters, exchange.vocabulary, exchange.shown, levels=levels)
    geometry_property = _geometry_property(parameters, exchange)
    broker = call.services.broker
    written = None
    if join is None and _is_as_kept(exchange):
        written = await broker.query_written(call.principal, selection, presentation)
    if written is not None:
        headers = _page_headers(path, parameters, selection, written)
        return exchange.written(written.texts, is_one=False, headers=headers)
    found = await broker.query(call.principal, selection, with_times=presentation.with_times)
    headers = _page_headers(path, parameters, selection, found)
    shown = await shown_of(call, exchange, presentation, found.entities, join, geometry_property)
    if exchange.media_type == GEO_JSON:
        return exchange.geo_answer(_collection(shown), presentation.form, headers=headers)
    return exchange.answer(shown, headers=headers, form=presentation.form)


def _is_as_kept(exchange: Exchange) -> bool:
    """Whether entities are shown as they are written from columns."""
    return exchange.media_type != GEO_JSON and exchange.is_newest


def _page_headers(path: str, parameters: Parameters, selection: Selection, page: Found | WrittenPage) -> dict[str, str]:
    """How many there are, if asked, and where the pages before and behind are."""
    headers = {} if page.count is None or not selection.counts else {COUNT: str(page.count)}
    links = page_links(path, parameters, selection.limit, selection.offset, page.more)
    return {**headers, "Link": links} if links else headers


def _collection(features: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": features}


def _geometry_property(parameters: Parameters, exchange: Exchange) -> str:
    name = parameters.text("geometryProperty")
    if name is not None and exchange.media_type != GEO_JSON:
        raise InvalidInput("geometryProperty is for GeoJSON", where="geometryProperty", remedy=f"Accept {GEO_JSON}.")
    return exchange.vocabulary.name(name or "location", "geometryProperty")


def page_links(path: str, parameters: Parameters, limit: int, offset: int, more: bool, media_type: str = JSON) -> str:
    """Link header values to the pages before and behind this one (6.3.10)."""
    links = []
    if limit and offset:
        links.append(("prev", max(offset - limit, 0)))
    if limit and more:
        links.append(("next", offset + limit))
    shown = []
    for relation, start in links:
        values = sorted({**parameters.all, "limit": str(limit), "offset": str(start)}.items())
        query = urlencode(values, safe=":*", quote_via=quote)
        shown.append(f'<{path}?{query}>;rel="{relation}";type="{media_type}"')
    return ", ".join(shown)


@post("/entities", opt=requires("entity:write", makes_tenant=True), operation_class=_CREATE.operation)
async def create_entity(request: NgsiRequest, call: NamedDependency[Call]) -> ASGIResponse:
    """Create an entity (5.6.1)."""
    exchange = await Exchange.of(request, call)
    _CREATE.read(request.scope)
    document = await exchange.body()
    fragment = parse_entity(document, exchange.vocabulary)
    await call.services.broker.create(call.principal, call.at_us, fragment)
    location = f"/ngsi-ld/v1/entities/{quote(fragment.id or '', safe=':')}"
    return empty(HTTP_201_CREATED, {"Location": location})


@patch("/entities/{entity_id:str}", opt=requires("entity:write"), operation_class=_WRITE.operation)
async def merge_entity(request: NgsiRequest, call: NamedDependency[Call], entity_id: FromPath[str]) -> ASGIResponse:
    """Merge an entity: lay a fragment over what is there (5.6.17)."""
    exchange = await Exchange.of(request, call)
    parameters = _WRITE.read(request.scope)
    owner = entity_id_of(entity_id)
    document = await exchange.body(may_merge=True)
    simplified = not {"keyValues", "simplified"}.isdisjoint(parameters.options)
    fragment = parse_fragment(document, exchange.vocabulary, Nulls.WITHIN, is_simplified=simplified)
    check_same(fragment.id, owner)
    fragment.id = owner
    await call.services.broker.merge(call.principal, call.at_us, fragment, gate_of(parameters, exchange))
    return empty()


@put("/entities/{entity_id:str}", opt=requires("entity:write"), operation_class=_WRITE.operation)
async def replace_entity(request: NgsiRequest, call: NamedDependency[Call], entity_id: FromPath[str]) -> ASGIResponse:
    """Replace an entity (5.6.18)."""
    exchange = await Exchange.of(request, call)
    parameters = _WRITE.read(request.scope)
    owner = entity_id_of(entity_id)
    fragment = parse_fragment(await exchange.body(), exchange.vocabulary, Nulls.REFUSED)
    check_same(fragment.id, owner)
    fragment.id = owner
    await call.services.broker.replace(call.principal, call.at_us, fragment, gate_of(parameters, exchange))
    return empty()


@delete(
    "/entities/{entity_id:str}",
    opt=requires("entity:write"),
    operation_class=_DELETE.operation,
    status_code=HTTP_200_OK,
)
async def delete_entity(request: NgsiRequest, call: NamedDependency[Call], entity_id: FromPath[str]) -> ASGIResponse:
    """Delete an entity; its past stays (5.6.6)."""
    exchange = await Exchange.of(request, call)
    parameters = _DELETE.read(request.scope)
    gate = gate_of(parameters, exchange)
    await call.services.broker.delete(call.principal, call.at_us, entity_id_of(entity_id), gate)
    return empty()


def check_same(said: str | None, owner: str) -> None:
    """InvalidInput where a body names another entity than its path."""
    if said is not None and said != owner:
        raise InvalidInput("the body's id is not the path's", where="id")


def entities_router() -> Router:
    """`/entities` and `/entityOperations/query`."""
    return Router(
        "/",
        route_handlers=[
            retrieve_entity,
            query_entities,
            query_entities_by_post,
            create_entity,
            merge_entity,
            replace_entity,
            delete_entity,
        ],
        tags=["Entities"],
    )
