"""`/v1/devices/{device}/certificates`: what a device may show in place of its secret, over MQTT with TLS."""

from __future__ import annotations

import msgspec
from litestar import delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from broadstreet.access import requires
from broadstreet.apis.router import Router
from broadstreet.apis.services import Call
from broadstreet.devices import CertificateRow, CertificateWish, find_device
from broadstreet.model.clock import format_rfc3339


class CertificateView(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate of a device, by the SHA-256 of it in hex. `is_ours`: this house made it.

    Times are RFC 3339 in UTC; `revoked_at` is null while it is not revoked.
    """

    fingerprint: str
    is_ours: bool
    created_by: str
    created_at: str
    expires_at: str
    revoked_at: str | None


class NewCertificateView(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate just made, as PEM. `key` is shown this once; null where a `request` came."""

    fingerprint: str
    certificate: str
    key: str | None
    authority: str
    expires_at: str


def _view(row: CertificateRow) -> CertificateView:
    return CertificateView(
        fingerprint=row.fingerprint,
        is_ours=row.is_ours,
        created_by=row.created_by,
        created_at=format_rfc3339(row.created_us),
        expires_at=format_rfc3339(row.expires_us),
        revoked_at=None if row.revoked_us is None else format_rfc3339(row.revoked_us),
    )


@get("/devices/{device:str}/certificates", opt=requires("device:read"))
async def list_of_certificates(call: NamedDependency[Call], device: FromPath[str]) -> list[CertificateView]:
    """A device's certificates, newest first, at most 100."""
    await find_device(call.database, device)
    return [_view(row) for row in await call.services.certificates.list(call.database, device)]


@post("/devices/{device:str}/certificates", opt=requires("device:write"))
async def create_certificate(
    call: NamedDependency[Call], device: FromPath[str], data: JSONBody[CertificateWish]
) -> NewCertificateView:
    """Make a certificate for a device, of the key in a signing `request` (PEM) or of one that is made and shown once.

    It holds for `days`; a device has 16 that hold at most.
    """
    certificates, by = call.services.certificates, call.principal.name
    made = await certificates.issue(call.database, device, data, by=by, at_us=call.at_us)
    await call.audit("device.certificate", device)
    return NewCertificateView(
        fingerprint=made.fingerprint,
        certificate=made.certificate,
        key=made.key,
        authority=made.authority,
        expires_at=format_rfc3339(made.expires_us),
    )


@delete("/devices/{device:str}/certificates/{fingerprint:str}", opt=requires("device:write"))
async def revoke_certificate(call: NamedDependency[Call], device: FromPath[str], fingerprint: FromPath[str]) -> None:
    """Revoke a certificate: it opens nothing from now on, and the connections that stand by it are ended."""
    await call.services.certificates.revoke(call.database, device, fingerprint, at_us=call.at_us)
    await call.audit("device.certificate.revoke", device)


def certificates_router() -> Router:
    """The routes, to stand below `/v1`."""
    return Router("/", route_handlers=[list_of_certificates, create_certificate, revoke_certificate], tags=["Devices"])
