"""Passkeys of accounts: added, named, shown, removed; and the judgement of an answer by one of them.

A passkey is a second factor, and a sign-in by itself: it is only ever made so that it can be found without a name and
its owner is verified. A count that does not rise is what a copy of an authenticator would show (WebAuthn Level 3,
section 6.1.1): that answer is refused, and the passkey is shown as doubted, for its owner to judge.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from broadstreet.access import authenticator
from broadstreet.access.audit import record
from broadstreet.access.authenticator import Answer, KnownCredential, Options, Presented
from broadstreet.access.ceremony import Ceremonies, Ceremony, derive
from broadstreet.access.second_factor import SecondFactor
from broadstreet.access.site import Site
from broadstreet.model.errors import Conflict, InvalidInput, NotFound
from broadstreet.store import Database, load_queries

if TYPE_CHECKING:
    from broadstreet.store.database import Connection

HANDLE_BYTES: Final = 32
MAX_PASSKEYS: Final = 20
MAX_TITLE_LENGTH: Final = 100
CHALLENGE: Final = "challenge"
_SQL = load_queries("passkey")


@dataclass(frozen=True, slots=True)
class PasskeyEntry:
    """A passkey in a list."""

    key: int
    id: bytes
    site: str
    title: str
    is_synced: bool
    transports: tuple[str, ...]
    created_at_us: int
    used_at_us: int | None
    doubted_at_us: int | None

    @property
    def known(self) -> KnownCredential:
        """As an authenticator is asked for it."""
        return KnownCredential(self.id, self.transports)


class Passkeys:
    """Every change names who makes it, and leaves a line in the audit."""

    def __init__(
        self,
        control: Database,
        clock: Callable[[], int],
        random_bytes: Callable[[int], bytes],
        ceremonies: Ceremonies,
        second_factor: SecondFactor,
    ) -> None:
        self._control = control
        self._clock = clock
        self._random_bytes = random_bytes
        self._ceremonies = ceremonies
        self._second_factor = second_factor

    async def of_account(self, account: str) -> list[PasskeyEntry]:
        """An account's passkeys, in the order in which they came."""
        return [
            PasskeyEntry(
                row["key"],
                row["id"],
                row["site"],
                row["title"],
                row["is_synced"],
                tuple(row["transports"]),
                row["created_at"],
                row["used_at"],
                row["doubted_at"],
            )
            for row in await self._control.fetch(_SQL["list"], account)
        ]

    async def of_site(self, account: str, site: Site) -> list[KnownCredential]:
        """Those of an account's passkeys that work on a site."""
        return [entry.known for entry in await self.of_account(account) if entry.site == site.domain]

    async def owner(self, passkey: bytes) -> str | None:
        """Whose passkey this is, by the authenticator's name for it."""
        account: str | None = await self._control.fetchval(_SQL["owner"], passkey)
        return account

    async def begin(self, account: str, site: Site, house: str) -> tuple[Ceremony, Options]:
        """Ask for a new passkey. house: what the authenticator calls the house. Raises Conflict for too many."""
        present = await self.of_account(account)
        if len(present) >= MAX_PASSKEYS:
            raise Conflict(f"an account has at most {MAX_PASSKEYS} passkeys", remedy="Remove one first.")
        row = await self._control.fetchrow(_SQL["handle"], account, self._random_bytes(HANDLE_BYTES))
        assert row is not None
        ceremony = await self._ceremonies.begin("passkey-add", account)
        known = [entry.known for entry in present if entry.site == site.domain]
        challenge = ceremony.derive(CHALLENGE)
        handle, title = row["passkey_handle"], row["title"]
        return ceremony, authenticator.adding_options(site, house, account, title, handle, challenge, known)

    async def add(self, account: str, site: Site, secret: str, answer: Answer, title: str) -> list[str]:
        """Keep a passkey that was just made. Answers the recovery codes where it is the account's first factor.

        secret: the ceremony's. Raises Conflict where that does not hold, InvalidInput.
        """
        title = check_title(title)
        if await self._ceremonies.finish(secret, "passkey-add") != account:
            raise Conflict("this was begun by somebody else", remedy="Begin again.")
        made = authenticator.added(answer, site, derive(secret, CHALLENGE))
        now_us = self._clock()
        async with self._control.transaction() as connection:
            await connection.execute(_SQL["lock"], account)
            before = await self._second_factor.state(account, connection)
            if before.passkeys >= MAX_PASSKEYS:
                raise Conflict(f"an account has at most {MAX_PASSKEYS} passkeys", remedy="Remove one first.")
            key = await connection.fetchval(
                _SQL["insert"],
                made.id,
                account,
                site.domain,
                title,
                made.public_key,
                made.sign_count,
                made.is_syncable,
                made.is_synced,
                made.transports,
                now_us,
            )
            if key is None:
                raise Conflict("this passkey is known already", where="credential")
            codes = [] if before.is_on else await self._second_factor.new_codes(connection, account)
            detail = {"title": title, "site": site.domain, "is_synced": made.is_synced}
            await record(connection, now_us, account, "passkey.add", account, detail=detail)
        return codes

    async def rename(self, account: str, key: int, title: str) -> None:
        """Call one's passkey something else. Raises NotFound, InvalidInput."""
        title = check_title(title)
        async with self._control.transaction() as connection:
            if await connection.fetchval(_SQL["rename"], account, key, title) is None:
                raise _no_passkey()
            await record(connection, self._clock(), account, "passkey.rename", account, detail={"title": title})

    async def remove(self, account: str, key: int) -> None:
        """One's passkey opens nothing any more; the recovery codes go with the last factor. Raises NotFound."""
        async with self._control.transaction() as connection:
            await connection.execute(_SQL["lock"], account)
            title = await connection.fetchval(_SQL["remove"], account, key)
            if title is None:
                raise _no_passkey()
            if not (await self._second_factor.state(account, connection)).is_on:
                await self._second_factor.forget_codes(connection, account)
            await record(connection, self._clock(), account, "passkey.remove", account, detail={"title": title})

    async def take(
        self, connection: Connection, given: Presented, site: Site, challenge: bytes, of: str | None
    ) -> str | None:
        """Whose passkey an answer is by, and now counted as used; None for one that was refused by its count.

        of: the account whose passkey it must be; None where it is to say that itself, and its owner must be verified.
        Inside the caller's transaction, which is to stand even for None. Raises InvalidInput for an answer that does
        not hold.
        """
        row = await connection.fetchrow(_SQL["answering"], given.id)
        if row is None or row["site"] != site.domain or of not in (None, row["account"]):
            raise InvalidInput("this passkey is not known here", where="credential", remedy="Use another one.")
        if given.user_handle != row["passkey_handle"] and (of is None or given.user_handle is not None):
            raise InvalidInput("this passkey says that it is somebody else's", where="credential")
        proof = authenticator.proof_of(given, site, challenge, row["public_key"], must_verify=of is None)
        if proof.is_syncable != row["is_syncable"]:
            raise InvalidInput("this passkey has become another kind than it was made as", where="credential")
        account, now_us = str(row["account"]), self._clock()
        counts = proof.sign_count > 0 or row["sign_count"] > 0
        if counts and proof.sign_count <= row["sign_count"]:
            await connection.execute(_SQL["doubted"], row["key"], now_us)
            detail = {"was": row["sign_count"], "is": proof.sign_count}
            await record(connection, now_us, account, "passkey.doubt", account, detail=detail)
            return None
        await connection.execute(_SQL["used"], row["key"], proof.sign_count, proof.is_synced, now_us)
        return account


def check_title(title: str) -> str:
    """What a passkey is called. Raises InvalidInput."""
    title = title.strip()
    if not title or len(title) > MAX_TITLE_LENGTH:
        raise InvalidInput(f"a passkey's name has 1 to {MAX_TITLE_LENGTH} characters", where="title")
    return title


def _no_passkey() -> NotFound:
    return NotFound("there is no such passkey", remedy="List them to see which there are.")
