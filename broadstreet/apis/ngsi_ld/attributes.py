"""`/entities/{id}/attrs`: an entity's attributes (6.6 and 6.7 of the standard)."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import unquote

from litestar import delete, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response.base import ASGIResponse
from litestar.status_codes import HTTP_200_OK, HTTP_207_MULTI_STATUS

from broadstreet.access import requires
from broadstreet.apis.ngsi_ld.answers import UPDATED, Answer
from broadstreet.apis.ngsi_ld.entities import check_same, entity_id_of, gate_of
from broadstreet.apis.ngsi_ld.exchange import JSON, Exchange, NgsiRequest, empty, encode
from broadstreet.apis.ngsi_ld.parameters import Query
from broadstreet.apis.ngsi_ld.projection import dataset_id_of
from broadstreet.apis.router import Router
from broadstreet.apis.services import Call
from broadstreet.context import (
    AttributeFragment,
    Decision,
    EntityFragment,
    Nulls,
    parse_attribute,
    parse_fragment,
)
from broadstreet.model.errors import InvalidInput

_DONE: Final = {204: "Done."}
_PARTLY: Final[dict[int, str | Answer]] = {
    204: "All was done.",
    207: Answer("What was done and what was not, and why (5.2.18).", UPDATED),
}
_APPEND = Query("options", "type", "local", body="Attributes.", answers=_PARTLY)
_UPDATE = Query("type", "local", body="Attributes.", answers=_PARTLY)
_ONE = Query("type", "local", body="An attribute, or a part of one.", answers=_DONE)
_DELETE = Query("datasetId", "deleteAll", "type", "local", answers=_DONE)


@post("/entities/{entity_id:str}/attrs", opt=requires("entity:write"), operation_class=_APPEND.operation)
async def append_attributes(
    request: NgsiRequest, call: NamedDependency[Call], entity_id: FromPath[str]
) -> ASGIResponse:
    """Append attributes; `options=noOverwrite` leaves those that are there (5.6.3)."""
    exchange = await Exchange.of(request, call)
    parameters = _APPEND.read(request.scope)
    if unknown := parameters.options - {"noOverwrite"}:
        raise InvalidInput(f"{', '.join(sorted(unknown))[:80]} is no option here", where="options")
    fragment = await _fragment(exchange, entity_id)
    decided = await call.services.broker.append(
        call.principal,
        call.at_us,
        fragment,
        may_overwrite="noOverwrite" not in parameters.options,
        gate=gate_of(parameters, exchange),
    )
    return _outcome(decided)


@patch("/entities/{entity_id:str}/attrs", opt=requires("entity:write"), operation_class=_UPDATE.operation)
async def update_attributes(
    request: NgsiRequest, call: NamedDependency[Call], entity_id: FromPath[str]
) -> ASGIResponse:
    """Update attributes that are there (5.6.2)."""
    exchange = await Exchange.of(request, call)
    parameters = _UPDATE.read(request.scope)
    fragment = await _fragment(exchange, entity_id, may_merge=True)
    gate = gate_of(parameters, exchange)
    decided = await call.services.broker.update(call.principal, call.at_us, fragment, gate)
    return _outcome(decided)


@patch(
    "/entities/{entity_id:str}/attrs/{attribute_id:str}", opt=requires("entity:write"), operation_class=_ONE.operation
)
async def update_attribute(
    request: NgsiRequest, call: NamedDependency[Call], entity_id: FromPath[str], attribute_id: FromPath[str]
) -> ASGIResponse:
    """Update parts of one attribute (5.6.4)."""
    exchange = await Exchange.of(request, call)
    parameters = _ONE.read(request.scope)
    owner = entity_id_of(entity_id)
    document = await exchange.body(may_merge=True)
    attribute = parse_attribute(without_context(document), unquote(attribute_id), exchange.vocabulary)
    gate = gate_of(parameters, exchange)
    await call.services.broker.update_attribute(call.principal, call.at_us, owner, attribute, gate)
    return empty()


@put("/entities/{entity_id:str}/attrs/{attribute_id:str}", opt=requires("entity:write"), operation_class=_ONE.operation)
async def replace_attribute(
    request: NgsiRequest, call: NamedDependency[Call], entity_id: FromPath[str], attribute_id: FromPath[str]
) -> ASGIResponse:
    """Replace one attribute (5.6.19)."""
    exchange = await Exchange.of(request, call)
    parameters = _ONE.read(request.scope)
    owner = entity_id_of(entity_id)
    document = await exchange.body()
    name = unquote(attribute_id)
    attribute = parse_attribute(without_context(document), name, exchange.vocabulary, Nulls.REFUSED)
    gate = gate_of(parameters, exchange)
    await call.services.broker.replace_attribute(call.principal, call.at_us, owner, attribute, gate)
    return empty()


@delete(
    "/entities/{entity_id:str}/attrs/{attribute_id:str}",
    opt=requires("entity:write"),
    operation_class=_DELETE.operation,
    status_code=HTTP_200_OK,
)
async def delete_attribute(
    request: NgsiRequest, call: NamedDependency[Call], entity_id: FromPath[str], attribute_id: FromPath[str]
) -> ASGIResponse:
    """Delete an attribute: its default instance, the one of `datasetId`, or all (5.6.5)."""
    exchange = await Exchange.of(request, call)
    parameters = _DELETE.read(request.scope)
    owner = entity_id_of(entity_id)
    attribute = AttributeFragment(
        exchange.vocabulary.name(unquote(attribute_id), "attrId"),
        dataset_id_of(parameters.text("datasetId") or "@none"),
    )
    await call.services.broker.delete_attribute(
        call.principal,
        call.at_us,
        owner,
        attribute,
        all_instances=parameters.flag("deleteAll"),
        gate=gate_of(parameters, exchange),
    )
    return empty()


async def _fragment(exchange: Exchange, entity_id: str, *, may_merge: bool = False) -> EntityFragment:
    """The body as a part of the entity in the path."""
    owner = entity_id_of(entity_id)
    fragment = parse_fragment(await exchange.body(may_merge=may_merge), exchange.vocabulary)
    check_same(fragment.id, owner)
    fragment.id = owner
    return fragment


def without_context(document: dict[str, Any]) -> dict[str, Any]:
    """The members of a body but for its @context."""
    return {name: member for name, member in document.items() if name != "@context"}


def _outcome(decided: Decision) -> ASGIResponse:
    """Nothing where all was done; else what was and what was not, and why (5.2.18). Names are whole, for the answer
    carries no @context."""
    if not decided.untouched:
        return empty()
    left = [{"attributeName": one.name, "reason": one.reason} for one in decided.untouched]
    result = {"updated": decided.updated, "notUpdated": left}
    return ASGIResponse(body=encode(result), media_type=JSON, status_code=HTTP_207_MULTI_STATUS)


def attributes_router() -> Router:
    """`/entities/{id}/attrs`."""
    return Router(
        "/",
        route_handlers=[append_attributes, update_attributes, update_attribute, replace_attribute, delete_attribute],
        tags=["Entities"],
    )
