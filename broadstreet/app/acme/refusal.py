"""What an authority's refusals mean, in words and with what to do. Its own words are quoted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import acme.errors
import acme.messages
import requests

from broadstreet.model.errors import CertificateRefused

UNREACHABLE: Final = "Check that port 80 of that name leads to http.redirect_port here, from the whole net."
REMEDIES: Final[dict[str, str]] = {
    "rateLimited": "It is asked again when it says so. Meanwhile change nothing: more questions make the wait longer.",
    "dns": "Check that the name has an address in the DNS, and that its name servers answer.",
    "connection": UNREACHABLE,
    "unauthorized": "What answered at that name was not this house: check where the name and its port 80 lead.",
    "incorrectResponse": "What answered at that name was not this house: check where the name and its port 80 lead.",
    "tls": UNREACHABLE,
    "caa": "The name's CAA records in the DNS allow other authorities only: add this one, or ask one of those.",
    "rejectedIdentifier": "This authority does not certify that name: check acme.names.",
    "unsupportedIdentifier": "This authority does not certify that name: check acme.names.",
    "invalidContact": "Check acme.email, or leave it empty.",
    "unsupportedContact": "Check acme.email, or leave it empty.",
    "externalAccountRequired": "This authority serves its own customers only; choose another one with acme.directory.",
    "userActionRequired": "Read what the authority asks for, most often new terms, and agree there.",
    "accountDoesNotExist": "A new account is made at the next try.",
    "serverInternal": "The authority has trouble of its own; it is asked again.",
}
NOT_REACHED: Final = (
    "Check that this machine may reach acme.directory, and acme.directory_ca if that is your own authority."
)
MAX_QUOTED: Final = 300
ELSE: Final = "See logs/api.log. It is asked again."


def refusal(error: Exception, retry_after_s: float) -> CertificateRefused:
    """What an error of a conversation says. retry_after_s: how long the authority asked to be left alone."""
    if isinstance(error, requests.RequestException):
        return CertificateRefused(f"the authority cannot be reached: {_brief(error)}", remedy=NOT_REACHED)
    told = list(_told(error))
    if not told:
        return CertificateRefused(f"the authority cannot be understood: {_brief(error)}", remedy=ELSE)
    words = "; ".join(
        f"{name}: {(problem.detail or problem.title or problem.code or '')[:MAX_QUOTED]}" for name, problem in told
    )
    code = told[0][1].code or ""
    return CertificateRefused(
        f"the authority says {words}", remedy=REMEDIES.get(code, ELSE), code=code, retry_after_s=retry_after_s
    )


def _told(error: Exception) -> Iterator[tuple[str, acme.messages.Error]]:
    """The problems an error tells of, each with the name it is about, or what it is about else."""
    if isinstance(error, acme.errors.ValidationError):
        for authorization in error.failed_authzrs:
            for challenge in authorization.body.challenges:
                if challenge.error is not None:
                    yield authorization.body.identifier.value, challenge.error
    elif isinstance(error, acme.errors.IssuanceError):
        yield "the order", error.error
    elif isinstance(error, acme.messages.Error):
        if error.subproblems:
            for problem in error.subproblems:
                named = problem.identifier.value if problem.identifier is not None else "the request"
                yield named, problem
        else:
            yield "the request", error


def _brief(error: Exception) -> str:
    return (str(error) or type(error).__name__)[:MAX_QUOTED]
