"""Devices' certificates: made for one or brought along, known by their fingerprints, ended one by one.

A certificate stands for its device by its fingerprint, and not by the name in it: what was made here and not written
down, by whoever else had the key, opens nothing; and each can be ended by itself. One of the operator's own authority
is written down when it comes first, for the device that its common name is: the operator renews without asking us.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from broadstreet.devices.authority import DEFAULT_DAYS, Authority, open_authority
from broadstreet.devices.registry import DeviceIdentity
from broadstreet.model.errors import Conflict, NotFound
from broadstreet.store import Store, load_queries

if TYPE_CHECKING:
    from broadstreet.store import Database

MAX_IN_USE: Final = 16
"""Certificates of one device that hold at the same time."""
OPERATOR: Final = "the operator's authority"
_SQL = load_queries("device_certificate")
_LOGIN_SQL = load_queries("device_login")


class CertificateWish(msgspec.Struct, frozen=True):
    """What a certificate is to be. request: a signing request as PEM; without one a key is made here."""

    request: str | None = None
    days: int = DEFAULT_DAYS


class NewCertificate(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate just made, as PEM. key: shown this once; null where a request came. authority: who signed it."""

    fingerprint: str
    certificate: str
    key: str | None
    authority: str
    expires_us: int


class CertificateRow(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate of a device as it stands written. is_ours: whether it was made here."""

    fingerprint: str
    is_ours: bool
    created_by: str
    created_us: int
    expires_us: int
    revoked_us: int | None


class Certificates:
    """Devices' certificates, of all tenants of a store. folder: where our own authority is, or will be."""

    def __init__(self, store: Store, folder: Path, clock: Callable[[], int]) -> None:
        self._store = store
        self._folder = folder
        self._clock = clock

    @cached_property
    def authority(self) -> Authority:
        """Our own; it is made where there is none. Raises InvalidInput for one that cannot be read."""
        return open_authority(self._folder, self._clock())

    async def issue(
        self, database: Database, device: str, wish: CertificateWish, *, by: str, at_us: int
    ) -> NewCertificate:
        """Make one. Raises NotFound where the tenant has no such device, Conflict where it has many, InvalidInput."""
        control = self._store.control
        if await control.fetchval(_SQL["in_use"], device, at_us) >= MAX_IN_USE:
            raise Conflict(
                f"{device[:80]!r} has {MAX_IN_USE} certificates that hold",
                where="device",
                remedy="Revoke those that it uses no more.",
            )
        made = self.authority.make(device, wish.days, at_us, wish.request)
        row = made.fingerprint, database.name, device, True, by, at_us, made.ends_us
        if await control.fetchval(_SQL["insert"], *row) is None:
            raise NotFound(f"there is no device {device[:80]!r}")
        return NewCertificate(
            fingerprint=made.fingerprint.hex(),
            certificate=made.certificate,
            key=made.key,
            authority=self.authority.pem,
            expires_us=made.ends_us,
        )

    async def list(self, database: Database, device: str) -> list[CertificateRow]:
        """A device's, newest first, at most 100."""
        return [
            CertificateRow(
                fingerprint=row["fingerprint"].hex(),
                is_ours=row["is_ours"],
                created_by=row["created_by"],
                created_us=row["created_at"],
                expires_us=row["expires_at"],
                revoked_us=row["revoked_at"],
            )
            for row in await self._store.control.fetch(_SQL["list"], database.name, device)
        ]

    async def revoke(self, database: Database, device: str, fingerprint: str, *, at_us: int) -> None:
        """End one, and the connections that stand by it. Raises NotFound."""
        try:
            wanted = bytes.fromhex(fingerprint)
        except ValueError:
            wanted = b""
        if await self._store.control.fetchval(_SQL["revoke"], database.name, device, wanted, at_us) is None:
            raise NotFound(f"{device[:80]!r} has no certificate {fingerprint[:80]!r} in use")

    async def authenticate(self, shown: bytes, *, at_us: int) -> DeviceIdentity | None:
        """The device of a certificate, as DER, whose signature and dates TLS has looked at; None where it may not.

        What is not of our own authority, and TLS let through, is of the operator's.
        """
        certificate = x509.load_der_x509_certificate(shown)
        fingerprint = certificate.fingerprint(hashes.SHA256())
        found = await self._holder(fingerprint, at_us)
        if found is not None or self.authority.has_signed(certificate):
            return found
        names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        known = await self._store.control.fetch(_LOGIN_SQL["known"], [str(name.value) for name in names])
        if len(names) != 1 or not known:
            return None
        ends_us = int(certificate.not_valid_after_utc.timestamp()) * 1_000_000
        row = fingerprint, known[0]["tenant"], known[0]["username"], False, OPERATOR, at_us, ends_us
        await self._store.control.execute(_SQL["insert"], *row)
        return await self._holder(fingerprint, at_us)

    async def _holder(self, fingerprint: bytes, at_us: int) -> DeviceIdentity | None:
        row = await self._store.control.fetchrow(_SQL["holder"], fingerprint)
        if row is None or row["disabled_at"] is not None or row["revoked_at"] is not None or row["expires_at"] <= at_us:
            return None
        return DeviceIdentity(row["tenant"], row["device_key"], row["username"], fingerprint)
