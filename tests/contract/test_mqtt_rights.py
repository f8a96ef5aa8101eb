"""Topics by role, spoken: people and programs subscribe and publish as far as their permissions go, and no further."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from broadstreet.access import Permission, Role
from broadstreet.apis import Services
from broadstreet.engines import Engines
from broadstreet.mqtt import (
    ConnAck,
    Connect,
    Disconnect,
    Properties,
    PubAck,
    PubComp,
    Publish,
    PubRec,
    PubRel,
    Reason,
    SubAck,
    Subscribe,
    Subscription,
    Version,
    Will,
)
from tests.contract.mqtt_site import V3, V5, Site, Wire, open_site


@pytest.fixture
async def site(services: Services, engines: Engines, data_dir: Path) -> AsyncIterator[Site]:
    async with open_site(services, engines, data_dir) as opened:
        yield opened


async def account(
    site: Site, name: str, *roles: Role, tenant: str = "city", limits: frozenset[Permission] | None = None
) -> str:
    """A new account's token."""
    access = site.services.access
    await access.accounts.create(name, name, tenant=tenant, roles=list(roles), by="test")
    return (await access.tokens.issue(name, "api", "test", 3600, by="test", limits=limits)).secret


async def subscribe(wire: Wire, *filters: str) -> tuple[int, ...]:
    wire.send(Subscribe(1, tuple(Subscription(one, 1) for one in filters)))
    return (await wire.receive(SubAck)).reasons


@pytest.mark.parametrize("version", [V5, V3])
async def test_an_engineer_sends_in_a_devices_name(site: Site, version: Version) -> None:
    secret = await account(site, "edi", "engineer")
    wire = await site.connect("edi", version, password=secret)
    watcher = await site.connect("d-1")
    assert await subscribe(watcher, "devices/d-1/#") == (1,)
    sent = [("d-0", 1, b"one"), ("d-1", 1, b"two"), ("d-0", 0, b"three"), ("d-1", 1, b"four")]
    for n, (device, qos, payload) in enumerate(sent, 1):
        wire.send(Publish(f"devices/{device}/readings", payload, qos, identifier=n if qos else 0))
    assert [(await wire.receive(PubAck)).identifier for _ in range(3)] == [1, 2, 4]
    wire.send(Publish("devices/d-0/readings", b"five", 2, identifier=9))
    assert await wire.receive(PubRec) == PubRec(9)
    wire.send(Publish("devices/d-0/readings", b"five", 2, dup=True, identifier=9), PubRel(9))
    assert await wire.receive(PubRec) == PubRec(9)
    assert await wire.receive(PubComp) == PubComp(9)
    assert [payload for _, _, payload in await site.kept()] == [b"one", b"three", b"five"]
    assert [payload for _, _, payload in await site.kept("d-1")] == [b"two", b"four"]
    assert [(await watcher.receive(Publish)).payload for _ in range(2)] == [b"two", b"four"]


async def test_what_is_not_a_persons_to_publish_is_refused(site: Site) -> None:
    engineer = await site.connect("edi", password=await account(site, "edi", "engineer"))
    viewer = await site.connect("vera", password=await account(site, "vera", "viewer"))
    limited = await account(site, "lea", "engineer", limits=frozenset({"entity:read"}))
    reads = await site.connect("lea", password=limited)
    harbour = await site.connect("hana", password=await account(site, "hana", "engineer", tenant="harbour"))
    for wire, topic in (
        (engineer, "devices/d-0/commands/c-1"),
        (engineer, "devices/d-99/readings"),
        (engineer, "readings"),
        (engineer, "city/x"),
        (viewer, "devices/d-0/readings"),
        (reads, "devices/d-0/readings"),
        (harbour, "devices/d-0/readings"),
    ):
        for n in (1, 2):
            wire.send(Publish(topic, b"{}", 1, identifier=n))
            assert await wire.receive(PubAck) == PubAck(n, Reason.NOT_AUTHORIZED), topic
    device = await site.connect("d-0")
    device.send(Publish("devices/d-0/commands/c-1", b"open", 1, identifier=1))
    assert (await device.receive(PubAck)).reason == Reason.NOT_AUTHORIZED, "the house's alone"
    old = await site.connect("vera", V3, password=(await token_of(site, "vera")))
    old.send(Publish("devices/d-0/readings", b"{}", 1, identifier=1))
    assert await old.ended()
    assert await site.kept() == []


async def token_of(site: Site, name: str) -> str:
    """Another token."""
    return (await site.services.access.tokens.issue(name, "api", "test", 3600, by="test")).secret


async def test_filters_are_granted_as_far_as_their_topics(site: Site) -> None:
    viewer = await site.connect("vera", password=await account(site, "vera", "viewer"))
    no = Reason.NOT_AUTHORIZED
    asked = ("devices/+/readings", "devices/#", "$share/g/devices/+/commands/+", "$share/g/devices/+/readings", "#")
    assert await subscribe(viewer, *asked) == (1, no, no, 1, no)
    desk = await site.connect("dino", password=await account(site, "dino", "dispatcher"))
    assert await subscribe(desk, *asked) == (1, 1, 1, 1, no)


async def test_a_tenant_may_be_named(site: Site) -> None:
    secret = await account(site, "edi", "engineer")
    await site.services.access.accounts.grant("edi", "viewer", tenant="harbour", by="test")
    there = await site.connect("edi/harbour", password=secret)
    here = await site.connect("edi", password=secret)
    assert await subscribe(there, "devices/+/readings") == (1,)
    assert await subscribe(here, "devices/+/readings") == (1,)
    there.send(Publish("devices/d-0/readings", b"{}", 1, identifier=7))
    assert (await there.receive(PubAck)).reason == Reason.NOT_AUTHORIZED
    device = await site.connect("d-0")
    device.send(Publish("readings", b"{}", 1, identifier=1))
    assert (await here.receive(Publish)).topic == "devices/d-0/readings"
    assert await there.is_silent()
    for name in ("edi/nowhere", "edi/", "other/city"):
        _, answer = await site.greet(name, password=secret)
        assert answer.reason in (Reason.BAD_USER_NAME_OR_PASSWORD, Reason.NOT_AUTHORIZED), name


async def test_a_will_is_a_devices(site: Site) -> None:
    secret = await account(site, "edi", "engineer")
    _, answer = await site.greet("edi", password=secret, will=Will("devices/d-0/status", b"gone"))
    assert answer.reason == Reason.NOT_AUTHORIZED


async def test_a_role_that_is_withdrawn_is_felt(site: Site) -> None:
    """The connection ends; the lasting session loses what is not allowed any more, and keeps the rest."""
    secret = await account(site, "dino", "dispatcher", "viewer")
    lasting = Properties(session_expiry_s=600)
    wire = await site.connect("dino", password=secret, client_id="desk", properties=lasting)
    assert await subscribe(wire, "devices/+/readings", "devices/#") == (1, 1)
    await site.services.access.accounts.withdraw("dino", "dispatcher", tenant="city", by="test")
    assert (await wire.receive(Disconnect)).reason == Reason.NOT_AUTHORIZED
    assert await wire.ended()
    again = await site.wire()
    again.send(Connect("desk", V5, False, 0, "dino", secret.encode(), None, lasting))
    assert (await again.receive(ConnAck)).session_present
    device = await site.connect("d-0")
    device.send(Publish("devices/d-0/status", b"on", 1, identifier=1), Publish("readings", b"{}", 1, identifier=2))
    async with asyncio.timeout(20):
        assert (await again.receive(Publish)).topic == "devices/d-0/readings"
