"""What the processes that take messages in say to each other, by NATS: to all of them, or to one life of one.

None of it is kept. What must not be lost is in the log, and who misses a word asks again.
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct

from broadstreet.gateway.interest import Wish
from broadstreet.gateway.message import Message
from broadstreet.gateway.peer import Address
from broadstreet.model.errors import CorruptData
from broadstreet.mqtt import NO_PROPERTIES, Properties

TO_ALL: Final = "between.all"
EVERYTHING: Final = -1
"""In place of the version before: these are all the wishes there are."""


class Here(Struct, array_like=True, frozen=True, tag="here"):
    """
    A process is there, said once a second, and what has changed of its wishes since version `before`.

    sender:       it and its life: `<name>/<life>`.
    has_sessions: whether clients connect to it.
    claims:       the highest number of a claim that it knows.
    """

    sender: str
    has_sessions: bool
    claims: int
    before: int
    version: int
    wishes: list[Wish]


class Tell(Struct, array_like=True, frozen=True, tag="tell"):
    """Its sender would like to hear all the wishes."""

    sender: str


class Gone(Struct, array_like=True, frozen=True, tag="gone"):
    """Its sender stops."""

    sender: str


class Handed(Struct, array_like=True, frozen=True, tag="message"):
    """
    A message for sessions at another process.

    group:     the shared subscription one of whose members gets it; empty: it is for all others that match.
    is_passed: whether it was handed on before, and found nobody.
    """

    tenant: str
    group: str
    is_passed: bool
    topic: str
    payload: bytes
    sent_us: int
    qos: int
    retain: bool
    properties: Properties | None = None

    def message(self, *, is_handed: bool = True) -> Message:
        """As it came to the process that hands it on."""
        return Message(
            self.topic,
            self.payload,
            self.sent_us,
            qos=self.qos,
            retain=self.retain,
            properties=NO_PROPERTIES if self.properties is None else self.properties,
            is_handed=is_handed,
        )


class Claim(Struct, array_like=True, frozen=True, tag="claim"):
    """
    A client has come to a gateway: whoever speaks for it elsewhere is sent away.

    number:     rises with time, and with every claim that its gateway made or heard of; of two, the higher
                (number, sender) counts.
    is_lasting: whether its session outlives its connection: of two such, the log says whose it is.
    """

    address: Address
    number: int
    is_lasting: bool


class Batch(Struct, array_like=True, frozen=True, tag="batch"):
    """What one process has for another, in order. channel, number: count from 1, the second within the first."""

    sender: str
    channel: int
    number: int
    items: list[Handed | Claim]


class Taken(Struct, array_like=True, frozen=True, tag="taken"):
    """Its sender has taken the batches of a channel up to this number."""

    sender: str
    channel: int
    number: int


Word = Here | Tell | Gone | Batch | Taken
_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Word] = msgspec.msgpack.Decoder(Word)


def encode_word(word: Word) -> bytes:
    """Its bytes."""
    return _encoder.encode(word)


def decode_word(data: bytes) -> Word:
    """What was said. Raises CorruptData."""
    try:
        return _decoder.decode(data)
    except msgspec.DecodeError as error:
        raise CorruptData(f"what another gateway says cannot be read: {error}") from error


def handed(tenant: str, message: Message, group: str) -> Handed:
    """A message on its way to another process."""
    properties = message.properties
    return Handed(
        tenant,
        group,
        message.is_handed,
        message.topic,
        message.payload,
        message.sent_us,
        message.qos,
        message.retain,
        None if properties is NO_PROPERTIES else properties,
    )


def life_of(holder: str) -> str:
    """What tells a life of a process from every other one."""
    return holder.rpartition("/")[2]


def name_of(holder: str) -> str:
    """The name of a process, the same in all its lives."""
    return holder.rpartition("/")[0]


def to_one(holder: str) -> str:
    """The subject on which one life of a process hears what is for it alone."""
    return f"between.{life_of(holder)}"
