"""The command line shuts devices out and lets them in again, in the house of a city's own engines."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from broadstreet.apis import Services
from broadstreet.app.settings import variable
from broadstreet.devices import DeviceSpec, find_device
from tests.contract.recording import PROFILE, T0_US

BROADSTREET = Path(sys.executable).with_name("broadstreet")


async def test_devices_are_shut_out_and_let_in(services: Services, services_dsn: str, nats_url: str) -> None:
    city = await services.store.tenant("city")
    await services.registry.register_profile(city, PROFILE, principal="t", at_us=T0_US)
    specs = [DeviceSpec(id=name, title=name, profile="air", lon=24.9, lat=60.2) for name in ("air-0", "air-1")]
    await services.registry.register_many(city, specs, principal="t", at_us=T0_US)
    environment = {
        variable("data_dir"): str(services.data_path),
        variable("engines.postgres_url"): services_dsn,
        variable("engines.nats_url"): nats_url,
    }

    async def say(*words: str) -> tuple[int | None, str]:
        said = await asyncio.create_subprocess_exec(
            str(BROADSTREET),
            "device",
            *words,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await said.communicate()
        return said.returncode, out.decode()

    async def shut_out() -> list[bool]:
        rows = [await find_device(city, device) for device in ("air-0", "air-1")]
        return [row.disabled_us is not None for row in rows]

    assert await say("disable", "air-0", "air-1") == (0, "2 disabled\n")
    assert await shut_out() == [True, True]
    assert await say("enable", "air-1") == (0, "1 enabled\n")
    assert await shut_out() == [True, False]
    status, told = await say("disable", "air-1", "air-2", "air-0")
    assert (status, "air-2" in told) == (1, True), told
    assert await shut_out() == [True, True], "those before the one that is none are done"
    audited = [(entry.action, entry.subject) for entry in await services.access.audit.read(tenant="city", limit=10)]
    assert audited.count(("device.disable", "air-1")) == 2
    assert audited.count(("device.enable", "air-1")) == 1
