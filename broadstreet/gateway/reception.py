"""The reception: a new device that shows its fleet's provisioning key asks for a credential of its own, and goes.

    CONNECT (password: the key) ──▶ SUBSCRIBE provision/answer ──▶ PUBLISH provision ──▶ PUBLISH provision/answer

It is no session and has no part in the topics of anybody: what it says goes to the provisioning alone, and nothing else
is said to it. As everyone who is not let in it has CONNECT_WITHIN_S to be done, and asks once at a time. Version 5 may
name a response topic of its own below `provision/`, and correlation data, which comes back.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import msgspec

from broadstreet.devices import Application, Provisioning
from broadstreet.devices.provisioning import PREFIX
from broadstreet.gateway.greeting import goodbye
from broadstreet.gateway.sightings import STORE_ERRORS
from broadstreet.model.errors import (
    BadRequest,
    BroadstreetError,
    Conflict,
    NotAllowed,
    NotFound,
    NotSignedIn,
    ProtocolError,
    TooMany,
    Unavailable,
)
from broadstreet.mqtt import (
    Connect,
    Disconnect,
    PingReq,
    Properties,
    PubAck,
    PubAckRun,
    Publish,
    PublishRun,
    Reason,
    SubAck,
    Subscribe,
    Version,
    encode,
)
from broadstreet.mqtt.encoding import PINGRESP

if TYPE_CHECKING:
    from broadstreet.gateway.connection import Connection

REQUEST: Final = "provision"
ANSWERS: Final = "provision/"
ANSWER: Final = "provision/answer"
logger = logging.getLogger(__name__)


class Said(msgspec.Struct, frozen=True):
    """What a new device says of itself; the key stands in its CONNECT."""

    hardware_id: str
    title: str | None = None
    lon: float | None = None
    lat: float | None = None


_said: Final = msgspec.json.Decoder(Said)


def key_of(connect: Connect) -> str | None:
    """The provisioning key that a CONNECT shows; None where it shows none."""
    password = connect.password or b""
    return password.decode(errors="replace") if password.startswith(PREFIX.encode()) else None


class Reception:
    """clock: now, in microseconds since 1970."""

    def __init__(
        self, link: Connection, connect: Connect, provisioning: Provisioning, clock: Callable[[], int]
    ) -> None:
        self._link = link
        self._connect = connect
        self._version = connect.version
        self._key = key_of(connect) or ""
        self._provisioning = provisioning
        self._clock = clock
        self._filters: set[str] = set()
        self._asking: asyncio.Task[None] | None = None

    def handle(self, packet: Any) -> None:
        """One packet or run from the client. Raises ProtocolError for one that clients do not send here."""
        match packet:
            case PublishRun():
                for one in packet.packets():
                    self._publish(one)
            case Publish():
                self._publish(packet)
            case Subscribe():
                self._subscribe(packet)
            case PingReq():
                self._link.write(PINGRESP)
            case PubAck() | PubAckRun():
                pass
            case Disconnect():
                self._link.finish("it has asked for a credential")
            case _:
                raise ProtocolError(f"who asks for a credential may not send {type(packet).__name__.upper()}")

    def _subscribe(self, packet: Subscribe) -> None:
        refused = Reason.NOT_AUTHORIZED if self._version == Version.V5 else Reason.UNSPECIFIED_ERROR
        asked = [one.filter for one in packet.subscriptions]
        self._filters |= {name for name in asked if name.startswith(ANSWERS)}
        reasons = tuple(0 if name in self._filters else int(refused) for name in asked)
        self._link.write(encode(SubAck(packet.identifier, reasons), self._version))

    def _publish(self, packet: Publish) -> None:
        topic = packet.properties.response_topic or ANSWER
        if packet.topic != REQUEST or packet.qos > 1:
            self._send_away(Reason.NOT_AUTHORIZED, f"who asks for a credential publishes to {REQUEST} alone")
        elif topic not in self._filters:
            self._send_away(Reason.NOT_AUTHORIZED, f"it asks before it has subscribed to {ANSWER}")
        elif self._asking is not None and not self._asking.done():
            self._send_away(Reason.QUOTA_EXCEEDED, "it asks before it is answered")
        else:
            self._asking = asyncio.get_running_loop().create_task(self._ask(packet, topic))

    def _send_away(self, reason: Reason, words: str) -> None:
        self._link.write(goodbye(self._connect, reason, words))
        self._link.finish(words)

    async def _ask(self, packet: Publish, topic: str) -> None:
        """Ask for the device, and tell it what came of it. It goes on where the device hangs up: it will ask again."""
        try:
            said = _said.decode(packet.payload)
            asked = Application(
                key=self._key, hardware_id=said.hardware_id, title=said.title, lon=said.lon, lat=said.lat
            )
            admitted = await self._provisioning.admit(asked, self._clock())
            answer = {"state": "admitted", **msgspec.structs.asdict(admitted)}
        except msgspec.DecodeError as error:
            answer = {"state": "refused", "status": 400, "why": str(error), "remedy": None}
        except (BadRequest, NotSignedIn, NotAllowed, NotFound, Conflict, TooMany) as error:
            answer = _refusal(error)
        except STORE_ERRORS as error:
            logger.warning("a new device cannot be let in: %s", error)
            answer = _refusal(Unavailable("nobody can be let in now", remedy="Ask again in a moment."))
        correlation = packet.properties.correlation_data
        properties = Properties(correlation_data=correlation) if self._version == Version.V5 else Properties()
        raw = encode(Publish(topic, msgspec.json.encode(answer), properties=properties), self._version)
        if packet.qos:
            raw = encode(PubAck(packet.identifier), self._version) + raw
        self._link.write(raw)


def _refusal(error: BroadstreetError) -> dict[str, Any]:
    return {"state": "refused", "status": error.status, "why": error.message, "remedy": error.remedy}
