"""The house over MQTT: a session that outlives the connection, a birth, a will, readings and answers at QoS 1.

A command is on disk before its PUBACK, which the client sends once `_heard` has returned. The device subscribes at each
connection, which costs nothing where the session is still there.
"""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
from collections.abc import Callable
from typing import Final, NamedTuple, NoReturn

import msgspec

from broadstreet.model.clock import format_rfc3339, parse_rfc3339
from broadstreet.model.errors import InvalidInput, NotAllowed, NotSignedIn, TooLarge, Unavailable
from broadstreet.mqtt import ConnAck, Publish, Reason, Subscription, Version, Will
from broadstreet.mqtt.client import Client
from broadstreet.mqtt.reasons import FIRST_FAILURE
from broadstreet.outpost.clock import DeviceClock
from broadstreet.outpost.credential import Credential
from broadstreet.outpost.link import FIRST_PAUSE_S, LONGEST_PAUSE_S, Pauses, Refused, Retry, read_offer
from broadstreet.outpost.memory import Kept, Memory

SESSION_S: Final = 86_400
KEEP_ALIVE_S: Final = 60
BATCH: Final = 200
"""Readings on their way at once; the house may ask for fewer."""
GOODBYE_WITHIN_S: Final = 3.0
TIME_PROPERTY: Final = "time"
"""The user property of CONNACK in which the house says what time it is."""
FOR_GOOD: Final = frozenset({Reason.TOPIC_NAME_INVALID, Reason.PAYLOAD_FORMAT_INVALID})
"""Reason codes after which the same message would be refused again."""
OFFLINE: Final = msgspec.json.encode({"state": "offline"})
logger = logging.getLogger(__name__)


class MqttAddress(NamedTuple):
    """Where MQTT is spoken, and how. tls: None: in the clear."""

    host: str
    port: int
    version: Version = Version.V5
    tls: ssl.SSLContext | None = None


class MqttLink:
    """The device's own connection. chance: gives numbers from 0 to 1."""

    def __init__(
        self, address: MqttAddress, credential: Credential, chance: Callable[[], float] = random.random
    ) -> None:
        self._address = address
        self._credential = credential
        self._prefix = f"devices/{credential.id}"
        self._busy = Pauses(FIRST_PAUSE_S, LONGEST_PAUSE_S, chance)

    async def speak(self, memory: Memory, clock: DeviceClock, met: Callable[[], None]) -> NoReturn:
        """One connection, until it is lost. Raises Retry, Refused."""
        lost = asyncio.get_running_loop().create_future()

        def on_lost(words: str) -> None:
            if not lost.done():
                lost.set_result(words)

        def heard(message: Publish) -> None:
            self._heard(memory, message)

        client = self._client(heard, on_lost)
        try:
            self._hear_time(await client.connect(), clock)
            reasons = await client.subscribe(Subscription(f"{self._prefix}/commands/+", 1))
            if reasons[0] >= FIRST_FAILURE:
                raise Retry(f"no commands are to be had: {Reason(reasons[0]).words}")
            met()
            await self._say_status(client, memory, clock)
            sending = asyncio.ensure_future(self._send(client, memory))
            try:
                await asyncio.wait({sending, lost}, return_when=asyncio.FIRST_COMPLETED)
                if sending.done():
                    sending.result()
                raise Retry(lost.result())
            finally:
                sending.cancel()
        except (NotSignedIn, NotAllowed) as error:
            raise Refused(error.message) from None
        except Unavailable as error:
            raise Retry(error.message) from None
        finally:
            await self._leave(client)

    def _client(self, heard: Callable[[Publish], None], lost: Callable[[str], None]) -> Client:
        host, port, version, tls = self._address
        return Client(
            host,
            port,
            client_id=self._credential.id,
            username=self._credential.id,
            password=self._credential.secret,
            version=version,
            keep_alive_s=KEEP_ALIVE_S,
            will=Will(f"{self._prefix}/status", OFFLINE, 1, retain=True),
            on_message=heard,
            on_lost=lost,
            in_flight_maximum=BATCH,
            session_s=SESSION_S,
            tls=tls,
        )

    def _hear_time(self, answer: ConnAck, clock: DeviceClock) -> None:
        """3.1.1 has no words for it: such a device has to keep its clock right itself."""
        said = dict(answer.properties.user_properties).get(TIME_PROPERTY)
        if said is not None:
            clock.hear(parse_rfc3339(said))

    def _heard(self, memory: Memory, message: Publish) -> None:
        """A command, as anything else that is sent to what was subscribed to is none."""
        try:
            memory.take_command(read_offer(message.payload))
        except (msgspec.DecodeError, InvalidInput) as error:
            logger.warning("what came on %s is no command: %s", message.topic, error)

    async def _say_status(self, client: Client, memory: Memory, clock: DeviceClock) -> None:
        """The birth: whoever looks at the topic sees that the device is there, and how it is."""
        status = {
            "state": "online",
            "since": format_rfc3339(clock.now_us()),
            "waiting": memory.waiting,
            "refused": memory.refused,
            "clock_off_s": clock.offset_us / 1e6,
        }
        await client.publish(f"{self._prefix}/status", msgspec.json.encode(status), retain=True)

    async def _leave(self, client: Client) -> None:
        """Say goodbye, where there is still somebody to say it to: no will is spoken after that."""
        if client.is_connected:
            try:
                async with asyncio.timeout(GOODBYE_WITHIN_S):
                    await client.publish(f"{self._prefix}/status", OFFLINE, retain=True)
                    await client.disconnect()
            except (TimeoutError, Unavailable):
                pass
        client.abort()

    # What is sent.

    async def _send(self, client: Client, memory: Memory) -> NoReturn:
        while True:
            memory.to_send.clear()
            answers, readings = memory.untold(BATCH), memory.oldest(BATCH)
            if not answers and not readings:
                await memory.to_send.wait()
                continue
            is_busy = False
            for command, answer in answers:
                reason = await client.publish(f"{self._prefix}/commands/{command}/result", answer)
                is_busy |= reason >= FIRST_FAILURE
                if reason < FIRST_FAILURE:
                    memory.told(command, answer)
            is_busy |= await self._send_readings(client, memory, readings)
            if not is_busy:
                self._busy.begin_anew()
            elif client.is_connected:
                await asyncio.sleep(self._busy.next_s())

    async def _send_readings(self, client: Client, memory: Memory, readings: list[Kept]) -> bool:
        """Send readings and settle what was answered; answers whether the house asks for patience."""
        said = await asyncio.gather(*(_reason(client, one.payload) for one in readings))
        taken, refused, is_busy = [], dict[int, str](), False
        for one, reason in zip(readings, said, strict=True):
            if isinstance(reason, str):
                refused[one.n] = reason
            elif reason < FIRST_FAILURE:
                taken.append(one.n)
            elif reason in FOR_GOOD:
                refused[one.n] = Reason(reason).words
            elif reason == Reason.NOT_AUTHORIZED:
                raise Refused("the house takes nothing from this device")
            else:
                is_busy = True
        if taken or refused:
            memory.settle(taken, refused)
        return is_busy


async def _reason(client: Client, payload: bytes) -> int | str:
    """The house's answer to a reading; words where it is never to be sent."""
    try:
        return await client.publish("readings", payload)
    except TooLarge as error:
        return error.message
    except Unavailable:
        return Reason.UNSPECIFIED_ERROR
