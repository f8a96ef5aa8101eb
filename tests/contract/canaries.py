"""Two tenants filled alike, one of them with canaries: words that must be found nowhere outside it.

Everything that a tenant can write down is written through its own door where it has one, and by SQL where only a role
of the house writes. `tables_without` says which tables hold no canary, so that a new table fails until it has one.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

import msgspec
from litestar import Litestar

from broadstreet.apis import Services
from broadstreet.log import Log, Pack
from broadstreet.recorder import Recorder
from broadstreet.store import Database
from tests.asgi import ask
from tests.contract.conftest import Clock
from tests.contract.doors import issue

WORDLESS: Final = {
    "cursor": "how far the log is applied",
    "device_profile": "keys alone",
    "heard": "keys and times alone",
    "notifier_cursor": "how far changes are read",
    "once_session": "what the house calls a session, and packet identifiers",
    "past_file": "names that the house gives its own files",
    "place": "the place of an entity, told by its neighbour",
    "registry_version": "one figure",
    "subscription_epoch": "one figure",
    "transient": "keys and times alone",
    "deletion": "keys and times alone",
}
"""Tables into which no word of a tenant goes, and why."""

_FILL: Final = (
    "INSERT INTO connection (device_key, gateway, connected_at, disconnected_at, reason, refused_at, refused_reason) "
    "SELECT key, $1, now(), now(), $1, now(), $1 FROM device",
    "INSERT INTO outbox (kind, body) VALUES ('changes', convert_to($1, 'UTF8'))",
    "INSERT INTO import_run (file_hash, mapping_hash, file_name, origin_key, started_at) "
    "SELECT sha256('a'), sha256('b'), $1, min(key), now() FROM origin",
    "INSERT INTO command (id, device_key, name, body, principal, why, created_at, expires_at) "
    "SELECT $1 || key::text, key, 'light', to_jsonb($1::text), $1, $1, now(), now() FROM device",
    "INSERT INTO job (id, kind, wish, title, media_type, principal, created_at) "
    "VALUES ($1, 'export', jsonb_build_object('wish', $1::text), $1, $1, $1, now())",
    "INSERT INTO keyed_request (principal, key, at, fingerprint) VALUES ($1, $1, now(), 'x')",
    "INSERT INTO notification (key, subscription_key, entity_id, body) SELECT 1, key, $1, $1 FROM subscription",
    "INSERT INTO subscription_tally (subscription_key, failure) SELECT key, $1 FROM subscription",
    "INSERT INTO scoped (entity_key, observed_at, scopes, recorded_at) "
    "SELECT key, created_at - interval '1 day', ARRAY['/' || $1::text], created_at FROM entity",
    "INSERT INTO saved_query (owner, name, query, is_shared, changed_at) VALUES ($1, $1, $1, true, now())",
    "INSERT INTO plan_project (id, name, inputs, networks, owner, created_at, changed_at) "
    "VALUES (current_schema() || '-project', $1, jsonb_build_object('critical', jsonb_build_array($1::text)), "
    "to_jsonb(ARRAY[$1::text]), $1, now(), now())",
    "INSERT INTO plan_source (project_key, name, form, sha256, bytes, added_by, added_at) "
    "SELECT key, $1, 'CSV', 'x', 1, $1, now() FROM plan_project",
    "INSERT INTO plan_scenario (id, project_key, name, wish, created_by, created_at, changed_at) "
    "SELECT current_schema() || '-scenario', key, $1, jsonb_build_object('closed', jsonb_build_array($1::text)), $1, "
    "now(), now() FROM plan_project",
    "INSERT INTO plan_case (scenario_key, name, sheet, study, figures, job, made_by, made_at) "
    "SELECT key, $1, $1, jsonb_build_object('case', $1::text), jsonb_build_object('title', $1::text, "
    "'currency', 'EUR', 'invested_cents', 1, 'npv_cents', 1, 'rate', null, 'payback_years', null), 'x', $1, now() "
    "FROM plan_scenario",
    "INSERT INTO plan_siting (id, project_key, name, wish, created_by, created_at, job) "
    "SELECT current_schema() || '-siting', key, $1, jsonb_build_object('count', 1, 'kind', $1::text), $1, now(), 'x' "
    "FROM plan_project",
    "UPDATE series SET owner = $1, purpose = $1, licence = $1",
    "UPDATE origin SET note = $1",
)
_IS_UNDER_WAY = "SELECT EXISTS (SELECT FROM outbox) OR coalesce((SELECT sequence FROM cursor), 0) < $1"
POLL_S = 0.02
MAX_POLLS = 1_000
_TABLES = "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'"


@dataclass(frozen=True)
class Filled:
    """A tenant with everything in it.

    word: stands in every value, and nobody asks for it. Names and ids have the tenant's name in them: another tenant
    may guess those, and ask.
    """

    tenant: str
    word: str
    token: str
    letter: str = ""
    """The id of its dead letter."""

    @property
    def name(self) -> str:
        """What its profile, type, attribute, scope and street are called."""
        return f"{self.tenant}kind"

    @property
    def device(self) -> str:
        """Its device."""
        return f"{self.tenant}-17"

    @property
    def entity(self) -> str:
        """Its device's entity."""
        return f"urn:ngsi-ld:AirQualityObserved:{self.device}"

    @property
    def own_entity(self) -> str:
        """An entity without a device."""
        return f"urn:ngsi-ld:{self.name}:1"


