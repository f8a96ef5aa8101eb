"""What the connections of one gateway share: sessions by client id, subscriptions by tenant, retained messages.

A message goes to every matching subscriber of its tenant at once; what must be kept goes through the packer beside.
A client id is a peer's own: only the same device or account can take over a session.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from broadstreet.gateway.bounds import LONGEST_SESSION_S, MAX_SESSIONS_AWAY
from broadstreet.gateway.counters import Counters
from broadstreet.gateway.message import Message, forwarded
from broadstreet.gateway.packer import SAFE, Packer, Settlement
from broadstreet.gateway.peer import Peer
from broadstreet.gateway.retained import Retained
from broadstreet.gateway.session import Place, Session
from broadstreet.gateway.sightings import Sightings
from broadstreet.gateway.subscriptions import Match, Matches, Subscriptions
from broadstreet.mqtt import Connect, Version, Will

if TYPE_CHECKING:
    from broadstreet.gateway.conversation import Conversation

ASSIGNED_ID_BYTES = 12


class Broker:
    """
    clock:        now, in microseconds since 1970.
    random_bytes: fit for ids, such as `os.urandom`.
    """

    def __init__(
        self,
        packer: Packer,
        retained: Retained,
        sightings: Sightings,
        counters: Counters,
        *,
        clock: Callable[[], int],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self.packer = packer
        self.retained = retained
        self.sightings = sightings
        self.counters = counters
        self.clock = clock
        self._random_bytes = random_bytes
        self._sessions: dict[Place, Session] = {}
        self._subscriptions: dict[str, Subscriptions[Session]] = {}

    def new_client_id(self) -> str:
        """A client id nobody else has."""
        return f"auto-{self._random_bytes(ASSIGNED_ID_BYTES).hex()}"

    def subscriptions(self, tenant: str) -> Subscriptions[Session]:
        """A tenant's subscriptions."""
        found = self._subscriptions.get(tenant)
        if found is None:
            found = self._subscriptions[tenant] = Subscriptions()
        return found

    def count_sessions(self) -> int:
        """How many sessions there are, of clients that are here and that are away."""
        return len(self._sessions)

    def connected_sessions(self) -> list[Session]:
        """Every session whose client is here."""
        return [session for session in self._sessions.values() if session.conversation is not None]

    def speaker(self, peer: Peer, client_id: str) -> Conversation | None:
        """Who speaks for a session now."""
        session = self._sessions.get((peer.tenant, peer.name, client_id))
        return None if session is None else session.conversation

    def enter(self, peer: Peer, connect: Connect, client_id: str) -> tuple[Session, bool]:
        """
        The session a client asks for, and whether it was there before (MQTT-3.1.2-4 to -6).

        Whoever speaks for it so far (`speaker`) must be sent away first.
        """
        before = self._sessions.get((peer.tenant, peer.name, client_id))
        if before is not None and connect.clean_start:
            before.end()
            before = None
        session = before or Session(self, peer, client_id)
        self._sessions[session.place] = session
        session.expiry_s = expiry_s(connect)
        return session, before is not None

    def may_stay(self, session: Session) -> bool:
        """Whether there is room for a session whose client has gone."""
        return len(self._sessions) - self.counters.connections < MAX_SESSIONS_AWAY

    def leave(self, session: Session) -> None:
        """A session has ended."""
        if self._sessions.get(session.place) is session:
            del self._sessions[session.place]

    def keep(self, session: Session, suffix: str, payloads: list[bytes]) -> tuple[Settlement, int]:
        """Keep what a session sends, if it is a device's; answers also when it came, in microseconds since 1970."""
        source = session.source
        if source is None:
            return SAFE, self.clock()
        settlement = self.packer.add(source, suffix, payloads, sum(map(len, payloads)))
        return settlement, source.last_us

    def deliver(self, message: Message, matches: Matches[Session]) -> None:
        """Give a message to its subscribers."""
        for session, match in matches.direct.items():
            if not (match.no_local and session is message.sender):
                _offer(session, message, match)
        for share in matches.shares:
            session, match = share.next(_is_ready)
            _offer(session, message, match)

    def publish(self, tenant: str, message: Message) -> None:
        """A message from the house, or from a session's end, to whoever subscribes."""
        self.deliver(message, self.subscriptions(tenant).match(message.topic))

    def publish_will(self, session: Session, will: Will) -> None:
        """The will of a session; nobody awaits an acknowledgement."""
        peer = session.peer
        suffix = peer.suffix_of(will.topic)
        if suffix is None:
            return
        settlement, sent_us = self.keep(session, suffix, [will.payload])
        message = Message(
            peer.own_prefix + suffix,
            will.payload,
            sent_us,
            qos=will.qos,
            retain=will.retain,
            properties=forwarded(will.properties),
            sender=session,
        )
        self.publish(peer.tenant, message)
        if will.retain:
            self.retained.keep(peer.tenant, message, settlement)


def expiry_s(connect: Connect) -> int:
    """How long the session a client asks for outlives its connection. 3.1.1 names no time."""
    if connect.version == Version.V5:
        return min(connect.properties.session_expiry_s or 0, LONGEST_SESSION_S)
    return 0 if connect.clean_start else LONGEST_SESSION_S


def _is_ready(session: Session) -> bool:
    return session.is_ready


def _offer(session: Session, message: Message, match: Match) -> None:
    qos = min(match.qos, message.qos)
    session.outbound.offer(message, qos, message.retain and match.retain_as_published, match.identifiers)
