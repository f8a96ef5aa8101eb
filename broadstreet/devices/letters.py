"""Dead letters, as people settle them: looked through, replayed once their profile is mended, or discarded.

A letter that is replayed goes back into RAW as a pack of its own, whose id is made of the letter's: however often it is
asked for, and wherever it is killed, the recorder applies that id once. Only then does it leave DEAD. It keeps the time
at which it was first received; if it cannot be applied again, it becomes a dead letter anew, under its new id. Who
settles letters, and why, is in the audit before anything is done.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from broadstreet.log import REPLAYED_BY, DeadLetter, DeadReason, DeadStream, Log, Pack
from broadstreet.model.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from broadstreet.access import Principal
    from broadstreet.access.audit import Audit

MAX_PAGE: Final = 200
MAX_SETTLED: Final = 1_000
"""Letters that one request settles; its answer says where to go on."""
MAX_WHY_LENGTH: Final = 500
WINDOW: Final = 1_000
MAX_LOOKED_AT: Final = 20_000
"""Places in the stream that are looked at for one page: a page may be short, or empty, and still have a next one."""
ON_THEIR_WAY: Final = 32
"""Letters that are replayed at the same time."""
DAMAGED: Final = "a pack that was damaged on disk cannot be replayed: which messages it held is not known"
_PACK_ID_BYTES: Final = 16
_MARK_BYTES: Final = 4


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which letters: of a device, of a reason, of a profile (its name, or with its version as in `air-quality 3`)."""

    device: str | None = None
    reason: str | None = None
    profile: str | None = None

    def takes(self, letter: DeadLetter) -> bool:
        """Whether a letter is among them."""
        return (
            (self.device is None or letter.device == self.device)
            and (self.reason is None or letter.reason == self.reason)
            and (self.profile is None or self.profile in (letter.profile, letter.profile.rpartition(" ")[0]))
        )


class Letter(msgspec.Struct, frozen=True):
    """A dead letter and its id: its place in the stream, and a mark that tells it from one of another stream."""

    id: str
    letter: DeadLetter


class LetterPage(msgspec.Struct, frozen=True):
    """Letters, newest first. before: where the next page begins, None after the last one."""

    letters: list[Letter]
    before: int | None


class Settled(msgspec.Struct, frozen=True):
    """What came of settling: how many were, and which were left with a reason each.

    after: where to go on, as `after` and `until` of the next request; None where all are done.
    """

    settled: int
    left: list[tuple[str, str]]
    after: int | None
    until: int


def letter_id(sequence: int, letter: DeadLetter) -> str:
    """A letter's id, such as `4711-9f86d081`."""
    return f"{sequence}-{_digest(b'letter', letter)[:_MARK_BYTES].hex()}"


def replay_pack_id(letter: DeadLetter) -> bytes:
    """The id of the pack in which a letter goes back: always the same one."""
    return _digest(b"replay", letter)[:_PACK_ID_BYTES]


def _digest(what: bytes, letter: DeadLetter) -> bytes:
    return hashlib.sha256(b"%s %s %d" % (what, letter.pack, letter.entry)).digest()


