"""A small city for the tests of the portal: devices on streets, a recorder, and the whole application before it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from litestar import Litestar

from broadstreet.access.route import SESSION_COOKIE
from broadstreet.apis import Services
from broadstreet.devices import DeviceSpec
from broadstreet.history import Observations, append
from broadstreet.model.terms import expand
from broadstreet.portal import Portal
from broadstreet.store import write_origin
from tests.asgi import Answer, ask
from tests.contract.conftest import Clock
from tests.contract.house import portal_of, whole_app
from tests.contract.recording import House

S = 1_000_000
MINUTE = 60 * S
ORIGIN = {"origin": "http://city.example"}
AIR = """
[profile]
name = "air"
type = "AirQualityObserved"
time = "ts"
time_format = "unix_us"
interval_s = 300
[attributes.NO2]
field = "no2"
unit = "GQ"
minimum = 0
maximum = 2000
limit = 200
[attributes.temperature]
field = "t"
unit = "CEL"
"""
LIGHT = """
[profile]
name = "light"
type = "Streetlight"
interval_s = 300
[attributes.illuminanceLevel]
field = "level"
unit = "P1"
minimum = 0
maximum = 100
"""


@dataclass
class PortalHouse:
    """The services, the portal over them, a recorder, and the keys of devices by their ids."""

    services: Services
    portal: Portal
    app: Litestar
    house: House
    clock: Clock
    keys: dict[str, int]
    cookie: str = ""

    async def ask(self, target: str, method: str = "GET", **more: Any) -> Answer:
        """Ask as whoever signed in last."""
        headers = {"cookie": self.cookie, **ORIGIN, **more.pop("headers", {})}
        return await ask(self.app, method, target, headers=headers, **more)

    async def get(self, target: str) -> Any:
        """What a route answers, which has to be 200."""
        answer = await self.ask(target)
        assert answer.status == 200, answer.body
        return answer.json

    async def city(self) -> dict[str, Any]:
        """`/portal/api/city`, read anew."""
        self.clock.forward(2)
        found: dict[str, Any] = await self.get("/portal/api/city")
        return found

    async def sensor(self, device: str) -> dict[str, Any]:
        """One sensor of the city."""
        return next(sensor for sensor in (await self.city())["sensors"] if sensor["device"] == device)

    async def register(self, *specs: DeviceSpec) -> None:
        """Register devices now."""
        made = await self.services.registry.register_many(
            self.house.city, specs, principal="planner", at_us=self.clock()
        )
        self.keys |= {one.id: one.key for one in made}

    async def send(self, device: str, payload: object, *, at_us: int | None = None) -> None:
        """A message that a gateway received at a time, recorded before this returns."""
        self.house.now_us = self.clock()
        await self.house.send((self.keys[device], self.clock() if at_us is None else at_us, payload))
        await self.house.record()

    async def air(self, device: str, no2: float, *, at_us: int | None = None) -> None:
        """A reading of an air quality station, received as it was made."""
        at_us = self.clock() if at_us is None else at_us
        await self.send(device, {"ts": at_us, "no2": no2}, at_us=at_us)

    async def bring_in(self, device: str, attribute: str, at_us: Sequence[int], values: Sequence[float]) -> None:
        """Observations of a device that came with a table."""
        city = self.house.city
        series = await city.fetchrow(
            "SELECT s.key FROM series s JOIN device d USING (entity_key) JOIN term t ON t.key = s.term_key "
            "WHERE d.key = $1 AND t.iri = $2",
            self.keys[device],
            expand(attribute),
        )
        assert series is not None
        async with city.transaction() as connection:
            origin = await write_origin(connection, "import", "root", self.clock(), "import of air.csv")
            past = Observations.of(series["key"], list(at_us), list(values))
            await append(connection, past, origin_key=origin, written_at_us=self.clock())

    async def saw(self, device: str, **columns: object) -> None:
        """What a gateway notes about a device's connection."""
        names = ", ".join(columns)
        places = ", ".join(f"${n}" for n in range(2, len(columns) + 2))
        sets = ", ".join(f"{name} = EXCLUDED.{name}" for name in columns)
        await self.house.city.execute(
            f"INSERT INTO connection (device_key, gateway, {names}) VALUES ($1, 'gateway-t', {places}) "
            f"ON CONFLICT (device_key) DO UPDATE SET {sets}",
            self.keys[device],
            *columns.values(),
        )


def air(name: str, street: str | None = "Fabianinkatu", **more: Any) -> DeviceSpec:
    """An air quality station."""
    place = {"lon": 24.95, "lat": 60.17, **more}
    return DeviceSpec(id=name, title=f"Air, {street} {name}", profile="air", street=street, **place)


@asynccontextmanager
async def open_portal(
    services: Services, data_dir: Path, clock: Clock, *, origin: str = ""
) -> AsyncIterator[PortalHouse]:
    """Two profiles and no device; an administrator is signed in. origin: the setting `http.origin`."""
    city = await services.store.tenant("city")
    for profile in (AIR, LIGHT):
        await services.registry.register_profile(city, profile, principal="planner", at_us=clock())
    await services.access.accounts.create(
        "root", "Root", tenant="city", roles=["administrator"], by="test", password="a long enough secret"
    )
    secret = (await services.access.tokens.issue("root", "session", "test", 72 * 3600, by="test")).secret
    async with portal_of(services, data_dir, origin) as portal:
        app = whole_app(services, portal)
        house = House(services.store, services.log, city)
        yield PortalHouse(services, portal, app, house, clock, {}, f"{SESSION_COOKIE}={secret}")
