"""What a house refuses, raised where it was asked: its problem details become the error that it raised itself.

The class tells what sort it is, so that `except NotFound` does what it says; the message, where and the remedy are the
house's. A note names the request.
"""

from __future__ import annotations

from typing import Final

import httpx
import msgspec

from broadstreet.model.errors import (
    BadRequest,
    BroadstreetError,
    Conflict,
    ContextNotAvailable,
    DiskFull,
    InvalidRequest,
    NotAcceptable,
    NotAllowed,
    NotFound,
    NotSignedIn,
    OperationNotSupported,
    TooLarge,
    TooMany,
    Unavailable,
    UnknownTenant,
    UnsupportedMediaType,
)

_KINDS: Final[tuple[type[BroadstreetError], ...]] = (
    BadRequest,
    InvalidRequest,
    NotSignedIn,
    NotAllowed,
    NotFound,
    UnknownTenant,
    Conflict,
    NotAcceptable,
    TooLarge,
    TooMany,
    UnsupportedMediaType,
    OperationNotSupported,
    Unavailable,
    ContextNotAvailable,
    DiskFull,
)
_BY_BOTH: Final = {(kind.status, kind.ngsi_ld_type): kind for kind in _KINDS}
_BY_STATUS: Final = {kind.status: kind for kind in reversed(_KINDS)}
_CLIENT_ERRORS: Final = range(400, 500)
MAX_WORDS: Final = 300
"""How much is told of an answer that is no problem of the house."""


class Problem(msgspec.Struct):
    """Problem details (RFC 9457) as the house writes them."""

    type: str = ""
    title: str = ""
    status: int = 0
    detail: str = ""
    where: str | None = None
    remedy: str | None = None

    def error(self) -> BroadstreetError:
        """The error that this tells of."""
        kind = _BY_BOTH.get((self.status, self.type.rpartition("/")[2])) or _BY_STATUS.get(self.status)
        if kind is None:
            kind = BadRequest if self.status in _CLIENT_ERRORS else BroadstreetError
        return kind(self.detail or self.title or None, where=self.where, remedy=self.remedy)


_problems: Final = msgspec.json.Decoder(Problem)


def error_of(response: httpx.Response) -> BroadstreetError:
    """What an answer that is no success tells of."""
    try:
        problem = _problems.decode(response.content)
    except msgspec.DecodeError:
        said = " ".join(response.text.split())[:MAX_WORDS]
        problem = Problem(detail=f"{response.status_code} {response.reason_phrase}: {said}".rstrip(": "))
    problem.status = response.status_code
    error = problem.error()
    error.add_note(f"asked: {response.request.method} {response.request.url}")
    return error
