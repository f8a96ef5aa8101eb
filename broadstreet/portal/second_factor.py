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
from broadstreet.portal.door import AnyRequest, Caller, Code, InPortal, address_of, is_https
from broadstreet.portal.enrolment import QR_BORDER
from broadstreet.portal.session import UNTITLED, session_cookie


class NewFactor(msgspec.Struct, frozen=True, kw_only=True):
    """What a device makes codes from: to scan, or to type. In force once its first code has come."""

    secret: str
    uri: str
    qr_svg: str


class RecoveryCodes(msgspec.Struct, frozen=True):
    """Codes for when the device is lost. They come this once."""

    recovery_codes: list[str]


@post("/api/account/second-factor", opt=in_person())
async def new_factor(portal: InPortal, principal: Caller) -> NewFactor:
    """Begin a second factor. It asks for nothing until its first code has come."""
    secret = await portal.access.second_factor.begin(principal.name)
    city = portal.city(principal.tenant)
    issuer = f"Broadstreet {portal.settings.title or (city.title if city else UNTITLED)}"
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
    answer = Response(RecoveryCodes(codes))
    if principal.is_limited:
        issued = await portal.access.sign_in.after_factor(principal.name, address_of(portal, request))
        await portal.access.sign_in.sign_out(request.cookies[SESSION_COOKIE], by=principal.name)
        answer.set_cookie(session_cookie(issued, portal.clock(), is_https=is_https(portal, request)))
    return answer


@post("/api/account/second-factor/remove", opt=in_person(), status_code=HTTP_204_NO_CONTENT)
async def remove_factor(portal: InPortal, request: AnyRequest, principal: Caller, data: JSONBody[Code]) -> None:
    """Remove the second factor, by a code of it or a recovery code."""
    await portal.access.sign_in.remove_factor(principal.name, data.code, address_of(portal, request))
