"""The other processes that take messages in: which there are, what their sessions want, and the way to each.

Every process says once a second that it is there, and at once what changes of its wishes; who meets it, or has missed a
change, is told all of them. A wish stands among the subscriptions of its tenant like any subscriber (`Elsewhere`), so
that a message nobody else wants costs nothing. Who has not been heard for `GONE_AFTER_S` is forgotten; time in which
this process itself was cut off, or did not run, does not count. What a shared subscription gave to one that is gone at
QoS 1, and is not known to have come there, goes to another member.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import count

from broadstreet.gateway.bounds import GONE_AFTER_S, HERE_EVERY_S, MAX_EARS, TELL_EVERY_S
from broadstreet.gateway.counters import Counters
from broadstreet.gateway.interest import Interest, Wish
from broadstreet.gateway.kept import Subscriber
from broadstreet.gateway.link import Ears, Link
from broadstreet.gateway.message import Message
from broadstreet.gateway.packer import Settlement
from broadstreet.gateway.peer import Address
from broadstreet.gateway.subscriptions import Match, Subscriptions
from broadstreet.gateway.words import (
    EVERYTHING,
    TO_ALL,
    Batch,
    Claim,
    Gone,
    Handed,
    Here,
    Taken,
    Tell,
    Word,
    decode_word,
    encode_word,
    handed,
    life_of,
    name_of,
    to_one,
)
from broadstreet.log import Log
from broadstreet.log.ending import end, side_by_side
from broadstreet.model.errors import CorruptData
from broadstreet.mqtt import Subscription

MAX_QOS = 2
logger = logging.getLogger(__name__)


class Elsewhere:
    """The sessions of one tenant at one other process, as a subscriber."""

    __slots__ = ("_counters", "_last", "_link", "_tenant")

    def __init__(self, tenant: str, link: Link, counters: Counters) -> None:
        self._tenant = tenant
        self._link = link
        self._counters = counters
        self._last: Message | None = None

    @property
    def is_ready(self) -> bool:
        """Whether a message would reach the other process soon."""
        return not self._link.is_stuck

    @property
    def is_here(self) -> bool:
        """Its clients are elsewhere."""
        return False

    def offer(self, message: Message, match: Match) -> Settlement | None:
        """Hand a message on; once, however many of the sessions there it is for."""
        if not match.group and message is self._last:
            return None
        self._last = None if match.group else message
        if not self._link.send(handed(self._tenant, message, match.group)):
            self._counters.dropped += 1
        return None

    def offer_here(self, message: Message, match: Match) -> None:
        """Nobody of it is here: what one process hands on to all that want it goes no further."""
        self._counters.dropped += 1


class Neighbour:
    """Another process, in one of its lives."""

    __slots__ = ("has_sessions", "link", "seen_s", "tenants", "version", "wishes", "work")

    def __init__(self, link: Link, has_sessions: bool, work: asyncio.Task[None]) -> None:
        self.link = link
        self.has_sessions = has_sessions
        self.work = work
        self.seen_s = 0.0
        self.version = 0
        self.tenants: dict[str, Elsewhere] = {}
        self.wishes: set[tuple[str, str]] = set()


class Neighbours:
    """
    holder:        this process in this life, as the others know it: `<name>/<life>`.
    has_sessions:  whether clients connect to it.
    clock:         now, in microseconds since 1970.
    subscriptions: gives a tenant's tree of subscriptions.
    receive:       called with what another process hands on.
    claimed:       called with a claim of another gateway, and who has made it.
    regive:        called with what a shared subscription gave to a process that is gone.
    """

    def __init__(
        self,
        log: Log,
        counters: Counters,
        holder: str,
        *,
        has_sessions: bool,
        clock: Callable[[], int],
        subscriptions: Callable[[str], Subscriptions[Subscriber]],
        receive: Callable[[Handed], None],
        claimed: Callable[[Claim, str], None],
        regive: Callable[[Handed], None],
    ) -> None:
        self.holder = holder
        self.claims = 0
        """The highest number of a claim that is known."""
        self._log = log
        self._counters = counters
        self._has_sessions = has_sessions
        self._clock = clock
        self._subscriptions = subscriptions
        self._receive = receive
        self._claimed = claimed
        self._regive = regive
        self._changed = asyncio.Event()
        self.interest = Interest(self._changed.set)
        self._neighbours: dict[str, Neighbour] = {}
        self._ears: dict[str, Ears] = {}
        self._channels = count(1)
        self._now_s = asyncio.get_running_loop().time
        self._looked_s = self._listening_s = self._now_s()

    # What the gateway asks and says.

    def is_gone(self, holder: str) -> bool:
        """Whether a life of a process is over, as far as can be known: it has not been heard of for a while."""
        if name_of(holder) == name_of(self.holder) and life_of(holder) < life_of(self.holder):
            return True  # a life begins with its time
        if holder == self.holder or holder in self._neighbours:
            return False
        return self._now_s() >= self._listening_s + GONE_AFTER_S

    def elsewhere(self, holder: str, tenant: str) -> Elsewhere | None:
        """A tenant's sessions at another process; None where it is not known."""
        neighbour = self._neighbours.get(holder)
        return None if neighbour is None else self._place(neighbour, tenant)

    def claim(self, address: Address, *, is_lasting: bool) -> int:
        """A client has come: tell the gateways where it may have been. Answers the claim's number.

        It rises with time too, so that the later of two counts where neither gateway has heard of the other's yet (a
        hybrid logical clock; Kulkarni et al., 2014).
        """
        self.claims = max(self.claims + 1, self._clock())
        for neighbour in self._neighbours.values():
            if neighbour.has_sessions:
                neighbour.link.send(Claim(address, self.claims, is_lasting))
        return self.claims

    def answer_claim(self, holder: str, claim: Claim) -> None:
        """Say to a gateway that another claim than its own stands."""
        neighbour = self._neighbours.get(holder)
        if neighbour is not None:
            neighbour.link.send(claim)

    # Speaking.

    async def run(self) -> None:
        """Speak and listen until cancelled."""
        self._looked_s = self._listening_s = self._now_s()
        try:
            await side_by_side(self._listen(TO_ALL), self._listen(to_one(self.holder)), self._say())
        finally:
            await end([neighbour.work for neighbour in self._neighbours.values()])

    async def finish(self, within_s: float) -> None:
        """Wait for what is on its way, and say goodbye."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                for neighbour in tuple(self._neighbours.values()):
                    await neighbour.link.emptied()
        await self._speak(TO_ALL, Gone(self.holder))

    async def _say(self) -> None:
        await self._speak(TO_ALL, self._everything())
        said_s = self._now_s()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(said_s + HERE_EVERY_S - self._now_s()):
                    await self._changed.wait()
            self._changed.clear()
            self._look()
            before = self.interest.version
            changes = self.interest.changes()
            said_s = self._now_s()
            await self._speak(TO_ALL, self._here(before, changes))
            await asyncio.sleep(TELL_EVERY_S)

    def _here(self, before: int, wishes: list[Wish]) -> Here:
        return Here(self.holder, self._has_sessions, self.claims, before, self.interest.version, wishes)

    def _everything(self) -> Here:
        return self._here(EVERYTHING, self.interest.all())

    async def _speak(self, subject: str, word: Word) -> None:
        await self._log.announce(subject, encode_word(word))

    def _look(self) -> None:
        """Forget who has gone, and send again what was not taken."""
        now_s = self._now_s()
        late_s = now_s - self._looked_s - HERE_EVERY_S
        self._looked_s = now_s
        if late_s > HERE_EVERY_S or not self._log.client.is_connected:
            self._listening_s = now_s
        for holder, neighbour in tuple(self._neighbours.items()):
            if now_s > max(neighbour.seen_s, self._listening_s) + GONE_AFTER_S:
                logger.warning("%s has not been heard for %.0f s and is taken for gone", holder, GONE_AFTER_S)
                self._forget(holder)
            else:
                neighbour.link.look()

    # Listening.

    async def _listen(self, subject: str) -> None:
        async with self._log.listen(subject) as messages:
            async for message in messages:
                try:
                    word = decode_word(message.data)
                except CorruptData as error:
                    logger.error("%s", error)
                    continue
                if word.sender != self.holder:
                    await self._hear(word)
                    await asyncio.sleep(0)  # after what may be a large batch it is the connections' turn

    async def _hear(self, word: Word) -> None:
        sender = word.sender
        if isinstance(word, Batch):
            await self._take(word)
        elif isinstance(word, Taken):
            if (neighbour := self._neighbours.get(sender)) is not None:
                neighbour.link.taken(word)
        elif isinstance(word, Here):
            await self._meet(word)
        elif isinstance(word, Tell):
            await self._speak(to_one(sender), self._everything())
        else:
            self._forget(sender)

    async def _meet(self, word: Here) -> None:
        """A process says that it is there."""
        self.claims = max(self.claims, word.claims)
        neighbour = self._neighbours.get(word.sender)
        is_new = neighbour is None
        if neighbour is None:
            link = Link(self.holder, next(self._channels), partial(self._speak, to_one(word.sender)), self._now_s)
            neighbour = Neighbour(link, word.has_sessions, asyncio.create_task(link.run()))
            self._neighbours[word.sender] = neighbour
        neighbour.seen_s = self._now_s()
        if word.before not in (EVERYTHING, neighbour.version):
            await self._speak(to_one(word.sender), Tell(self.holder))
        else:
            if word.before == EVERYTHING:
                wanted = {(wish.tenant, wish.filter) for wish in word.wishes}
                self._apply(neighbour, [Wish(*place, 0) for place in neighbour.wishes - wanted])
            self._apply(neighbour, word.wishes)
            neighbour.version = word.version
        if is_new:
            await self._speak(to_one(word.sender), self._everything())

    def _apply(self, neighbour: Neighbour, wishes: list[Wish]) -> None:
        for wish in wishes:
            place = self._place(neighbour, wish.tenant)
            subscriptions = self._subscriptions(wish.tenant)
            if wish.count:
                wanted = Subscription(wish.filter, MAX_QOS, retain_as_published=True)
                subscriptions.add(place, wanted, turns=wish.count)
                neighbour.wishes.add((wish.tenant, wish.filter))
            else:
                subscriptions.remove(place, wish.filter)
                neighbour.wishes.discard((wish.tenant, wish.filter))

    def _place(self, neighbour: Neighbour, tenant: str) -> Elsewhere:
        place = neighbour.tenants.get(tenant)
        if place is None:
            place = neighbour.tenants[tenant] = Elsewhere(tenant, neighbour.link, self._counters)
        return place

    def _forget(self, holder: str) -> None:
        neighbour = self._neighbours.pop(holder, None)
        if neighbour is None:
            return
        self._apply(neighbour, [Wish(*place, 0) for place in neighbour.wishes])
        neighbour.work.cancel()
        for item in neighbour.link.left():
            if isinstance(item, Handed) and item.group and item.qos == 1:
                self._regive(item)

    async def _take(self, batch: Batch) -> None:
        ears = self._ears.pop(batch.sender, None) or Ears()
        self._ears[batch.sender] = ears
        if len(self._ears) > MAX_EARS:
            del self._ears[next(iter(self._ears))]
        if ears.take(batch):
            for item in batch.items:
                if isinstance(item, Handed):
                    self._receive(item)
                else:
                    self.claims = max(self.claims, item.number)
                    self._claimed(item, batch.sender)
        await self._speak(to_one(batch.sender), Taken(self.holder, ears.channel, ears.number))
