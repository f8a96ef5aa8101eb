"""Errors as HTTP says them: RFC 9457's problem details, in one shape for every API.

    {"type": …, "title": …, "status": 404, "detail": …, "where": …, "remedy": …}

`type` is the URI that NGSI-LD names for the error (ETSI GS CIM 009, 5.5.2), which that standard demands and the
others may use. What the house did not expect says nothing of itself to the caller but a number, under which the log
has the rest.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any, Final

import asyncpg
import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from broadstreet.model.errors import (
    NGSI_LD_ERRORS,
    BadRequest,
    BroadstreetError,
    EngineFailed,
    InvalidInput,
    NotAllowed,
    NotFound,
    NotSignedIn,
    TooLarge,
    TooMany,
)
from broadstreet.model.misfit import misfit
from broadstreet.network.ground import Fault
from broadstreet.network.scenarios import places_of, trouble_of

PROBLEM_JSON: Final = "application/problem+json"
UNAVAILABLE_RETRY_S: Final = 2
_BY_STATUS: Final[dict[int, type[BroadstreetError]]] = {
    kind.status: kind for kind in (BadRequest, NotSignedIn, NotAllowed, NotFound, TooLarge, TooMany)
}
_MISFIT_REMEDY: Final = "Mend that value, and send it again."
_ABOUT: Final = "broadstreet_about"
_log = logging.getLogger(__name__)


class Problem(msgspec.Struct, omit_defaults=True, frozen=True):
    """What went wrong, in the shape of RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    where: str | None = None
    remedy: str | None = None
    instance: str | None = None
    faults: dict[str, Any] | None = None
    """The places that are spoken of, as a GeoJSON FeatureCollection."""


def _respond(problem: Problem, headers: dict[str, str] | None = None) -> Response[bytes]:
    return Response(
        msgspec.json.encode(problem),
        status_code=problem.status,
        media_type=PROBLEM_JSON,
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def problem_of(error: BroadstreetError) -> Problem:
    """An error of the house as a problem. What an engine said of itself stays in the log."""
    inner = isinstance(error, EngineFailed) or type(error).status == HTTPStatus.INTERNAL_SERVER_ERROR
    said = type(error)() if inner else error
    return Problem(
        type=error.type_uri,
        title=(type(error).__doc__ or "").strip().splitlines()[0],
        status=error.status,
        detail=said.message,
        where=said.where,
        remedy=said.remedy,
        faults=places_of(error),
    )


def _headers_of(error: BroadstreetError) -> dict[str, str]:
    if isinstance(error, NotSignedIn):
        return {"WWW-Authenticate": 'Bearer realm="broadstreet"'}
    if isinstance(error, TooMany) and error.retry_after_s is not None:
        return {"Retry-After": str(error.retry_after_s)}
    if error.status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.INSUFFICIENT_STORAGE):
        return {"Retry-After": str(UNAVAILABLE_RETRY_S)}
    return {}


def draw_about(request: Request[Any, Any, Any], places: Callable[[], Sequence[Fault]]) -> None:
    """From now on, what is refused of a request and has no place of its own is drawn at these. places: is asked only
    then."""
    request.scope["state"][_ABOUT] = places


def _faults_of(request: Request[Any, Any, Any], error: BroadstreetError) -> dict[str, Any] | None:
    """Where an error is: as it says itself, else where that lies which the request is about."""
    about = request.scope["state"].get(_ABOUT)
    if about is None or not isinstance(error, BadRequest | TooLarge):
        return places_of(error)
    return trouble_of(error, about=about()).faults


def _render_own(request: Request[Any, Any, Any], error: BroadstreetError) -> Response[bytes]:
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error("%s %s: %s", request.method, request.url.path, error)
    problem = msgspec.structs.replace(problem_of(error), faults=_faults_of(request, error))
    return _respond(problem, _headers_of(error))


def _render_engine(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    _log.error("%s %s: an engine failed: %s", request.method, request.url.path, error)
    failed = EngineFailed()
    return _respond(problem_of(failed), _headers_of(failed))


def _render_http(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """What the framework found before a handler ran: no such path, a wrong method, a body that does not fit."""
    if error.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _render_unexpected(request, error)
    kind = _BY_STATUS.get(error.status_code)
    status = HTTPStatus(error.status_code)
    detail, where = _reason(error)
    if status == HTTPStatus.NOT_FOUND:
        detail = f"there is nothing at {request.url.path[:200]}"
    problem = Problem(
        type="about:blank" if kind is None else NGSI_LD_ERRORS + kind.ngsi_ld_type,
        title=status.phrase,
        status=error.status_code,
        detail=detail,
        where=where,
        remedy=_MISFIT_REMEDY if where else None,
        faults=_faults_of(request, InvalidInput(detail, where=where, remedy=_MISFIT_REMEDY)) if where else None,
    )
    headers = {name: value for name, value in (error.headers or {}).items() if name.lower() == "allow"}
    return _respond(problem, headers)


def _reason(error: HTTPException) -> tuple[str, str | None]:
    """A validation error's first fault: its words and its field. Any other error's own words."""
    extra = error.extra
    if isinstance(error, ValidationException) and isinstance(extra, list) and extra and isinstance(extra[0], dict):
        first = extra[0]
        return misfit(str(first.get("message", error.detail)))[0], first.get("key")
    return error.detail, None


def _render_unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    number = uuid.uuid4()
    _log.error("%s %s failed, number %s", request.method, request.url.path, number, exc_info=error)
    unexpected = BroadstreetError()
    problem = msgspec.structs.replace(problem_of(unexpected), instance=f"urn:uuid:{number}")
    return _respond(problem)


EXCEPTION_HANDLERS: Final[dict[int | type[Exception], Callable[[Request[Any, Any, Any], Any], Response[bytes]]]] = {
    BroadstreetError: _render_own,
    HTTPException: _render_http,
    asyncpg.PostgresConnectionError: _render_engine,
    asyncpg.InterfaceError: _render_engine,
    asyncpg.QueryCanceledError: _render_engine,
    ConnectionError: _render_engine,
    TimeoutError: _render_engine,
    HTTPStatus.INTERNAL_SERVER_ERROR.value: _render_unexpected,
}
