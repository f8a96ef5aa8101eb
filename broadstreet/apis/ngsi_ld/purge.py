"""`DELETE /entities`: all entities that a query means (6.4.3.3 of the standard)."""

from __future__ import annotations

from typing import Final

from litestar import delete
from litestar.di import NamedDependency
from litestar.response.base import ASGIResponse
from litestar.status_codes import HTTP_200_OK

from broadstreet.access import requires
from broadstreet.apis.ngsi_ld.asking import SELECTING, selection_of, selector_of, wishes_of_parameters
from broadstreet.apis.ngsi_ld.exchange import Exchange, NgsiRequest, empty
from broadstreet.apis.ngsi_ld.parameters import Parameters, Query
from broadstreet.apis.router import Router
from broadstreet.apis.services import Call
from broadstreet.context.purging import Rest
from broadstreet.context.vocabulary import Vocabulary, check_name

_PURGE: Final = Query(*SELECTING, "attrs", "keep", "drop", "local", answers={204: "What was meant is gone."})


@delete("/entities", opt=requires("entity:write"), operation_class=_PURGE.operation, status_code=HTTP_200_OK)
async def purge_entities(request: NgsiRequest, call: NamedDependency[Call]) -> ASGIResponse:
    """Purge entities: delete all that a query means, or some of their attributes; their past stays (5.6.21)."""
    exchange = await Exchange.of(request, call)
    parameters, vocabulary = _PURGE.read(request.scope), exchange.vocabulary
    selectors = (selector_of(parameters, vocabulary),)
    selection = selection_of(wishes_of_parameters(parameters), parameters, vocabulary, selectors)
    rest = Rest(_names(parameters, "keep", vocabulary), _names(parameters, "drop", vocabulary))
    purged = await call.services.broker.purge(call.principal, call.at_us, selection, rest)
    await call.audit("entity.purge", f"{purged} entities", {"asked": dict(parameters.all)})
    return empty()


def _names(parameters: Parameters, name: str, vocabulary: Vocabulary) -> frozenset[str] | None:
    names = parameters.names(name)
    return frozenset(vocabulary.expand(check_name(one, name)) for one in names) if names else None


def purge_router() -> Router:
    """`DELETE /entities`."""
    return Router("/", route_handlers=[purge_entities], tags=["Entities"])
