"""Every error Broadstreet raises on purpose, in one tree.

    BroadstreetError                    500  what went wrong, where, and what to do
    ├── BadRequest                      400  the request itself is wrong
    │   ├── InvalidInput                400  a value is not what the field asks for
    │   ├── InvalidQuery                400  a query cannot be understood
    │   ├── InvalidRequest              400  the request cannot be read at all: no JSON, an unknown parameter
    │   └── BadPacket                   400  bytes on an MQTT connection break its standard; `where` names the clause
    │       ├── MalformedPacket         400  they cannot be parsed
    │       ├── ProtocolError           400  parsed, but not allowed there
    │       ├── UnsupportedVersion      400  a version of MQTT that is not spoken here
    │       └── OversizedPacket         400  a packet over the stated size
    ├── NotSignedIn                     401  no credential, or one that does not hold
    ├── NotAllowed                      403  a known principal lacks the permission
    ├── NotFound                        404  no such thing
    │   ├── UnknownTenant               404  no such tenant
    │   └── NoHouse                     404  no house in a data folder; the command line ends with status 3
    ├── Conflict                        409  it exists already, or changed meanwhile
    ├── NotAcceptable                   406  no form is offered that the caller takes
    ├── TooLarge                        413  over a stated bound
    ├── UnsupportedMediaType            415  a body in a form that is not read here
    ├── TooMany                         429  over a stated rate or count
    ├── OperationNotSupported           422  understood, and not offered
    ├── CorruptData                     500  what was stored does not match its checksum
    └── Unavailable                     503  cannot be answered now; try again
        ├── LogFull                     503  the log refuses more until the recorders have caught up
        ├── DiskFull                    507  the disk's watermark is reached
        ├── EngineFailed                503  PostgreSQL or NATS does not answer
        ├── RoleFailed                  503  a process of the house does not run
        ├── CertificateRefused          503  an authority gives no certificate
        └── ContextNotAvailable         504  a JSON-LD @context that is not kept here

Each class carries its HTTP status and the error type that NGSI-LD (ETSI GS CIM 009, 5.5.2 and 6.3.2) names for it;
its docstring is its default message. An API renders it in its own standard's one shape.
"""

from __future__ import annotations

from typing import ClassVar

NGSI_LD_ERRORS = "https://uri.etsi.org/ngsi-ld/errors/"


class BroadstreetError(Exception):
    """Something went wrong inside Broadstreet; the log on the server says what."""

    status: ClassVar[int] = 500
    ngsi_ld_type: ClassVar[str] = "InternalError"

    def __init__(self, message: str | None = None, *, where: str | None = None, remedy: str | None = None) -> None:
        """
        message: what was wrong, in a sentence; the class's docstring if left out.
        where:   the place it was found: a field, a line, a path.
        remedy:  what to do about it, in a sentence.
        """
        self.message = message or (type(self).__doc__ or "").strip().splitlines()[0]
        self.where = where
        self.remedy = remedy
        super().__init__(self.message)

    @property
    def type_uri(self) -> str:
        """The error's type as a URI, as RFC 7807 and NGSI-LD ask for."""
        return NGSI_LD_ERRORS + self.ngsi_ld_type

    def __str__(self) -> str:
        parts = [self.message]
        if self.where:
            parts.append(f"(at {self.where})")
        if self.remedy:
            parts.append(self.remedy)
        return " ".join(parts)


class BadRequest(BroadstreetError):
    """The request cannot be carried out as it stands."""

    status = 400
    ngsi_ld_type = "BadRequestData"


class InvalidInput(BadRequest):
    """A value is not what its field asks for."""


class InvalidQuery(BadRequest):
    """The query cannot be understood."""


class InvalidRequest(BadRequest):
    """The request cannot be read."""

    ngsi_ld_type = "InvalidRequest"


class BadPacket(BadRequest):
    """The bytes on this MQTT connection break its standard."""


class MalformedPacket(BadPacket):
    """The bytes cannot be parsed as an MQTT packet."""


class ProtocolError(BadPacket):
    """The MQTT packet can be parsed, but the standard does not allow it here."""


class UnsupportedVersion(BadPacket):
    """This version of MQTT is not spoken here; use 3.1.1 or 5."""


class OversizedPacket(BadPacket):
    """The MQTT packet is over the stated size."""


class NotSignedIn(BroadstreetError):
    """Sign in first: no credential came with the request, or it does not hold."""

    status = 401
    ngsi_ld_type = "AccessDenied"


class NotAllowed(BroadstreetError):
    """You are signed in, but your roles do not allow this."""

    status = 403
    ngsi_ld_type = "AccessDenied"


class NotFound(BroadstreetError):
    """There is no such thing."""

    status = 404
    ngsi_ld_type = "ResourceNotFound"


class UnknownTenant(NotFound):
    """There is no such tenant."""

    ngsi_ld_type = "NonexistentTenant"


class NoHouse(NotFound):
    """There is no house in this data folder."""


class Conflict(BroadstreetError):
    """It exists already, or was changed by someone else meanwhile."""

    status = 409
    ngsi_ld_type = "AlreadyExists"


class NotAcceptable(BroadstreetError):
    """This is not offered in any of the forms you accept."""

    status = 406
    ngsi_ld_type = "InvalidRequest"


class UnsupportedMediaType(BroadstreetError):
    """The body's Content-Type is not one that is read here."""

    status = 415
    ngsi_ld_type = "InvalidRequest"


class TooLarge(BroadstreetError):
    """The request is over the stated size."""

    status = 413
    ngsi_ld_type = "BadRequestData"


class TooMany(BroadstreetError):
    """The request is over the stated count or rate."""

    status = 429
    ngsi_ld_type = "TooManyResults"

    def __init__(
        self,
        message: str | None = None,
        *,
        where: str | None = None,
        remedy: str | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        """retry_after_s: when to come again, where waiting helps."""
        super().__init__(message, where=where, remedy=remedy)
        self.retry_after_s = retry_after_s


class OperationNotSupported(BroadstreetError):
    """The request is understood, but this is not offered."""

    status = 422
    ngsi_ld_type = "OperationNotSupported"


class CorruptData(BroadstreetError):
    """What was stored does not match its checksum; nothing of it is used."""


class Unavailable(BroadstreetError):
    """This cannot be answered now; try again in a moment."""

    status = 503
    ngsi_ld_type = "InternalError"


class LogFull(Unavailable):
    """The log takes no more until the recorders have caught up; nothing was accepted, send it again."""


class DiskFull(Unavailable):
    """The disk is close to full; nothing was accepted, free some room and send it again."""

    status = 507


class EngineFailed(Unavailable):
    """PostgreSQL or NATS does not answer."""


class CertificateRefused(Unavailable):
    """The authority gives no certificate."""

    def __init__(
        self,
        message: str | None = None,
        *,
        where: str | None = None,
        remedy: str | None = None,
        code: str = "",
        retry_after_s: float = 0.0,
    ) -> None:
        """code: the authority's own (RFC 8555, 6.7). retry_after_s: how long it asked to be left alone."""
        super().__init__(message, where=where, remedy=remedy)
        self.code = code
        self.retry_after_s = retry_after_s


class ContextNotAvailable(Unavailable):
    """A JSON-LD @context is not kept here, and cannot be fetched."""

    status = 504
    ngsi_ld_type = "LdContextNotAvailable"


class RoleFailed(Unavailable):
    """A process of the house does not run."""
