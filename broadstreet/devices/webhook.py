"""Webhooks: a secret address where a service that can only call a URL leaves readings, and for which devices.

Whoever knows the secret may send readings for the webhook's device, or for those its items name, and nothing else. Of
the secret only a hash is kept; a signing key, with which the service signs each body (HMAC-SHA256), is kept sealed.
What an item holds is decoded by its device's profile, as everything else is.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import TYPE_CHECKING, Any, Final

import msgspec

from broadstreet.model.clock import US_PER_S
from broadstreet.model.errors import Conflict, InvalidInput, NotFound, NotSignedIn, TooMany
from broadstreet.store import Sealed, Store, load_queries
from broadstreet.store.resealing import about

if TYPE_CHECKING:
    from broadstreet.store import Database

PREFIX: Final = "whk_"
MAX_WEBHOOKS: Final = 1_000
"""Of one tenant."""
_SECRET_BYTES: Final = 32
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_FIELD: Final = re.compile(r"[^.\s]{1,64}(\.[^.\s]{1,64}){0,7}")
_USED_EVERY_US: Final = 60 * US_PER_S
_SQL = load_queries("webhook")
_DEVICE_SQL = load_queries("device")


class WebhookSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook to make: for one `device`, or for those that each item names at `device_field`.

    items_field: where a body holds its items; left out, the body is an item, or an array of them. is_signed: whether
    the service signs what it sends.
    """

    name: str
    device: str | None = None
    device_field: str | None = None
    items_field: str | None = None
    is_signed: bool = False


class NewWebhook(msgspec.Struct, frozen=True):
    """A webhook just made; secret and signing key are shown this once."""

    name: str
    secret: str
    signing_key: str | None


class WebhookRow(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook as it stands. used_us: when it was last called, to the minute; None: never."""

    name: str
    device: str | None
    device_field: str | None
    items_field: str | None
    is_signed: bool
    created_by: str
    created_us: int
    used_us: int | None


class Webhook(msgspec.Struct, frozen=True):
    """A webhook that was called with its secret."""

    tenant: str
    name: str
    device: str | None
    device_field: tuple[str, ...]
    items_field: tuple[str, ...]
    signing_key: bytes | None

    def check(self, body: bytes, signature: str) -> None:
        """Whether the body was signed with the key, where one is asked for. Raises NotSignedIn."""
        if self.signing_key is None:
            return
        said = signature.strip().removeprefix("sha256=").lower()
        made = hmac.new(self.signing_key, body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(said.encode(), made.encode()):
            raise NotSignedIn(
                "the body's signature is missing or wrong",
                where="X-Hub-Signature-256",
                remedy="Send the HMAC-SHA256 of the body with the webhook's signing key, in hexadecimal digits.",
            )


class Webhooks:
    """All tenants' webhooks."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def create(self, database: Database, spec: WebhookSpec, *, by: str, at_us: int) -> NewWebhook:
        """Make a webhook. Raises InvalidInput, NotFound for an unknown device, Conflict for a name that is taken."""
        _check(spec)
        if spec.device is not None and await database.fetchval(_DEVICE_SQL["device_key"], spec.device) is None:
            raise NotFound(f"there is no device {spec.device[:80]!r}", where="device")
        if await self._store.control.fetchval(_SQL["count"], database.name) >= MAX_WEBHOOKS:
            raise TooMany(f"a tenant has at most {MAX_WEBHOOKS:,} webhooks", remedy="Remove one that is not used.")
        secret = PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
        signing_key = secrets.token_urlsafe(_SECRET_BYTES) if spec.is_signed else None
        sealed: tuple[bytes, bytes] | tuple[None, None] = (None, None)
        if signing_key is not None:
            sealed = self._store.control.seal.seal(signing_key.encode(), _about(database.name, spec.name))
        made = await self._store.control.fetchval(
            _SQL["insert"],
            database.name,
            spec.name,
            _hash(secret),
            spec.device,
            spec.device_field,
            spec.items_field,
            *sealed,
            by,
            at_us,
        )
        if made is None:
            raise Conflict(f"there is a webhook {spec.name!r}", where="name", remedy="Choose another name.")
        return NewWebhook(spec.name, secret, signing_key)

    async def list(self, tenant: str) -> list[WebhookRow]:
        """A tenant's webhooks, by name."""
        return [
            WebhookRow(
                name=row["name"],
                device=row["device"],
                device_field=row["device_field"],
                items_field=row["items_field"],
                is_signed=row["is_signed"],
                created_by=row["created_by"],
                created_us=row["created_at"],
                used_us=row["used_at"],
            )
            for row in await self._store.control.fetch(_SQL["list"], tenant)
        ]

    async def delete(self, tenant: str, name: str) -> None:
        """Remove a webhook; its secret opens nothing from now on. Raises NotFound."""
        if await self._store.control.fetchval(_SQL["delete"], tenant, name) is None:
            raise NotFound(f"there is no webhook {name[:80]!r}")

    async def find(self, secret: str, *, at_us: int) -> Webhook:
        """The webhook of a secret. Raises NotFound."""
        row: Any = None
        if secret.startswith(PREFIX):
            row = await self._store.control.fetchrow(_SQL["by_secret"], _hash(secret))
        if row is None:
            raise NotFound("there is no webhook with this secret", remedy="It was removed, or its address is cut off.")
        await self._store.control.execute(_SQL["used"], row["key"], at_us, at_us - _USED_EVERY_US)
        return Webhook(
            row["tenant"],
            row["name"],
            row["device"],
            _path(row["device_field"]),
            _path(row["items_field"]),
            self._signing_key(row),
        )

    def _signing_key(self, row: Any) -> bytes | None:
        if row["signing_key"] is None:
            return None
        sealed = Sealed(bytes(row["signing_key"]), bytes(row["sealed_by"]))
        return self._store.control.seal.open(sealed, _about(row["tenant"], row["name"]))


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _about(tenant: str, name: str) -> str:
    """Which webhook a signing key is sealed for."""
    return about("webhook", f"{tenant} {name}")


def _path(field: str | None) -> tuple[str, ...]:
    return () if field is None else tuple(field.split("."))


def _check(spec: WebhookSpec) -> None:
    if _NAME.fullmatch(spec.name) is None:
        raise InvalidInput(
            f"{spec.name[:80]!r} cannot name a webhook",
            where="name",
            remedy="Use lower-case letters, digits and . _ -, at most 63 characters.",
        )
    if (spec.device is None) == (spec.device_field is None):
        raise InvalidInput(
            "a webhook is for one `device`, or for those that its items name at `device_field`", where="device"
        )
    for where, field in (("device_field", spec.device_field), ("items_field", spec.items_field)):
        if field is not None and _FIELD.fullmatch(field) is None:
            raise InvalidInput(
                f"{field[:80]!r} is not a path into a body",
                where=where,
                remedy="Write field names joined by dots, such as end_device_ids.device_id.",
            )
