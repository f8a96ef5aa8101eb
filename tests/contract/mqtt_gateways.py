"""What the tests of several gateways do: come to one of them, subscribe, publish, wait until the others know."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from broadstreet.gateway import Exchange, Gateway
from broadstreet.mqtt import (
    ConnAck,
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
    Will,
)
from tests.contract.mqtt_process import GatewayProcess
from tests.contract.mqtt_site import POLL_S, POLLS, SECRET, V5, Site, Wire

STATUS = "devices/d-0/status"


async def come(
    site: Site,
    gateway: Gateway | GatewayProcess,
    client_id: str = "c",
    *,
    expiry_s: int = 0,
    clean: bool = True,
    will: Will | None = None,
) -> Wire:
    """The device d-0 comes to a gateway."""
    port = gateway.port if isinstance(gateway, GatewayProcess) else gateway.listener.port
    wire = Wire(*await asyncio.open_connection("127.0.0.1", port), V5)
    site.wires.append(wire)
    asked = Properties(session_expiry_s=expiry_s)
    wire.send(Connect(client_id, V5, clean, 0, "d-0", f"{SECRET}d-0".encode(), will, asked))
    assert (await wire.receive(ConnAck)).reason == 0
    return wire


async def subscribe(wire: Wire, *wanted: Subscription) -> None:
    wire.send(Subscribe(7, wanted))
    assert all(reason < 0x80 for reason in (await wire.receive(SubAck)).reasons)


async def publish(
    wire: Wire, payload: bytes, qos: int = 1, *, retain: bool = False, content_type: str | None = None
) -> None:
    properties = Properties(content_type=content_type)
    wire.send(Publish(STATUS, payload, qos, retain, identifier=1 if qos else 0, properties=properties))
    if qos == 1:
        assert (await wire.receive(PubAck)).reason == 0
    elif qos == 2:
        assert await wire.receive(PubRec) == PubRec(1)
        wire.send(PubRel(1))
        assert await wire.receive(PubComp) == PubComp(1)


async def knows(exchange: Exchange, subscribers: int = 1, *, shares: int = 0, topic: str = STATUS) -> None:
    """Wait until a process has heard of so many subscribers, and of so many members of a share."""
    for _ in range(POLLS):
        matches = exchange.subscriptions("city").match(topic)
        members = sum(share.turns for share in matches.shares)
        if len(matches.direct) == subscribers and members == shares:
            return
        await asyncio.sleep(POLL_S)
    raise AssertionError(f"{len(matches.direct)} subscribers are known, and {members} members")


async def met(*gateways: Gateway) -> None:
    """Wait until gateways know each other."""
    exchanges = [gateway.broker.exchange for gateway in gateways]
    for _ in range(POLLS):
        holders = {one.neighbours.holder for one in exchanges}
        if all(
            one.neighbours.elsewhere(other, "city") for one in exchanges for other in holders - {one.neighbours.holder}
        ):
            return
        await asyncio.sleep(POLL_S)
    raise AssertionError("the gateways do not meet")


@contextmanager
def standing_still(gateway: Gateway) -> Iterator[None]:
    """A gateway neither speaks to others nor hears them inside the block."""

    async def nothing(*_: object) -> None:
        pass

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gateway.broker.exchange.neighbours, "_hear", nothing)
        patch.setattr(gateway.broker.exchange.neighbours, "_speak", nothing)
        yield
