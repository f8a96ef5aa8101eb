"""`/types` and `/attributes`: what there is (6.25 to 6.28 of the standard)."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import unquote

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from broadstreet.access import requires
from broadstreet.apis.ngsi_ld.answers import ATTRIBUTE, ATTRIBUTES, TYPE, TYPES, Answer
from broadstreet.apis.ngsi_ld.exchange import Exchange, NgsiRequest
from broadstreet.apis.ngsi_ld.parameters import Query
from broadstreet.apis.router import Router
from broadstreet.apis.services import Call
from broadstreet.context import AttributeUse, TypeUse, Vocabulary

_TYPES: Final = Query("details", "local", answers={200: Answer("The names, or more of each.", TYPES)})
_TYPE: Final = Query("local", answers={200: Answer("What is known of it.", TYPE)})
_ATTRIBUTES: Final = Query("details", "local", answers={200: Answer("The names, or more of each.", ATTRIBUTES)})
_ATTRIBUTE: Final = Query("local", answers={200: Answer("What is known of it.", ATTRIBUTE)})


@get("/types", opt=requires("entity:read", within_reach=True), operation_class=_TYPES.operation)
async def list_types(request: NgsiRequest, call: NamedDependency[Call]) -> ASGIResponse:
    """The types that entities have; `details=true` with their attributes (5.7.5, 5.7.6)."""
    exchange = await Exchange.of(request, call)
    details = _TYPES.read(request.scope).flag("details")
    types = await call.services.broker.types(call.principal, with_attributes=details)
    compact = exchange.shown.compact
    if details:
        return exchange.answer([_type(one, exchange.shown) for one in types])
    listed = {"typeList": [compact(one.name) for one in types]}
    return exchange.answer(_list("EntityTypeList", call, listed))


@get("/types/{type_name:str}", opt=requires("entity:read", within_reach=True), operation_class=_TYPE.operation)
async def one_type(request: NgsiRequest, call: NamedDependency[Call], type_name: FromPath[str]) -> ASGIResponse:
    """One type, with how many entities have it and which attributes they have (5.7.7)."""
    exchange = await Exchange.of(request, call)
    _TYPE.read(request.scope)
    iri = exchange.vocabulary.name(unquote(type_name), "type")
    found = await call.services.broker.type(call.principal, iri)
    compact = exchange.shown.compact
    details = [
        {
            "id": one.name,
            "type": "Attribute",
            "attributeName": compact(one.name),
            "attributeTypes": [kind.type_name for kind in one.kinds],
        }
        for one in found.attributes
    ]
    return exchange.answer(
        {
            "id": found.name,
            "type": "EntityTypeInfo",
            "typeName": compact(found.name),
            "entityCount": found.count,
            "attributeDetails": details,
        }
    )


@get("/attributes", opt=requires("entity:read", within_reach=True), operation_class=_ATTRIBUTES.operation)
async def list_attributes(request: NgsiRequest, call: NamedDependency[Call]) -> ASGIResponse:
    """The attributes that entities have; `details=true` with the types of those entities (5.7.8, 5.7.9)."""
    exchange = await Exchange.of(request, call)
    details = _ATTRIBUTES.read(request.scope).flag("details")
    attributes = await call.services.broker.attributes(call.principal)
    if details:
        return exchange.answer([_attribute(one, exchange.shown) for one in attributes])
    listed = {"attributeList": [exchange.shown.compact(one.name) for one in attributes]}
    return exchange.answer(_list("AttributeList", call, listed))


@get(
    "/attributes/{attribute_id:str}",
    opt=requires("entity:read", within_reach=True),
    operation_class=_ATTRIBUTE.operation,
)
async def one_attribute(request: NgsiRequest, call: NamedDependency[Call], attribute_id: FromPath[str]) -> ASGIResponse:
    """One attribute, with its kinds, the types of the entities that have it, and how often it is there (5.7.10)."""
    exchange = await Exchange.of(request, call)
    _ATTRIBUTE.read(request.scope)
    iri = exchange.vocabulary.name(unquote(attribute_id), "attrId")
    found = await call.services.broker.attribute(call.principal, iri)
    kinds = [kind.type_name for kind in found.kinds]
    return exchange.answer(
        {**_attribute(found, exchange.shown), "attributeTypes": kinds, "attributeCount": found.count}
    )


def _list(kind: str, call: Call, listed: dict[str, Any]) -> dict[str, Any]:
    return {"id": f"urn:ngsi-ld:{kind}:{call.principal.tenant}", "type": kind, **listed}


def _type(use: TypeUse, vocabulary: Vocabulary) -> dict[str, Any]:
    names = [vocabulary.compact(one.name) for one in use.attributes]
    return {
        "id": use.name,
        "type": "EntityType",
        "typeName": vocabulary.compact(use.name),
        "attributeNames": names,
    }


def _attribute(use: AttributeUse, vocabulary: Vocabulary) -> dict[str, Any]:
    return {
        "id": use.name,
        "type": "Attribute",
        "attributeName": vocabulary.compact(use.name),
        "typeNames": [vocabulary.compact(iri) for iri in use.types],
    }


def discovery_router() -> Router:
    """`/types` and `/attributes`."""
    return Router("/", route_handlers=[list_types, one_type, list_attributes, one_attribute], tags=["Entities"])
