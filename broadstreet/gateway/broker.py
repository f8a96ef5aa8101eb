"""What the connections of one gateway share: sessions by client id, subscriptions by tenant, retained messages.

A message goes to every matching subscriber of its tenant at once; what must be kept goes through the packer beside.
A client id is a peer's own: only the same device or account can take over a session.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from broadstreet.gateway.counters import Counters
from broadstreet.gateway.message import Message
from broadstreet.gateway.packer import Packer
from broadstreet.gateway.retained import Retained
from broadstreet.gateway.sightings import Sightings
from broadstreet.gateway.subscriptions import Match, Subscriptions

if TYPE_CHECKING:
    from broadstreet.gateway.session import Session

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
        self._sessions: dict[tuple[str, str, str], Session] = {}
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

    def sessions(self) -> list[Session]:
        """Every session there is."""
        return list(self._sessions.values())

    def enter(self, session: Session) -> Session | None:
        """A session begins; answers the one it takes over."""
        before = self._sessions.pop(session.place, None)
        self._sessions[session.place] = session
        return before

    def leave(self, session: Session) -> None:
        """A session has ended."""
        if self._sessions.get(session.place) is session:
            del self._sessions[session.place]

    def deliver(self, message: Message, matches: dict[Session, Match]) -> None:
        """Give a message to its subscribers."""
        for session, match in matches.items():
            if match.no_local and session is message.sender:
                continue
            qos = min(match.qos, message.qos)
            session.outbound.offer(message, qos, message.retain and match.retain_as_published, match.identifiers)

    def publish(self, tenant: str, message: Message) -> None:
        """A message from the house, or from a session's end, to whoever subscribes."""
        self.deliver(message, self.subscriptions(tenant).match(message.topic))
