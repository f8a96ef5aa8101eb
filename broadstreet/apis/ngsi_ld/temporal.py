"""`/temporal/entities`: entities over time (6.18 to 6.20 of the standard)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response.base import ASGIResponse
from litestar.status_codes import HTTP_200_OK, HTTP_206_PARTIAL_CONTENT

from broadstreet.access import requires
from broadstreet.apis.ngsi_ld.answers import EVOLUTION, EVOLUTIONS, Answer
from broadstreet.apis.ngsi_ld.asking import (
    PAGING,
    SELECTING,
    SHOWING,
    Wishes,
    check_known,
    presentation_of,
    selection_of,
    selector_of,
    wishes_of_body,
    wishes_of_parameters,
)
from broadstreet.apis.ngsi_ld.entities import COUNT, entity_id_of, page_links
from broadstreet.apis.ngsi_ld.exchange import Exchange, NgsiRequest
from broadstreet.apis.ngsi_ld.ordering import order_of
from broadstreet.apis.ngsi_ld.parameters import Parameters, Query
from broadstreet.apis.ngsi_ld.provision import HANDLERS
from broadstreet.apis.router import Router
from broadstreet.apis.services import Call
from broadstreet.context import (
    Portion,
    Presentation,
    Selector,
    Summary,
    TemporalForm,
    TemporalPresentation,
    TemporalQuery,
    TimeProperty,
)
from broadstreet.context.bounds import MAX_LAST_N, MAX_TEMPORAL_ENTITIES
from broadstreet.context.document import parse_utc
from broadstreet.history import Method, Period
from broadstreet.model.clock import format_rfc3339
from broadstreet.model.errors import InvalidInput, NotFound, OperationNotSupported, TooMany

_SUMMING: Final = ("aggrMethods", "aggrPeriodDuration")
_WHEN: Final = ("timerel", "timeAt", "endTimeAt", "timeproperty", "lastN", *_SUMMING)
_PART: Final = "The first part of it: Content-Range says how far it goes."
_ANSWERS: Final = {200: Answer("Entities over time.", EVOLUTIONS), 206: Answer(_PART, EVOLUTIONS)}
_ONE: Final = Query(
    *SHOWING, *_WHEN, "local", answers={200: Answer("The entity over time.", EVOLUTION), 206: Answer(_PART, EVOLUTION)}
)
_FIND: Final = Query(*SELECTING, *SHOWING, *_WHEN, *PAGING, "orderBy", "collation", answers=_ANSWERS)
_POST_FIND: Final = Query("options", "format", *PAGING, body="A Query with a temporalQ (5.2.23).", answers=_ANSWERS)
_FORMS: Final = {form.value: form for form in TemporalForm if form is not TemporalForm.INSTANCES}


class _Wanted:
    """What a temporal request wants: when, in which form, summed up how."""

    def __init__(self, parameters: Parameters, presentation: Presentation, most: int) -> None:
        """most: instances of an attribute in one answer. Raises InvalidRequest, InvalidInput, TooMany."""
        options = [*parameters.names("format"), *parameters.names("options")]
        forms = [_FORMS[name] for name in options if name in _FORMS]
        if "aggrMethods" in parameters:
            forms.append(TemporalForm.AGGREGATES)
        self.form = forms[0] if forms else TemporalForm.INSTANCES
        self.query = _temporal_query(parameters, most, with_times=presentation.with_times)
        self.summary = _summary(parameters) if self.form is TemporalForm.AGGREGATES else None
        if self.summary is not None and self.query.time is not TimeProperty.OBSERVED:
            raise OperationNotSupported("values are summed up by when they were observed", where="timeproperty")
        self.presentation = TemporalPresentation(presentation, self.form, self.query.time)


def _temporal_query(parameters: Parameters, most: int, *, with_times: bool) -> TemporalQuery:
    relation = parameters.text("timerel")
    which = parameters.text("timeproperty") or TimeProperty.OBSERVED.value
    if which not in list(TimeProperty):
        raise InvalidInput(f"timeproperty is {', '.join(TimeProperty)}", where="timeproperty")
    last_n = parameters.integer("lastN", 0, MAX_LAST_N) or None
    if last_n is None and "lastN" in parameters:
        raise InvalidInput("lastN is above 0", where="lastN")
    query = TemporalQuery(None, None, TimeProperty(which), last_n, with_times, most)
    if relation is None:
        if parameters.text("timeAt") or parameters.text("endTimeAt"):
            raise InvalidInput("timeAt goes with timerel", where="timerel")
        return query
    if relation not in ("before", "after", "between"):
        raise InvalidInput("timerel is before, after or between", where="timerel")
    at_us = parse_utc(parameters.text("timeAt"), "timeAt")
    if relation == "before":
        return replace(query, to_us=at_us)
    if relation == "after":
        return replace(query, from_us=at_us)
    to_us = parse_utc(parameters.text("endTimeAt"), "endTimeAt")
    if to_us < at_us:
        raise InvalidInput("endTimeAt is before timeAt", where="endTimeAt")
    return replace(query, from_us=at_us, to_us=to_us)


def _summary(parameters: Parameters) -> Summary:
    names = parameters.names("aggrMethods")
    if not names or not set(names) <= set(Method):
        raise InvalidInput(f"aggrMethods names some of {', '.join(Method)}", where="aggrMethods")
    period = Period.parse(parameters.text("aggrPeriodDuration") or "PT0S", "aggrPeriodDuration")
    return Summary(tuple(Method(name) for name in dict.fromkeys(names)), period)


@get(
    "/temporal/entities/{entity_id:str}",
    opt=requires("history:read", within_reach=True),
    operation_class=_ONE.operation,
)
async def retrieve_evolution(
    request: NgsiRequest, call: NamedDependency[Call], entity_id: FromPath[str]
) -> ASGIResponse:
    """Retrieve an entity over time (5.7.3)."""
    exchange = await Exchange.of(request, call)
    parameters = _ONE.read(request.scope)
    wishes = wishes_of_parameters(parameters)
    presentation = presentation_of(wishes, parameters, exchange.vocabulary, exchange.shown, more_options=_FORMS)
    wanted = _Wanted(parameters, presentation, call.services.temporal_instances)
    told = await call.services.broker.retrieve_evolution(
        call.principal, entity_id_of(entity_id), wanted.query, presentation.projection, wanted.summary
    )
    (evolution,) = told.evolutions
    shown = wanted.presentation.entity(evolution)
    if not shown or (wishes.attrs and not evolution.tells):
        raise NotFound("the entity has no such attribute in this time", where="attrs")
    status, headers = _extent(told.portion)
    return exchange.answer(shown, status=status, headers=headers)


@get("/temporal/entities", opt=requires("history:read", within_reach=True), operation_class=_FIND.operation)
async def query_evolutions(request: NgsiRequest, call: NamedDependency[Call]) -> ASGIResponse:
    """Query entities over time (5.7.4)."""
    exchange = await Exchange.of(request, call)
    parameters = _FIND.read(request.scope)
    selectors = (selector_of(parameters, exchange.vocabulary),)
    return await _find(call, exchange, parameters, wishes_of_parameters(parameters), selectors, request.url.path)


@post(
    "/temporal/entityOperations/query",
    opt=requires("history:read", within_reach=True),
    operation_class=_POST_FIND.operation,
)
async def query_evolutions_by_post(request: NgsiRequest, call: NamedDependency[Call]) -> ASGIResponse:
    """Query entities over time, the query in the body (5.7.4)."""
    exchange = await Exchange.of(request, call)
    document = await exchange.body()
    asked = _of_body(document, "temporalQ", _WHEN) | _of_body(document, "aggrParams", _SUMMING)
    wishes = wishes_of_body(document)
    parameters = _POST_FIND.read(request.scope).with_values(asked)
    return await _find(call, exchange, parameters, wishes, (), request.url.path)


def _of_body(document: dict[str, Any], member: str, known: tuple[str, ...]) -> dict[str, str]:
    """A temporalQ (5.2.21) or aggrParams (5.2.44), taken out of a body, as the query parameters it stands for."""
    given = document.pop(member, {})
    if not isinstance(given, dict):
        raise InvalidInput(f"{member} is an object", where=member)
    check_known(given, set(known), member)
    values: dict[str, str] = {}
    for name, value in given.items():
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            values[name] = ",".join(value)
        elif isinstance(value, str) or (name == "lastN" and type(value) is int):
            values[name] = str(value)
        else:
            raise InvalidInput(f"{name} is a text", where=f"{member}.{name}")
    return values


async def _find(
    call: Call,
    exchange: Exchange,
    parameters: Parameters,
    wishes: Wishes,
    selectors: tuple[Selector, ...],
    path: str,
) -> ASGIResponse:
    if "timerel" not in parameters:
        raise InvalidInput("a query over time says of which time", where="timerel", remedy="Add timerel and timeAt.")
    order = order_of(wishes.ordering, parameters)
    if any(criterion.path.names != ("id",) for criterion in order):
        raise InvalidInput("over time, entities are ordered by their id alone", where="orderBy")
    selection = replace(selection_of(wishes, parameters, exchange.vocabulary, selectors), order=order)
    if selection.limit > MAX_TEMPORAL_ENTITIES:
        raise TooMany(f"at most {MAX_TEMPORAL_ENTITIES} entities over time at once", where="limit")
    presentation = presentation_of(wishes, parameters, exchange.vocabulary, exchange.shown, more_options=_FORMS)
    wanted = _Wanted(parameters, presentation, call.services.temporal_instances)
    found = await call.services.broker.query_evolutions(
        call.principal, selection, wanted.query, presentation.projection, wanted.summary
    )
    status, headers = _extent(found.told.portion)
    if selection.counts:
        headers[COUNT] = str(found.count)
    links = page_links(path, parameters, selection.limit, selection.offset, found.more)
    if links:
        headers["Link"] = links
    shown = [wanted.presentation.entity(one) for one in found.told.evolutions]
    return exchange.answer(shown, status=status, headers=headers)


def _extent(portion: Portion | None) -> tuple[int, dict[str, str]]:
    """200, or 206 with how far the instances go where there are more than are shown at once (6.3.10)."""
    if portion is None:
        return HTTP_200_OK, {}
    ends = f"{format_rfc3339(portion.start_us)}-{format_rfc3339(portion.end_us)}"
    size = "*" if portion.size is None else portion.size
    return HTTP_206_PARTIAL_CONTENT, {"Content-Range": f"date-time {ends}/{size}"}


def temporal_router() -> Router:
    """`/temporal`."""
    return Router(
        "/",
        route_handlers=[retrieve_evolution, query_evolutions, query_evolutions_by_post, *HANDLERS],
        tags=["Temporal"],
    )
