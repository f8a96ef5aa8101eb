"""What counts once by its packet identifier: MQTT messages of QoS 2, of sessions that outlive their connections.

A pack says of such a message which session it is of, in which of its lives, and its identifier. The identifier is open
from the message on until the client releases it, and a message whose identifier is open is the same one again. So is
one of a life that is over: its client was told nothing of it, and has sent it again in the life after. A partition is
applied in order, and what is open is written in the transaction that applies it; a gateway needs no memory for this.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from broadstreet.log import RELEASED, Pack
from broadstreet.model.clock import US_PER_S
from broadstreet.model.errors import Conflict
from broadstreet.store import load_queries

if TYPE_CHECKING:
    from broadstreet.store import Database
    from broadstreet.store.database import Connection

NOBODY: Final = 0
"""The device of a message that is left out; keys begin at 1."""
OPEN_FOR_US: Final = 8 * 86_400 * US_PER_S
"""How long a session may say nothing and still find what it had open: longer than any outlives its connection."""
KNOWN_FOR_US: Final = 86_400 * US_PER_S
"""How long a session with nothing open is known, and so what a gateway without log brings late of its former lives."""
_IDENTIFIER: Final = np.dtype(">u2")
_SQL = load_queries("recorder")

Repeated = dict[bytes, set[int]]
"""The places of messages that are the same again, by the id of their pack."""


class MessagesRepeated(Conflict):
    """Some messages were applied before; leave them out and apply the rest."""

    def __init__(self, repeated: Repeated) -> None:
        super().__init__()
        self.repeated = repeated


@dataclass
class OnceSession:
    """What is known of a session: the newest of its lives, and the identifiers that are open."""

    life: int
    open: set[int] = field(default_factory=set)


def sift(packs: Iterable[Pack], sessions: dict[bytes, OnceSession]) -> Repeated:
    """Go through packs in the order of the log: what is repeated in them. The sessions are then as they are after."""
    repeated: Repeated = {}
    for pack in packs:
        for once in pack.once:
            session = sessions.setdefault(once.session, OnceSession(once.life))
            is_void = once.life < session.life
            session.life = max(once.life, session.life)
            for identifier, entry in zip(once.identifiers, once.entries, strict=True):
                if entry == RELEASED:
                    if not is_void:
                        session.open.discard(identifier)
                elif is_void or identifier in session.open:
                    repeated.setdefault(pack.id, set()).add(entry)
                else:
                    session.open.add(identifier)
    return repeated


async def open_once(connection: Connection, packs: list[Pack], left_out: Repeated, now_us: int) -> None:
    """Note in the applying transaction what packs open and release. Raises MessagesRepeated unless it was left out."""
    names = sorted({once.session for pack in packs for once in pack.once})
    if not names:
        return
    rows = await connection.fetch(_SQL["lock_once"], names)
    sessions = {
        bytes(row["session"]): OnceSession(row["life"], set(np.frombuffer(row["open"], _IDENTIFIER).tolist()))
        for row in rows
    }
    repeated = sift(packs, sessions)
    if repeated != left_out:
        raise MessagesRepeated(repeated)
    await connection.execute(
        _SQL["write_once"],
        names,
        [sessions[name].life for name in names],
        [np.array(sorted(sessions[name].open), _IDENTIFIER).tobytes() for name in names],
        now_us,
    )


async def forget_once(database: Database, now_us: int) -> None:
    """Let go of sessions that have said nothing for long."""
    await database.execute(_SQL["forget_once"], now_us - OPEN_FOR_US, now_us - KNOWN_FOR_US)


def without(pack: Pack, repeated: Repeated) -> Pack:
    """The pack with nobody as the device of what is repeated: every other message keeps its place."""
    entries = repeated.get(pack.id)
    if not entries:
        return pack
    devices = [NOBODY if entry in entries else key for entry, key in enumerate(pack.device)]
    return msgspec.structs.replace(pack, device=devices)
