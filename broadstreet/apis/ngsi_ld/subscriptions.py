"""`/subscriptions`: who wants to be told of which changes (6.10 and 6.11 of the standard)."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote, unquote

from litestar import delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response.base import ASGIResponse
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED

from broadstreet.access import requires
from broadstreet.apis.ngsi_ld.answers import SUBSCRIPTION, SUBSCRIPTIONS, Answer
from broadstreet.apis.ngsi_ld.asking import check_known
from broadstreet.apis.ngsi_ld.entities import COUNT, check_same, page_links
from broadstreet.apis.ngsi_ld.exchange import Exchange, NgsiRequest, empty
from broadstreet.apis.ngsi_ld.parameters import Parameters, Query
from broadstreet.apis.router import Router
from broadstreet.apis.services import Call
from broadstreet.context import Subscription, SubscriptionPresentation, parse_subscription, parse_update
from broadstreet.context.bounds import DEFAULT_LIMIT, MAX_LIMIT, MAX_OFFSET
from broadstreet.model.errors import InvalidInput
from broadstreet.model.identifiers import check_uri

PLACE: Final = "/ngsi-ld/v1/subscriptions"
_LIST: Final = Query("limit", "offset", "count", "options", answers={200: Answer("The subscriptions.", SUBSCRIPTIONS)})
_ONE: Final = Query("options", answers={200: Answer("The subscription.", SUBSCRIPTION)})
_CREATE: Final = Query(body="A Subscription (5.2.12).", answers={201: "Created; Location says where it stands."})
_UPDATE: Final = Query(body="Some members of a Subscription; null takes one away.", answers={204: "Done."})
_DELETE: Final = Query(answers={204: "Gone."})


@get("/subscriptions", opt=requires("subscription:read"), operation_class=_LIST.operation)
async def list_subscriptions(request: NgsiRequest, call: NamedDependency[Call]) -> ASGIResponse:
    """The tenant's subscriptions, oldest first (5.8.4)."""
    exchange = await Exchange.of(request, call)
    parameters = _LIST.read(request.scope)
    limit, counts = parameters.integer("limit", DEFAULT_LIMIT, MAX_LIMIT), parameters.flag("count")
    if limit == 0 and not counts:
        raise InvalidInput("a limit of 0 asks for the count alone", where="limit", remedy="Add count=true.")
    offset = parameters.integer("offset", 0, MAX_OFFSET)
    presentation = _presentation(request, call, exchange, parameters)
    found = await call.services.subscriptions.list(call.principal, limit, offset, counts=counts)
    headers = {} if found.count is None else {COUNT: str(found.count)}
    if pages := page_links(request.url.path, parameters, limit, offset, found.more, exchange.media_type):
        headers["Link"] = pages
    return exchange.answer([presentation.show(one) for one in found.subscriptions], headers=headers)


@get("/subscriptions/{subscription_id:str}", opt=requires("subscription:read"), operation_class=_ONE.operation)
async def retrieve_subscription(
    request: NgsiRequest, call: NamedDependency[Call], subscription_id: FromPath[str]
) -> ASGIResponse:
    """One subscription (5.8.3)."""
    exchange = await Exchange.of(request, call)
    presentation = _presentation(request, call, exchange, _ONE.read(request.scope))
    kept = await call.services.subscriptions.retrieve(call.principal, _id_of(subscription_id))
    return exchange.answer(presentation.show(kept))


@post("/subscriptions", opt=requires("subscription:write", makes_tenant=True), operation_class=_CREATE.operation)
async def create_subscription(request: NgsiRequest, call: NamedDependency[Call]) -> ASGIResponse:
    """Subscribe to changes (5.8.1)."""
    exchange = await Exchange.of(request, call)
    _CREATE.read(request.scope)
    document = await exchange.body()
    named = document.get("id")
    if named is not None:
        check_uri(named if isinstance(named, str) else "", "id")
    members = parse_subscription(document, exchange.vocabulary, call.at_us)
    await _check_context(exchange, members)
    context = exchange.vocabulary.reference
    made = await call.services.subscriptions.create(call.principal, call.at_us, named, members, context)
    await _use_context(exchange, made)
    await call.audit("subscription.create", made.id)
    return empty(HTTP_201_CREATED, {"Location": f"{PLACE}/{quote(made.id, safe=':')}"})


@patch("/subscriptions/{subscription_id:str}", opt=requires("subscription:write"), operation_class=_UPDATE.operation)
async def update_subscription(
    request: NgsiRequest, call: NamedDependency[Call], subscription_id: FromPath[str]
) -> ASGIResponse:
    """Change a subscription, member by member (5.8.2)."""
    exchange = await Exchange.of(request, call)
    _UPDATE.read(request.scope)
    owner = _id_of(subscription_id)
    document = await exchange.body(may_merge=True)
    check_same(document.get("id"), owner)
    members = parse_update(document, exchange.vocabulary, call.at_us)
    await _check_context(exchange, members)
    context = exchange.vocabulary.reference
    made = await call.services.subscriptions.update(call.principal, call.at_us, owner, members, context)
    if "jsonldContext" in members:
        await _use_context(exchange, made)
    await call.audit("subscription.update", owner, {"members": sorted(members)})
    return empty()


@delete(
    "/subscriptions/{subscription_id:str}",
    opt=requires("subscription:write"),
    operation_class=_DELETE.operation,
    status_code=HTTP_200_OK,
)
async def delete_subscription(
    request: NgsiRequest, call: NamedDependency[Call], subscription_id: FromPath[str]
) -> ASGIResponse:
    """Subscribe no longer (5.8.5)."""
    _DELETE.read(request.scope)
    owner = _id_of(subscription_id)
    await call.services.subscriptions.delete(call.principal, owner)
    await call.audit("subscription.delete", owner)
    return empty()


def _id_of(text: str) -> str:
    return check_uri(unquote(text), "subscriptionId")


async def _check_context(exchange: Exchange, members: dict[str, Any]) -> None:
    """That notifications can speak the @context they are to. Raises ContextNotAvailable, InvalidInput."""
    if members.get("jsonldContext") is not None:
        await exchange.understand(members["jsonldContext"])


async def _use_context(exchange: Exchange, kept: Subscription) -> None:
    """An @context that was kept for a subscription counts it among its uses."""
    if kept.context_id is not None:
        await exchange.understand(kept.jsonld_context)


def _presentation(
    request: NgsiRequest, call: Call, exchange: Exchange, parameters: Parameters
) -> SubscriptionPresentation:
    options = parameters.names("options")
    check_known(options, {"sysAttrs"}, "options")
    return SubscriptionPresentation(
        vocabulary=exchange.shown,
        now_us=call.at_us,
        base=str(request.base_url).rstrip("/"),
        with_times="sysAttrs" in options,
        with_secrets=call.principal.may("subscription:write"),
    )


def subscriptions_router() -> Router:
    """`/subscriptions`."""
    return Router(
        "/",
        route_handlers=[
            list_subscriptions,
            retrieve_subscription,
            create_subscription,
            update_subscription,
            delete_subscription,
        ],
        tags=["Subscriptions"],
    )
