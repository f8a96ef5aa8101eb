"""Devices that speak QoS 2 over a session that outlives its connections: each message counts once, however often sent.

They keep to the standard: what was not received is sent again with DUP, what was received is released again, and the
session is to be there whenever they come back. None gives a time; each value is sent by one device alone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from broadstreet.mqtt import (
    Connect,
    Properties,
    PubAck,
    PubComp,
    Publish,
    PubRec,
    PubRel,
    SubAck,
    Subscribe,
    Subscription,
    Version,
    encode,
)
from tests.crash.load import Connection, Device, Message

EXACT_WINDOW = 30
IDENTIFIERS = 40
"""So few that each is used again and again."""
SESSION_S = 3_600


@dataclass
class ExactDevice(Device):
    """
    name_of_field: what its profile, or a profile yet to be mended, calls the value.
    received:      identifiers of messages that the house has, and that are not complete.
    forgotten:     how often its session was not there.
    is_deaf:       whether what it is told is lost on its way, until it comes back.
    """

    name_of_field: str = "v"
    received: set[int] = field(default_factory=set)
    forgotten: int = 0
    publishing: bool = True
    is_deaf: bool = False
    _was_here: bool = False

    def hello(self) -> Connect:
        """It comes back to its session."""
        expiry = Properties(session_expiry_s=SESSION_S) if self.version == Version.V5 else Properties()
        return Connect(
            self.id,
            self.version,
            clean_start=False,
            username=self.id,
            password=self.secret.encode(),
            properties=expiry,
        )

    def next_message(self) -> Message:
        """The next reading."""
        made = super().next_message()
        return Message(made.value, None) if self.name_of_field == "v" else Misnamed(made.value, None)

    def publish(self) -> None:
        """Send a reading, if connected and not too many wait."""
        if self._connection is not None and self.publishing and len(self.waiting) < EXACT_WINDOW:
            self.send(self.next_message())

    def send(self, message: Message) -> None:
        """Send a message as soon as there is a connection, under an identifier that is free."""
        while True:
            self._identifier = self._identifier % IDENTIFIERS + 1
            if self._identifier not in self.waiting:
                break
        self.waiting[self._identifier] = message
        if self._connection is not None:
            self._send(self._identifier, dup=False)

    def _send(self, identifier: int, *, dup: bool) -> None:
        message = self.waiting[identifier]
        message.sent += 1
        self._say(Publish(message.topic, message.payload, qos=2, dup=dup, identifier=identifier))

    def _say(self, packet: Publish | PubAck | PubRel | Subscribe) -> None:
        if self._connection is not None:
            self._connection.write(encode(packet, self.version))

    def connected(self, connection: Connection, *, is_known: bool) -> None:
        """Go on where it was."""
        self._connection, self.is_deaf = connection, False
        self.forgotten += self._was_here and not is_known
        self._was_here = True
        for identifier in list(self.waiting):
            if identifier in self.received:
                self._say(PubRel(identifier))
            else:
                self._send(identifier, dup=True)

    def take(self, packet: object) -> bool:
        """The steps of QoS 2."""
        if self.is_deaf:
            return True
        match packet:
            case PubRec(identifier=identifier, reason=reason):
                if reason >= 0x80:
                    self.refused += 1
                    self.disconnect()
                else:
                    self.received.add(identifier)
                    self._say(PubRel(identifier))
            case PubComp(identifier=identifier):
                self.received.discard(identifier)
                self.complete(self.waiting.pop(identifier))
            case _:
                return False
        return True

    def complete(self, message: Message) -> None:
        """A message has gone through."""
        self.acknowledged.append(message)


class Misnamed(Message):
    """A reading whose field no profile knows, until one is mended."""

    @property
    def payload(self) -> bytes:
        """As the device sends it."""
        return json.dumps({"w": self.value}).encode()


class Report(Message):
    """What a device says of a command; `value` is the place of the command in its list."""

    def __init__(self, offered_on: str, place: int) -> None:
        super().__init__(place, None)
        self._offered_on = offered_on

    @property
    def topic(self) -> str:
        """Behind the one on which the command was offered."""
        return f"{self._offered_on}/result"

    @property
    def payload(self) -> bytes:
        """That it was done, and as the how many-th."""
        return json.dumps({"state": "acknowledged", "result": {"place": self.value}}).encode()


@dataclass
class Servant(ExactDevice):
    """A device that does what it is told: each command once by its id, answered each time as the first time.

    done: by the id of each command its place among all it did, and what it was told.
    """

    done: dict[str, tuple[int, int]] = field(default_factory=dict)

    def publish(self) -> None:
        """It has nothing to say by itself."""

    def connected(self, connection: Connection, *, is_known: bool) -> None:
        """Ask for commands, besides."""
        super().connected(connection, is_known=is_known)
        self._say(Subscribe(1, (Subscription(f"devices/{self.id}/commands/+", 1),)))

    def take(self, packet: object) -> bool:
        """Commands, besides."""
        match packet:
            case SubAck():
                return True
            case Publish():
                self._obey(packet)
                return True
        return super().take(packet)

    def complete(self, message: Message) -> None:
        """That a report has gone through is seen in what became of its command."""

    def _obey(self, offer: Publish) -> None:
        if offer.qos:
            self._say(PubAck(offer.identifier))
        said = json.loads(offer.payload)
        place, _ = self.done.setdefault(said["id"], (len(self.done), said["body"]["n"]))
        if len(self.waiting) < EXACT_WINDOW:  # else the house offers it again
            self.send(Report(offer.topic, place))
