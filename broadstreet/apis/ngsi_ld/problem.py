"""Errors as NGSI-LD says them (5.5.2 of the standard): the house's problem details, as plain JSON."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from litestar import Request, Response

from broadstreet.apis.problem import EXCEPTION_HANDLERS

Handler = Callable[[Request[Any, Any, Any], Any], Response[bytes]]


def _as_json(handler: Handler) -> Handler:
    @wraps(handler)
    def render(request: Request[Any, Any, Any], error: Any) -> Response[bytes]:
        response = handler(request, error)
        response.media_type = "application/json"
        return response

    return render


PROBLEMS: Final = {kind: _as_json(handler) for kind, handler in EXCEPTION_HANDLERS.items()}
