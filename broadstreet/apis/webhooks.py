"""`/v1/webhooks`: the secret addresses at which services that can only call a URL leave readings."""

from __future__ import annotations

import msgspec
from litestar import delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from broadstreet.access import requires
from broadstreet.apis.router import Router
from broadstreet.apis.services import Call
from broadstreet.devices import WebhookRow, WebhookSpec
from broadstreet.model.clock import format_rfc3339


class WebhookView(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook, for one `device` or for those that items name. `used_at` is to the minute, null where it never was."""

    name: str
    device: str | None
    device_field: str | None
    items_field: str | None
    is_signed: bool
    created_by: str
    created_at: str
    used_at: str | None


class NewWebhookView(msgspec.Struct, frozen=True):
    """A webhook just made: its secret, the path with it, its signing key if it has one. They are shown this once."""

    name: str
    secret: str
    path: str
    signing_key: str | None


def _view(row: WebhookRow) -> WebhookView:
    return WebhookView(
        name=row.name,
        device=row.device,
        device_field=row.device_field,
        items_field=row.items_field,
        is_signed=row.is_signed,
        created_by=row.created_by,
        created_at=format_rfc3339(row.created_us),
        used_at=None if row.used_us is None else format_rfc3339(row.used_us),
    )


@get("/webhooks", opt=requires("device:read"))
async def list_of_webhooks(call: NamedDependency[Call]) -> list[WebhookView]:
    """The tenant's webhooks, by name."""
    return [_view(row) for row in await call.services.webhooks.list(call.principal.tenant)]


@post("/webhooks", opt=requires("device:write"))
async def create_webhook(call: NamedDependency[Call], data: JSONBody[WebhookSpec]) -> NewWebhookView:
    """Make a webhook. Its secret, and its signing key where it `is_signed`, come this once."""
    made = await call.services.webhooks.create(call.database, data, by=call.principal.name, at_us=call.at_us)
    await call.audit("webhook.create", data.name)
    return NewWebhookView(made.name, made.secret, f"/v1/hook/{made.secret}", made.signing_key)


@delete("/webhooks/{name:str}", opt=requires("device:write"))
async def delete_webhook(call: NamedDependency[Call], name: FromPath[str]) -> None:
    """Remove a webhook: its address opens nothing from now on."""
    await call.services.webhooks.delete(call.principal.tenant, name)
    await call.audit("webhook.delete", name)


def webhooks_router() -> Router:
    """`/webhooks`, to stand below `/v1`."""
    return Router("/", route_handlers=[list_of_webhooks, create_webhook, delete_webhook], tags=["Readings"])
