"""Taking notifications to receivers, by the way that their address names (6.3.8 and clause 7 of the standard)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from functools import partial
from typing import Final, Self

import msgspec

from broadstreet.delivery import HttpPost, HttpRoute, MqttPlace, MqttPublish, Receivers
from broadstreet.mqtt import Version
from broadstreet.notifier.subscribed import Receiver

Route = Callable[[bytes], Awaitable[None]]
"""The way to one receiver: takes a notification there. Raises DeliveryFailed."""
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

    def route(self, receiver: Receiver, headers: Mapping[str, str]) -> Route:
        """The way to a receiver. headers: what goes with each notification."""
        if receiver.is_mqtt:
            place = MqttPlace.of(receiver.url, _VERSIONS[receiver.settings.get("MQTT-Version", "mqtt5.0")])
            qos = int(receiver.settings.get("MQTT-QoS", "0"))
            return partial(self._publish, place, receiver.topic, dict(headers), qos, receiver.timeout_s)
        return partial(self._post, HttpRoute.of(receiver.url, headers), receiver.timeout_s)

    async def _post(self, route: HttpRoute, timeout_s: float, body: bytes) -> None:
        await self._http.send(route, body, timeout_s)

    async def _publish(
        self, place: MqttPlace, topic: str, headers: dict[str, str], qos: int, timeout_s: float, body: bytes
    ) -> None:
        # MQTT 3.1.1 has no headers: what would stand in them goes within the message, in either version (7.2).
        message = _encode({"metadata": headers, "body": msgspec.Raw(body)})
        await self._mqtt.send(place, topic, message, qos, timeout_s)