class Letters:
    """All tenants' dead letters. partitions: of the log, for each tenant."""

    def __init__(self, log: Log, audit: Audit, *, partitions: int) -> None:
        self._log = log
        self._stream = DeadStream(log)
        self._audit = audit
        self._partitions = partitions

    async def page(self, tenant: str, wanted: Wanted, *, before: int | None = None, limit: int = 50) -> LetterPage:
        """A tenant's letters from before a place, newest first. Raises EngineFailed."""
        first, end = await self._stream.span()
        end = end if before is None else min(before, end)
        lowest = max(first, end - MAX_LOOKED_AT)
        found: dict[tuple[bytes, int], Letter] = {}
        limit = min(limit, MAX_PAGE)
        while end > lowest and len(found) < limit:
            begin = max(lowest, end - WINDOW)
            stored = [
                (sequence, letter)
                async for sequence, letter in self._stream.between(tenant, begin, end)
                if wanted.takes(letter)
            ]
            end = begin
            for sequence, letter in reversed(stored):
                if len(found) == limit:
                    end = sequence + 1
                    break
                # After a kill the relay may have published one twice.
                found.setdefault((letter.pack, letter.entry), Letter(letter_id(sequence, letter), letter))
        return LetterPage(list(found.values()), end if end > first else None)

    async def find(self, tenant: str, identifier: str) -> Letter:
        """One letter by its id. Raises NotFound, also for one that was settled."""
        sequence, _, mark = identifier.partition("-")
        letter = None
        if mark and sequence.isascii() and sequence.isdigit() and len(sequence) < 20:
            letter = await self._stream.get(tenant, int(sequence))
        if letter is None or letter_id(int(sequence), letter) != identifier:
            raise NotFound(
                f"there is no dead letter {identifier[:80]!r}", remedy="It may have been replayed or discarded by now."
            )
        return Letter(identifier, letter)

    async def settle_some(
        self, principal: Principal, at_us: int, identifiers: Sequence[str], *, why: str, is_replay: bool
    ) -> Settled:
        """Replay or discard letters by their ids; one that is gone is left, and said. Raises InvalidInput."""
        if not 0 < len(identifiers) <= MAX_SETTLED:
            raise InvalidInput(f"name 1 to {MAX_SETTLED} letters", where="ids")
        _check_why(why)
        await self._record(principal, at_us, f"{len(identifiers)} letters", why, is_replay, ids=list(identifiers))
        letters, left = [], []
        for identifier in dict.fromkeys(identifiers):
            try:
                letters.append(await self.find(principal.tenant, identifier))
            except NotFound:
                left.append((identifier, "it is not there, or not any more"))
        settled, kept = await self._settle(principal, letters, is_replay)
        return Settled(settled, [*left, *kept], None, 0)

    async def settle_all(
        self,
        principal: Principal,
        at_us: int,
        wanted: Wanted,
        *,
        why: str,
        is_replay: bool,
        after: int = 0,
        until: int | None = None,
    ) -> Settled:
        """Replay or discard what is wanted, oldest first, MAX_SETTLED at a time.

        after, until: as the answer before said. What dies meanwhile stands behind `until` and is left alone.
        """
        _check_why(why)
        first, end = await self._stream.span()
        end = end if until is None else min(until, end)
        letters: list[Letter] = []
        begin = max(first, after + 1)
        stop = min(end, begin + MAX_LOOKED_AT)
        reached = stop - 1
        async for sequence, letter in self._stream.between(principal.tenant, begin, stop):
            if wanted.takes(letter):
                letters.append(Letter(letter_id(sequence, letter), letter))
                if len(letters) == MAX_SETTLED:
                    reached = sequence
                    break
        if letters:
            ids = [one.id for one in letters]
            await self._record(principal, at_us, _told(wanted), why, is_replay, ids=ids)
        settled, left = await self._settle(principal, letters, is_replay)
        return Settled(settled, left, reached if reached + 1 < end else None, end)

    async def _record(
        self, principal: Principal, at_us: int, subject: str, why: str, is_replay: bool, *, ids: list[str]
    ) -> None:
        action = "dead.replay" if is_replay else "dead.discard"
        detail = {"why": why, "ids": ids}
        await self._audit.record(at_us, principal.name, action, subject, tenant=principal.tenant, detail=detail)

    async def _settle(
        self, principal: Principal, letters: Sequence[Letter], is_replay: bool
    ) -> tuple[int, list[tuple[str, str]]]:
        """Raises LogFull or EngineFailed; what was settled before stays so, and the rest can be asked for again."""
        left: list[tuple[str, str]] = []
        waiting = iter(letters)

        async def work() -> int:
            count = 0
            for one in waiting:
                if is_replay:
                    if one.letter.reason == DeadReason.CORRUPT_PACK:
                        left.append((one.id, DAMAGED))
                        continue
                    await self._log.append_raw(self._pack(principal, one.letter))
                count += await self._stream.remove(int(one.id.partition("-")[0]))
            return count

        workers = [work() for _ in range(min(ON_THEIR_WAY, len(letters)))]
        outcomes = await asyncio.gather(*workers, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        return sum(outcome for outcome in outcomes if isinstance(outcome, int)), left

    def _pack(self, principal: Principal, letter: DeadLetter) -> Pack:
        """A letter on its way back."""
        return Pack(
            replay_pack_id(letter),
            letter.tenant,
            letter.device_key % self._partitions,
            REPLAYED_BY + principal.name,
            [letter.device_key],
            [letter.received_us],
            [letter.topic],
            [letter.payload],
        )


def _told(wanted: Wanted) -> str:
    """A choice of letters in words, for the audit."""
    said = [f"{name} {value}" for name, value in msgspec.structs.asdict(wanted).items() if value is not None]
    return ", ".join(said) or "all letters"


def _check_why(why: str) -> None:
    if not 0 < len(why.strip()) <= MAX_WHY_LENGTH:
        raise InvalidInput(
            f"a reason of 1 to {MAX_WHY_LENGTH} characters is asked for", where="why", remedy="Say why, for the audit."
        )
