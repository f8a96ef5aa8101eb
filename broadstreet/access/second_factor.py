"""The second factor: codes that a person's own device makes (TOTP, RFC 6238), and recovery codes for when it is lost.

A code is six digits, good for its half minute and one on either side, for clocks that differ; once it is taken, neither
it nor an earlier one is taken again. What codes are made from stands sealed in the database. Recovery codes are 80
random bits, kept as a hash, good once each. Codes come into force with the first that is right, so that nobody is
locked out by a secret that never reached the device.

A passkey (`passkey.py`) is a second factor too. Recovery codes come with an account's first factor, and go with its
last.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

from broadstreet.access.audit import record
from broadstreet.model.clock import US_PER_S
from broadstreet.model.errors import Conflict, InvalidInput
from broadstreet.store import Database, Sealed, load_queries
from broadstreet.store.resealing import about

if TYPE_CHECKING:
    from broadstreet.store.database import Connection

STEP_S: Final = 30
DIGITS: Final = 6
STEPS_ASIDE: Final = 1
SECRET_BYTES: Final = 20
RECOVERY_CODES: Final = 10
RECOVERY_BYTES: Final = 10
MAX_CODE_LENGTH: Final = 64
PLACE: Final = "totp"
"""Where secrets stand, as what seals them calls it."""
_GROUP: Final = 4
_SQL = load_queries("second_factor")
_PASSKEY_SQL = load_queries("passkey")


@dataclass(frozen=True, slots=True)
class FactorState:
    """What an account has beside its password. has_codes: whether a device of its makes codes."""

    has_codes: bool
    passkeys: int
    recovery_codes: int

    @property
    def is_on(self) -> bool:
        """Whether anything is asked for."""
        return self.has_codes or self.passkeys > 0


def code_at(secret: bytes, step: int) -> str:
    """The code of a step (RFC 4226, section 5.3, over SHA-1)."""
    digest = hmac.digest(secret, struct.pack(">Q", step), hashlib.sha1)
    (number,) = struct.unpack_from(">I", digest, digest[-1] & 0x0F)
    return f"{(number & 0x7FFFFFFF) % 10**DIGITS:0{DIGITS}d}"


def step_at(at_us: int) -> int:
    """The step in which a moment lies."""
    return at_us // (STEP_S * US_PER_S)


def step_of(secret: bytes, code: str, at_us: int) -> int | None:
    """The step that a code is of, if it is one of those that are good now; of two with the same code, the newer."""
    now = step_at(at_us)
    near = range(now - STEPS_ASIDE, now + STEPS_ASIDE + 1)
    return max((step for step in near if hmac.compare_digest(code_at(secret, step), code)), default=None)


def enrolment_uri(secret: bytes, account: str, issuer: str) -> str:
    """What a device scans to make codes from then on."""
    encoded = base64.b32encode(secret).decode().rstrip("=")
    return f"otpauth://totp/{quote(f'{issuer}:{account}', safe='')}?{urlencode({'secret': encoded, 'issuer': issuer})}"


class SecondFactor:
    """Codes of accounts: begun, confirmed, taken, removed."""

    def __init__(self, control: Database, clock: Callable[[], int], random_bytes: Callable[[int], bytes]) -> None:
        self._control = control
        self._clock = clock
        self._random_bytes = random_bytes

    async def state(self, account: str, within: Connection | None = None) -> FactorState:
        """How things stand with an account; inside the caller's transaction, if one is given."""
        row = await (within or self._control).fetchrow(_SQL["state"], account)
        return FactorState(False, 0, 0) if row is None else FactorState(row["has_codes"], row["passkeys"], row["codes"])

    async def begin(self, account: str) -> bytes:
        """A new secret, which asks for nothing until it is confirmed. Raises Conflict where one is in force."""
        secret = self._random_bytes(SECRET_BYTES)
        sealed = self._control.seal.seal(secret, about(PLACE, account))
        if await self._control.fetchval(_SQL["begin"], account, *sealed, self._clock()) is None:
            raise Conflict("codes are asked for already", remedy="Remove the second factor first.")
        return secret

    async def confirm(self, account: str, code: str) -> list[str]:
        """Ask for codes from now on, as the first one was right. Answers recovery codes where it is the first factor.

        Raises InvalidInput for a wrong code, Conflict where codes are in force already.
        """
        async with self._control.transaction() as connection:
            before = await self.state(account, connection)
            row = await connection.fetchrow(_SQL["secret"], account)
            if row is None or row["confirmed_at"] is not None:
                raise Conflict("there is no second factor to be confirmed", remedy="Begin anew.")
            if not await self.take(connection, account, code):
                raise InvalidInput(
                    "this code is wrong", where="code", remedy="Wait for the next one; check the clock of your device."
                )
            codes = [] if before.is_on else await self.new_codes(connection, account)
            await record(connection, self._clock(), account, "second-factor.add", account)
        return codes

    async def remove(self, account: str, *, by: str) -> None:
        """Ask for codes no more; recovery codes go with the last factor. Raises Conflict where none were asked for."""
        async with self._control.transaction() as connection:
            if await connection.fetchval(_SQL["remove"], account) is None:
                raise Conflict("there is no second factor to be removed")
            if not (await self.state(account, connection)).is_on:
                await self.forget_codes(connection, account)
            await record(connection, self._clock(), by, "second-factor.remove", account)

    async def remove_all(self, account: str, *, by: str) -> None:
        """Ask for nothing beside the password: codes, passkeys and recovery codes all go. Raises Conflict for none."""
        async with self._control.transaction() as connection:
            had_codes = await connection.fetchval(_SQL["remove"], account) is not None
            passkeys = [row["title"] for row in await connection.fetch(_PASSKEY_SQL["remove_all"], account)]
            if not had_codes and not passkeys:
                raise Conflict("there is no second factor to be removed")
            await self.forget_codes(connection, account)
            await record(connection, self._clock(), by, "second-factor.remove", account, detail={"passkeys": passkeys})

    async def take(self, connection: Connection, account: str, code: str) -> bool:
        """Whether a code or a recovery code is right; then it is spent. Inside the caller's transaction."""
        code = "".join(code.split()).replace("-", "").upper()[:MAX_CODE_LENGTH]
        now_us = self._clock()
        if not (code.isascii() and code.isdigit() and len(code) == DIGITS):
            taken = await connection.fetchval(_SQL["spend_code"], account, _hash(code))
            if taken is not None:
                await record(connection, now_us, account, "second-factor.recovery-code", account)
            return taken is not None
        row = await connection.fetchrow(_SQL["secret"], account)
        if row is None:
            return False
        sealed = Sealed(bytes(row["secret"]), bytes(row["sealed_by"]))
        step = step_of(self._control.seal.open(sealed, about(PLACE, account)), code, now_us)
        return step is not None and await connection.fetchval(_SQL["spend_step"], account, step, now_us) is not None

    async def is_asked_of(self, connection: Connection, account: str, roles: frozenset[str]) -> bool:
        """Whether an account has one of these roles, in whatever tenant. Inside the caller's transaction."""
        return any(row["role"] in roles for row in await connection.fetch(_SQL["roles"], account))

    async def new_codes(self, connection: Connection, account: str) -> list[str]:
        """New recovery codes in place of all before, told this once. Inside the caller's transaction."""
        codes = [base64.b32encode(self._random_bytes(RECOVERY_BYTES)).decode() for _ in range(RECOVERY_CODES)]
        await self.forget_codes(connection, account)
        await connection.execute(_SQL["insert_codes"], account, [_hash(code) for code in codes])
        return ["-".join(code[at : at + _GROUP] for at in range(0, len(code), _GROUP)) for code in codes]

    @staticmethod
    async def forget_codes(connection: Connection, account: str) -> None:
        """No recovery code holds any more. Inside the caller's transaction."""
        await connection.execute(_SQL["forget_codes"], account)


def _hash(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()
