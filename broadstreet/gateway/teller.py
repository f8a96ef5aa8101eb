"""What came by HTTP, told to those who subscribe by MQTT, wherever they are connected: at QoS 1, once it is kept."""

from __future__ import annotations

from collections.abc import Callable

from broadstreet.gateway.exchange import Exchange
from broadstreet.gateway.message import Message
from broadstreet.gateway.packer import Settlement
from broadstreet.gateway.peer import DEVICES


class Teller:
    """exchange: None where nobody subscribes. clock: now, in microseconds since 1970."""

    def __init__(self, exchange: Exchange | None, clock: Callable[[], int]) -> None:
        self._exchange = exchange
        self._clock = clock

    def tell(self, tenant: str, device: str, suffix: str, payloads: list[bytes]) -> list[Settlement]:
        """Hand on what a device said; answers what to wait for until it is in the queues of sessions."""
        if self._exchange is None:
            return []
        topic = f"{DEVICES}/{device}/{suffix}"
        matches = self._exchange.subscriptions(tenant).match(topic)
        if not matches:
            return []
        sent_us = self._clock()
        return [
            settlement
            for payload in payloads
            for settlement in self._exchange.deliver(Message(topic, payload, sent_us, qos=1), matches)
        ]
