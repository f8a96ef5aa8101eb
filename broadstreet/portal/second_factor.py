"""One's own second factor: a secret for a device that makes codes, the codes that recover, and their end. In person."""

from __future__ import annotations

import base64
import io

import msgspec
import segno
from litestar import Response, post
from litestar.params import JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT

from broadstreet.access import in_person
from broadstreet.access.route import SESSION_COOKIE
from broadstreet.access.second_factor import enrolment_uri
from broadstreet.portal.door import AnyRequest, Caller, Code, InPortal, address_of, house_title, made_whole
from broadstreet.portal.enrolment import QR_BORDER


class NewFactor(msgspec.Struct, frozen=True, kw_only=True):
    """What a device makes codes from: to scan, or to type. In force once its first code has come."""

    secret: str
    uri: str
    qr_svg: str


class RecoveryCodes(msgspec.Struct, frozen=True):
    """Codes for when the device is lost, this once; none where a factor stood before, whose codes go on."""

    recovery_codes: list[str]


@post("/api/account/second-factor", opt=in_person())
async def new_factor(portal: InPortal, request: AnyRequest, principal: Caller) -> NewFactor:
    """Begin a second factor. It asks for nothing until its first code has come."""
    await portal.access.sign_in.require_recent(request.cookies[SESSION_COOKIE])
    secret = await portal.access.second_factor.begin(principal.name)
    issuer = f"Broadstreet {house_title(portal, principal.tenant)}"
    uri = enrolment_uri(secret, principal.name, issuer)
    drawn = io.BytesIO()
    segno.make(uri, error="m", micro=False).save(
        drawn, kind="svg", xmldecl=False, border=QR_BORDER, dark="black", light="white", omitsize=True
    )
    return NewFactor(secret=base64.b32encode(secret).decode(), uri=uri, qr_svg=drawn.getvalue().decode())


@post("/api/account/second-factor/confirm", opt=in_person(), status_code=HTTP_200_OK)
async def confirm_factor(
    portal: InPortal, request: AnyRequest, principal: Caller, data: JSONBody[Code]
) -> Response[RecoveryCodes]:
    """Put a second factor in force by its first code. A session that waited for it is followed by a whole one."""
    codes = await portal.access.second_factor.confirm(principal.name, data.code)
    return await made_whole(portal, request, principal, Response(RecoveryCodes(codes)))


@post("/api/account/second-factor/remove", opt=in_person(), status_code=HTTP_204_NO_CONTENT)
async def remove_factor(portal: InPortal, request: AnyRequest, principal: Caller, data: JSONBody[Code]) -> None:
    """Remove the second factor, by a code of it or a recovery code."""
    await portal.access.sign_in.remove_factor(principal.name, data.code, address_of(portal, request))
