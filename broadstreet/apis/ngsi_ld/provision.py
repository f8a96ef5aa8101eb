"""Writes of `/temporal/entities`: what entities were, told and taken back (6.18 to 6.22 of the standard)."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, unquote

from litestar import delete, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response.base import ASGIResponse
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED

from broadstreet.access import requires
from broadstreet.apis.ngsi_ld.attributes import without_context
from broadstreet.apis.ngsi_ld.entities import check_same, entity_id_of
from broadstreet.apis.ngsi_ld.exchange import Exchange, NgsiRequest, empty
from broadstreet.apis.ngsi_ld.parameters import Query
from broadstreet.apis.ngsi_ld.projection import dataset_id_of
from broadstreet.apis.services import Call
from broadstreet.context import parse_attribute, parse_evolution

_OVER_TIME: Final = "An entity whose attributes are lists of instances (EntityTemporal, 5.2.20)."
_DONE: Final = {204: "Done."}
_PROVIDE: Final = Query(
    "local", body=_OVER_TIME, answers={201: "Begun; Location says where it stands.", 204: "It was there."}
)
_APPEND: Final = Query("local", body="Attributes, each a list of instances.", answers=_DONE)
_MODIFY: Final = Query("local", body="Parts of an instance.", answers=_DONE)
_ERASE: Final = Query("local", answers=_DONE)
_ERASE_ATTRIBUTE: Final = Query("datasetId", "deleteAll", "local", answers=_DONE)
_ENTITY: Final = "/temporal/entities/{entity_id:str}"
_ATTRIBUTE: Final = f"{_ENTITY}/attrs/{{attribute_id:str}}"
_INSTANCE: Final = f"{_ATTRIBUTE}/{{instance_id:str}}"


@post("/temporal/entities", opt=requires("entity:write", makes_tenant=True), operation_class=_PROVIDE.operation)
async def provide_evolution(request: NgsiRequest, call: NamedDependency[Call]) -> ASGIResponse:
    """Add to what an entity was, or begin an entity with it (5.6.11)."""
    exchange = await Exchange.of(request, call)
    _PROVIDE.read(request.scope)
    document = await exchange.body()
    fragment = parse_evolution(document, exchange.vocabulary, is_whole=True)
    if not await call.services.broker.provide(call.principal, call.at_us, fragment):
        return empty()
    location = f"/ngsi-ld/v1/temporal/entities/{quote(fragment.id or '', safe=':')}"
    return empty(HTTP_201_CREATED, {"Location": location})


@delete(_ENTITY, opt=requires("entity:write"), operation_class=_ERASE.operation, status_code=HTTP_200_OK)
async def erase_evolution(request: NgsiRequest, call: NamedDependency[Call], entity_id: FromPath[str]) -> ASGIResponse:
    """Erase what an entity was for ever; what it is stays (5.6.16)."""
    await Exchange.of(request, call)
    _ERASE.read(request.scope)
    await call.services.broker.erase_past(call.principal, call.at_us, entity_id_of(entity_id))
    return empty()


@post(f"{_ENTITY}/attrs", opt=requires("entity:write"), operation_class=_APPEND.operation)
async def append_instances(request: NgsiRequest, call: NamedDependency[Call], entity_id: FromPath[str]) -> ASGIResponse:
    """Append instances of attributes to what an entity was (5.6.12)."""
    exchange = await Exchange.of(request, call)
    _APPEND.read(request.scope)
    owner = entity_id_of(entity_id)
    document = await exchange.body()
    fragment = parse_evolution(document, exchange.vocabulary, is_whole=False)
    check_same(fragment.id, owner)
    fragment.id = owner
    await call.services.broker.append_instances(call.principal, call.at_us, fragment)
    return empty()


@delete(_ATTRIBUTE, opt=requires("entity:write"), operation_class=_ERASE_ATTRIBUTE.operation, status_code=HTTP_200_OK)
async def erase_attribute(
    request: NgsiRequest, call: NamedDependency[Call], entity_id: FromPath[str], attribute_id: FromPath[str]
) -> ASGIResponse:
    """Erase what an attribute was: its default instance, the one of `datasetId`, or all (5.6.13)."""
    exchange = await Exchange.of(request, call)
    parameters = _ERASE_ATTRIBUTE.read(request.scope)
    owner = entity_id_of(entity_id)
    name = exchange.vocabulary.name(unquote(attribute_id), "attrId")
    dataset_id = dataset_id_of(parameters.text("datasetId") or "@none")
    chosen = None if parameters.flag("deleteAll") else dataset_id
    await call.services.broker.erase_attribute(call.principal, call.at_us, owner, name, chosen)
    return empty()


@patch(_INSTANCE, opt=requires("entity:write"), operation_class=_MODIFY.operation)
async def modify_instance(
    request: NgsiRequest,
    call: NamedDependency[Call],
    entity_id: FromPath[str],
    attribute_id: FromPath[str],
    instance_id: FromPath[str],
) -> ASGIResponse:
    """Modify parts of one instance of an attribute over time (5.6.14)."""
    exchange = await Exchange.of(request, call)
    _MODIFY.read(request.scope)
    owner = entity_id_of(entity_id)
    parts = without_context(await exchange.body(may_merge=True))
    one = parse_attribute(parts, unquote(attribute_id), exchange.vocabulary)
    await call.services.broker.modify_instance(call.principal, call.at_us, owner, unquote(instance_id), one)
    return empty()


@delete(_INSTANCE, opt=requires("entity:write"), operation_class=_ERASE.operation, status_code=HTTP_200_OK)
async def erase_instance(
    request: NgsiRequest,
    call: NamedDependency[Call],
    entity_id: FromPath[str],
    attribute_id: FromPath[str],
    instance_id: FromPath[str],
) -> ASGIResponse:
    """Erase one instance of an attribute over time (5.6.15)."""
    exchange = await Exchange.of(request, call)
    _ERASE.read(request.scope)
    owner = entity_id_of(entity_id)
    name = exchange.vocabulary.name(unquote(attribute_id), "attrId")
    await call.services.broker.erase_instance(call.principal, call.at_us, owner, name, unquote(instance_id))
    return empty()


HANDLERS: Final = [
    provide_evolution,
    erase_evolution,
    append_instances,
    erase_attribute,
    modify_instance,
    erase_instance,
]
