"""Headers that every answer carries, errors and files included: the browser is told to trust nobody but us.

MapLibre runs its workers from a blob and draws images from data; components set styles on their elements. Scripts come
from files of ours alone.
"""

from __future__ import annotations

from typing import Final

from litestar.types import Message, Scope

CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
SECURITY_HEADERS: Final = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(self)"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
STRICT_TRANSPORT: Final = (b"strict-transport-security", b"max-age=31536000")
NO_STORE: Final = (b"cache-control", b"no-store")


async def secure(message: Message, scope: Scope) -> None:
    """Litestar's `before_send`: add what is missing. What a handler set stays; what says nothing is not cached."""
    if message["type"] != "http.response.start":
        return
    headers = list(message["headers"])
    said = {name.lower() for name, _ in headers}
    wanted = [*SECURITY_HEADERS, NO_STORE]
    if scope.get("scheme") == "https":
        wanted.append(STRICT_TRANSPORT)
    headers += [(name, value) for name, value in wanted if name not in said]
    message["headers"] = headers
