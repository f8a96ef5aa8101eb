"""Everything that a trial puts beside the devices at QoS 1: what is to count once by an id."""

from __future__ import annotations

import time
from dataclasses import dataclass

from broadstreet.access import Access
from broadstreet.devices import DeviceSpec, Registry
from broadstreet.store import Store
from tests.crash.asking import Asking, KeyedDevice
from tests.crash.exact import ExactDevice, Servant
from tests.crash.load import DEVICES
from tests.crash.verdict import TENANT, Ledger, Obedience

PRINCIPAL = "crash trial"
PROFILE = """
[profile]
name = "{name}"
type = "https://example.org/CrashProbe"

[attributes."https://example.org/v"]
field = "{field}"
type = "number"
"""
EXACT, DYING = "crash-exact", "crash-dying"
EXACT_DEVICES, DYING_DEVICES, KEYED_DEVICES, SERVANTS = 8, 2, 2, 2
QOS2, KEYED, LETTERS = "QoS 2", "keyed HTTP", "dead letters"
TOKEN_S = 3_600


@dataclass
class Crew:
    """Devices at QoS 2, some of which send what nobody can read yet; requests; devices that do what they are told."""

    exact: list[ExactDevice]
    dying: list[ExactDevice]
    servants: list[Servant]
    asking: Asking

    @property
    def devices(self) -> list[ExactDevice]:
        """All that speak MQTT."""
        return [*self.exact, *self.dying, *self.servants]

    @property
    def half_way(self) -> int:
        """How many messages are received and not complete."""
        return sum(len(device.received) for device in self.devices)

    @property
    def unheard(self) -> int:
        """How many messages were answered, or are about to be, and the answer is lost."""
        return sum(len(device.waiting.keys() - device.received) for device in self.devices if device.is_deaf)

    def deafen(self) -> None:
        """Let what the devices are told be lost."""
        for device in self.devices:
            device.is_deaf = True

    def come_back(self) -> None:
        """Let the devices that hear nothing connect anew."""
        for device in self.devices:
            if device.is_deaf:
                device.disconnect()

    def ledgers(self) -> list[Ledger]:
        """What is to count once."""
        found = [
            Ledger(kind, device.id, sent := [message.value for message in device.acknowledged], sent)
            for kind, devices in ((QOS2, self.exact), (LETTERS, self.dying))
            for device in devices
        ]
        return found + [Ledger(KEYED, one.id, one.acknowledged, one.values) for one in self.asking.keyed]

    def obedience(self) -> Obedience:
        """What was ordered, and what was done."""
        return Obedience(self.asking.orders, {servant.id: servant.done for servant in self.servants})

    def check(self) -> None:
        """Raise what went wrong."""
        self.asking.check()
        forgotten = {device.id: device.forgotten for device in self.devices if device.forgotten}
        assert not forgotten, f"sessions that were to stay were not there, so often: {forgotten}"


async def enlist(dsn: str, http_port: int) -> Crew:
    """Write them down in a prepared database."""
    at_us = time.time_ns() // 1000
    async with await Store.connect(dsn) as store:
        database, registry = await store.tenant(TENANT), Registry(store)
        for name, called in ((EXACT, "v"), (DYING, "v")):
            text = PROFILE.format(name=name, field=called)
            await registry.register_profile(database, text, principal=PRINCIPAL, at_us=at_us)
        kinds = ["exact"] * EXACT_DEVICES + ["dying"] * DYING_DEVICES + ["keyed"] * KEYED_DEVICES
        kinds += ["servant"] * SERVANTS
        specs = [
            DeviceSpec(id=f"{kind}-{n}", title=kind, profile=DYING if kind == "dying" else EXACT, lon=24.94, lat=60.17)
            for n, kind in enumerate(kinds)
        ]
        registered = await registry.register_many(database, specs, principal=PRINCIPAL, at_us=at_us)
        access = Access(store.control, lambda: time.time_ns() // 1000)
        await access.accounts.create("trial", "Trial", tenant=TENANT, roles=["administrator"], by=PRINCIPAL)
        token = (await access.tokens.issue("trial", "api", PRINCIPAL, TOKEN_S, by=PRINCIPAL)).secret
    asking = Asking(http_port, token, [], [], DYING, PROFILE.format(name=DYING, field="w"))
    crew = Crew([], [], asking.servants, asking)
    for number, (kind, written) in enumerate(zip(kinds, registered, strict=True), DEVICES):
        assert written.secret is not None
        known = written.id, written.secret, number
        match kind:
            case "exact":
                crew.exact.append(ExactDevice(*known, begins_ms=0, timed=False))
            case "dying":
                crew.dying.append(ExactDevice(*known, begins_ms=0, timed=False, name_of_field="w"))
            case "keyed":
                asking.keyed.append(KeyedDevice(*known))
            case _:
                asking.servants.append(Servant(*known, begins_ms=0, timed=False))
    return crew
