"""Taking notifications to receivers, by the way that their address names (6.3.8 and clause 7 of the standard)."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Final, Self

import msgspec

from broadstreet.delivery import HttpPost, MqttPlace, MqttPublish, Receivers
from broadstreet.mqtt import Version
from broadstreet.notifier.subscribed import Receiver

_VERSIONS: Final = {"mqtt3.1.1": Version.V3_1_1, "mqtt5.0": Version.V5}
_encode: Final = msgspec.json.Encoder().encode


class Carriers:
    """Use it within `async with`."""

    def __init__(self, receivers: Receivers) -> None:
        self._http = HttpPost(receivers)
        self._mqtt = MqttPublish(receivers)
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._open.enter_async_context(self._http)
        await self._open.enter_async_context(self._mqtt)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()

    async def carry(self, receiver: Receiver, headers: dict[str, str], body: bytes) -> None:
        """One notification. Raises DeliveryFailed."""
        if not receiver.is_mqtt:
            await self._http.send(receiver.url, headers, body, receiver.timeout_s)
            return
        # MQTT 3.1.1 has no headers: what would stand in them goes within the message, in either version (7.2).
        message = _encode({"metadata": headers, "body": msgspec.Raw(body)})
        place = MqttPlace.of(receiver.url, _VERSIONS[receiver.settings.get("MQTT-Version", "mqtt5.0")])
        qos = int(receiver.settings.get("MQTT-QoS", "0"))
        await self._mqtt.send(place, receiver.topic, message, qos, receiver.timeout_s)