def _profile(filled: Filled) -> str:
    return (
        f'# {filled.word}\n[profile]\nname = "{filled.name}"\ntype = "AirQualityObserved"\ninterval_s = 60\n'
        '[attributes.NO2]\nfield = "no2"\nunit = "GQ"\n'
        f'[attributes.{filled.name}]\nfield = "word"\ntype = "text"\n'
    )


async def fill(app: Litestar, services: Services, tenant: str, word: str, clock: Clock) -> Filled:
    """Fill a tenant through its own doors. Everything that is said there has `word` in it."""
    root = f"{tenant}-root"
    filled = Filled(tenant, word, await issue(services, root, ["administrator"], tenant))
    await services.access.accounts.create(f"{tenant}-person", word, tenant=tenant, roles=["viewer"], by=root)

    async def send(method: str, path: str, body: bytes | object, kind: str = "application/json") -> None:
        headers = {"authorization": f"Bearer {filled.token}", "content-type": kind, "ngsild-tenant": tenant}
        answer = await ask(app, method, path, headers=headers, body=body)
        assert answer.status < 300, (path, answer.body)

    await send("POST", "/v1/profiles", _profile(filled).encode(), "application/toml")
    dataset = f"urn:{filled.name}"
    await send("PUT", "/v1/datasets", {"id": dataset, "title": word, "owner": word, "purpose": word, "licence": word})
    spec = {"id": filled.device, "title": word, "profile": filled.name, "lon": 24.9, "lat": 60.2, "street": filled.name}
    await send("POST", "/v1/devices", {**spec, "dataset": dataset})
    told = {"type": "Property", "value": word}
    await send("POST", "/ngsi-ld/v1/jsonldContexts", {"@context": {filled.name: f"https://example.org/{word}"}})
    near = {"type": "Relationship", "object": filled.entity}
    called = {"id": filled.own_entity, "type": filled.name, "scope": f"/{filled.name}"}
    await send("POST", "/ngsi-ld/v1/entities", {**called, filled.name: {**told, "note": told}, "near": near})
    watch = {"id": f"urn:ngsi-ld:Subscription:{filled.name}", "type": "Subscription", "description": word}
    meant = {"entities": [{"type": filled.name}], "notification": {"endpoint": {"uri": f"https://example.org/{word}"}}}
    await send("POST", "/ngsi-ld/v1/subscriptions", {**watch, **meant})
    await read(services, filled, clock)
    await _send_and_record(services, filled, clock, b"\xff" + word.encode())
    database = await services.store.tenant(tenant)
    for statement in _FILL:
        await database.execute(statement, word)
    dead = await ask(app, "GET", "/v1/dead", headers={"authorization": f"Bearer {filled.token}"})
    return replace(filled, letter=dead.json["letters"][0]["id"])


async def read(services: Services, filled: Filled, clock: Clock) -> None:
    """A reading of the tenant's device, recorded."""
    await _send_and_record(services, filled, clock, msgspec.json.encode({"no2": 40.0, "word": filled.word}))


async def _send_and_record(services: Services, filled: Filled, clock: Clock, payload: bytes) -> None:
    database = await services.store.tenant(filled.tenant)
    key = await database.fetchval("SELECT key FROM device WHERE id = $1", filled.device)
    clock.forward(1)
    pack = Pack(os.urandom(16), filled.tenant, 0, f"gateway-{filled.tenant}", [key], [clock()], ["readings"], [payload])
    sequence = (await services.log.append_raw(pack)).sequence
    await record(services.log, services, database, sequence, clock)


async def record(log: Log, services: Services, database: Database, sequence: int, clock: Clock) -> None:
    """Run a recorder until a tenant's partition is applied up to a sequence, and all of it is told."""
    task = asyncio.create_task(Recorder(log, services.store, range(1), clock=clock).run())
    try:
        for _ in range(MAX_POLLS):
            if not await database.fetchval(_IS_UNDER_WAY, sequence):
                return
            await asyncio.sleep(POLL_S)
        raise AssertionError(f"the recorder did not come to {sequence}")
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def tables_without(database: Database, *words: str) -> list[str]:
    """The tables of a tenant's schema in which no row says any of these words, as text or in bytes."""
    likes = [f"%{form}%" for word in words for form in (word, word.encode().hex())]
    found = []
    for row in await database.fetch(_TABLES):
        table = row["relname"]
        says = await database.fetchval(f"SELECT EXISTS (SELECT FROM {table} t WHERE t::text LIKE ANY ($1))", likes)
        if not says:
            found.append(table)
    return sorted(found)
