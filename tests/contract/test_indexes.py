"""No query that a page or an API runs reads a table that grows from end to end.

The whole application is walked over a populated tenant; every statement it sends is heard where it is sent, and
explained again by the role that sent it, with the parameters it had.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

import asyncpg
import msgspec
import pytest

from broadstreet.access import Access, ProviderSettings, Role
from broadstreet.access.identity import Identities
from broadstreet.access.second_factor import code_at, step_at
from broadstreet.access.site import Site
from broadstreet.apis import Services
from broadstreet.apis.guard import handlers_of
from broadstreet.model.errors import Conflict, NotSignedIn
from broadstreet.store import Store, database, load_queries
from broadstreet.store.database import Database, prepare_connection
from tests.asgi import ask
from tests.authenticator import Passkey
from tests.contract.canaries import Filled, fill
from tests.contract.conftest import Clock
from tests.contract.crowd import gather
from tests.contract.house import portal_of, whole_app
from tests.contract.walk import ENDLESS, POSTED, WRITES, targets

GROW_FOR_EVER: Final = frozenset(
    {"observation", "origin", "audit", "token", "sign_in_attempt", "account", "account_role", "device_login"}
    | {"passkey", "ceremony", "device_certificate"}
    | {"identity"}
)
"""Tables that grow with time or with people: no page may read one whole."""
GROW_WITH_THE_CITY: Final = frozenset(
    {"entity", "series", "attribute", "device", "place", "heard", "meta", "connection"}
)
"""Tables with a row for each thing of the city: a query that asks for one of them may not read them all."""
ASKS_FOR_ALL: Final = {
    "portal.things": "the map of the whole city",
    "portal.heard": "every device on the map",
    "portal.values": "every value on the map",
    "entity.next_candidates": "where half of the city stands: one after the other, until the page is full",
    "entity.types": "which types there are, with their numbers",
    "entity.attributes_of_types": "which attributes there are, with their numbers",
    "entity.types_of_attributes": "which types have an attribute, with their numbers",
    "account.list": "everybody who has a role in a tenant",
    "device.adopt_profile": "every device of a profile goes over to its new version",
    "dataset.list": "how many series each dataset has",
    "publication.classes": "every series that everyone would see",
}
"""Queries that ask for the whole city, and may read the tables of the city to their ends."""
NOUNS: Final = (
    *("account", "audit", "dataset", "device", "device_login", "entity", "entity_write", "evolution"),
    *("identity", "plan_case", "plan_project", "plan_scenario", "plan_siting", "portal"),
    *("ceremony", "device_certificate", "export", "job", "passkey", "second_factor", "tenant", "term", "token"),
    *("public_view", "publication", "saved_query", "subscription", "traces"),
)
"""Files of queries that pages and APIs run; each query in them is met by the walk, or stands in `NOT_WALKED`."""
HISTORY: Final = ("aggregate", "observation")
"""Files of which history/ chooses by what there is to be read: what it chose is looked at, not what it did not."""
RECORDER: Final = "the recorder's"
SUPERVISOR: Final = "asked at a start"
GATEWAY: Final = "asked where devices sign in, and of those that are connected"
SIMULATOR: Final = "asked when a replay borrows secrets"
NOT_WALKED: Final = {
    "device.enabled_profiles": "asked of a table of readings",
    "device.plans": RECORDER,
    "device.registry_version": RECORDER,
    "device.was_met": "one device by its id, when it comes for another secret",
    "entity.stamped": "as `found`, of which it asks less, once most of what is asked for is known",
    "entity.stamps": "as `entities`, likewise",
    "device_certificate.revoke": "one certificate by its fingerprint",
    "device_login.forget_loans": SIMULATOR,
    "device_login.give_back": SIMULATOR,
    "device_login.is_disabled": "one device by its name",
    "device_login.lend": SIMULATOR,
    "device_certificate.holder": GATEWAY,
    "device_login.ended": GATEWAY,
    **{f"job.{name}": "a worker's" for name in ("beat", "finish", "ids", "remove_old", "take")},
    **{f"job.{name}": "ends a job" for name in ("cancel", "remove")},
    **{
        f"plan_project.{name}": "of one project, by its key or id"
        for name in ("begin_look", "named", "put_source", "remove", "remove_source", "touch", "update")
    },
    **{
        f"plan_scenario.{name}": "of one scenario or project, by its key or id"
        for name in ("begin", "cancel", "insert", "named", "remove", "stop", "update")
    },
    **{f"plan_siting.{name}": "of one question or project, by its key" for name in ("insert", "named", "remove")},
    **{f"plan_siting.{name}": "of one question, by its key" for name in ("cancel", "stop")},
    **{f"plan_siting.{name}": "a worker's" for name in ("advance", "finish", "of_job")},
    **{f"plan_case.{name}": "of one scenario, by its key" for name in ("put", "remove")},
    **{f"plan_scenario.{name}": "a worker's" for name in ("advance", "finish", "of_job")},
    **{f"plan_project.{name}": "a worker's" for name in ("ids", "looked", "of_look")},
    "plan_project.places": "entities by their keys",
    "job.one": "ends a job",
    "plan_project.lock": "reads nothing",
    "portal.one_moment": "begins a transaction",
    "portal.unit": "one row by its key",
    "saved_query.lock": "reads nothing",
    **{f"saved_query.{name}": "asked in person, of one account" for name in ("count", "remove", "save")},
    "subscription.lock": "reads nothing",
    "tenant.names": SUPERVISOR,
}

ASKED_WHOLE: Final = frozenset({"account", "account_role"})
"""Tables that grow with people, of which a list of people may read the whole."""
PLANNED: Final = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b")
FILTER: Final = "true /* filter */"

Heard = dict[tuple[str, str], tuple[Any, ...]]
"""(schema, statement) to the parameters it was sent with last."""


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Heard:
    """Every statement that a `Database` sends from now on."""
    statements: Heard = {}

    async def listen(connection: database.Connection) -> None:
        await prepare_connection(connection)

        def note(record: Any) -> None:
            statements[record.conn_params.server_settings["search_path"], record.query] = record.args

        connection.add_query_logger(note)

    copy = asyncpg.Connection.copy_from_query

    async def heard_copy(connection: Any, query: str, *args: Any, **more: Any) -> str:
        statements[connection._params.server_settings["search_path"], query] = args
        return await copy(connection, query, *args, **more)

    monkeypatch.setattr(asyncpg.Connection, "copy_from_query", heard_copy)
    monkeypatch.setattr(database, "prepare_connection", listen)
    return statements


@asynccontextmanager
async def listening(dsn: str, services: Services, clock: Clock) -> AsyncIterator[Services]:
    """The same services over connections that are listened to."""
    async with await Store.connect(dsn, keys=services.store.control.seal.path) as store:
        access = Access(store.control, clock, guarded_roles=frozenset({"steward"}))
        yield Services(store, services.log, access, type(services.registry)(store), clock, data_path=services.data_path)


def sequential(plan: dict[str, Any]) -> Iterator[str]:
    """The tables that a plan reads from end to end."""
    if plan["Node Type"] == "Seq Scan":
        yield plan["Relation Name"]
    for inner in plan.get("Plans", ()):
        yield from sequential(inner)


@cache
def named() -> dict[str, str]:
    """Every query of the nouns, by its text."""
    return {sql: f"{noun}.{name}" for noun in (*NOUNS, *HISTORY) for name, sql in load_queries(noun).items()}


def name_of(statement: str) -> str:
    """A statement's name; one into which a filter was put is known by how it begins."""
    if name := named().get(statement):
        return name
    begun = (name for sql, name in named().items() if FILTER in sql and statement.startswith(sql.partition(FILTER)[0]))
    return next(begun, statement[:200])


async def explained(store: Store, schema: str, statement: str, args: tuple[Any, ...]) -> set[str]:
    """The growing tables that a statement reads whole, as its own role is shown."""
    found: Database = store.control if schema == "control" else await store.tenant(schema.removeprefix("tenant_"))
    shown = await found.fetchval(f"EXPLAIN (FORMAT JSON) {statement}", *args)
    (one,) = msgspec.json.decode(shown)
    return set(sequential(one["Plan"])) & (GROW_FOR_EVER | GROW_WITH_THE_CITY)


async def come_and_go(services: Services) -> None:
    """Sign in each way, and change what can be changed about people."""
    access, secret = services.access, "a long enough secret"
    await access.accounts.create("bo", "Bo", tenant="city", roles=["viewer"], by="test", password=secret)
    session = await access.sign_in.with_password("bo", secret, "192.0.2.1")
    await access.tokens.principal(session.secret, "session")
    await access.sign_in.sign_out(session.secret, by="bo")
    link = await access.sign_in.create_link("bo", by="test")
    await access.sign_in.with_link(link.rpartition("/")[2], "192.0.2.1")
    await access.tokens.issue("bo", "api", "script", 60, by="test")
    await access.tokens.revoke((await access.tokens.list("bo"))[0].id, by="test")
    factor = await access.second_factor.begin("bo")
    step = step_at(services.clock())
    codes = await access.second_factor.confirm("bo", code_at(factor, step))
    await access.second_factor.state("bo")
    pending = await access.sign_in.with_password("bo", secret, "192.0.2.1")
    await access.sign_in.with_code(pending.secret, codes[0], "192.0.2.1")
    await access.sign_in.remove_factor("bo", code_at(factor, step + 1), "192.0.2.1")
    await by_passkey(access, secret)
    await by_provider(services)
    await access.tokens.in_use("bo")
    await access.tokens.end_sessions("bo", by="test")
    await access.accounts.set_password("bo", None, by="test")
    await access.accounts.disable("bo", by="test")
    with suppress(NotSignedIn):
        await services.device_principal("crowd-1", "no secret of it")


async def by_passkey(access: Access, password: str) -> None:
    """Add a passkey, come in by it in both ways, see it doubted, name it, remove it."""
    site, passkey = Site("https://city.example", "city.example"), Passkey()
    session = await access.sign_in.with_password("bo", password, "192.0.2.1")
    await access.sign_in.require_recent(session.secret)
    ceremony, options = await access.passkeys.begin("bo", site, "House")
    await access.passkeys.add("bo", site, ceremony.secret, passkey.make(options), "Key")
    ceremony, options = await access.passkey_sign_in.begin(site)
    await access.passkey_sign_in.finish(ceremony.secret, passkey.answer(options), site, "192.0.2.1")
    pending = (await access.sign_in.with_password("bo", password, "192.0.2.1")).secret
    ceremony, options = await access.passkey_sign_in.begin_second(pending, site)
    passkey.count = 0
    with pytest.raises(NotSignedIn):
        answer = passkey.answer(options)
        await access.passkey_sign_in.finish_second(ceremony.secret, pending, answer, site, "192.0.2.1")
    await access.passkeys.owner(passkey.id)
    (entry,) = await access.passkeys.of_account("bo")
    await access.passkeys.rename("bo", entry.key, "Old key")
    await access.passkeys.remove("bo", entry.key)
    with suppress(Conflict):
        await access.second_factor.remove_all("bo", by="test")


async def by_provider(services: Services) -> None:
    """Come in as somebody whom the city's provider knows; link an account, and unlink it."""
    roles: dict[str, frozenset[tuple[str, Role]]] = {"fire": frozenset({("city", "viewer")})}
    settings = ProviderSettings("https://login.example", "us", roles=roles, makes_accounts=True)
    identities = Identities(services.store.control, services.clock, settings)
    for groups in (["fire"], []):
        async with services.store.control.transaction() as connection:
            await identities.enter(connection, {"sub": "7", "preferred_username": "ida", "groups": groups})
    await identities.link("bo", "8")
    await identities.linked_at_us("bo")
    await identities.unlink("bo")


async def walk(services: Services, data_dir: Path, filled: Filled) -> None:
    """Ask for everything, sign in and out, and write everything once."""
    headers = {"authorization": f"Bearer {filled.token}"}
    async with portal_of(services, data_dir) as portal:
        app = whole_app(services, portal)
        for path, handler in handlers_of(app):
            if "GET" in handler.http_methods and path not in ENDLESS:
                for target in targets(path, handler, filled):
                    await ask(app, "GET", target, headers=headers)
        for path, bodies in POSTED.items():
            for body in bodies:
                await ask(app, "POST", path, headers=headers, body=body)
        await ask(app, "POST", "/v1/readings", headers=headers, body={"device": filled.device, "no2": 41})
        for write in WRITES:
            more = {**headers, "content-type": write.kind} if write.body else headers
            await ask(app, write.route.split()[0], write.path, headers=more, body=write.body)
    await come_and_go(services)


async def test_no_page_reads_a_growing_table_to_its_end(
    services: Services, services_dsn: str, data_dir: Path, clock: Clock, heard: Heard
) -> None:
    async with portal_of(services, data_dir) as portal:
        filled = await fill(whole_app(services, portal), services, "city", "sparrow", clock)
    await gather(services_dsn, "city")
    heard.clear()
    async with listening(services_dsn, services, clock) as listened:
        await walk(listened, data_dir, filled)
        sent = {(schema, sql): args for (schema, sql), args in heard.items() if PLANNED.match(sql)}
        queries = {name: sql for sql, name in named().items()}
        wrong, met = [], set()
        for (schema, statement), args in sent.items():
            name = name_of(statement)
            met.add(name)
            whole = await explained(listened.store, schema, statement, args)
            if name in ASKS_FOR_ALL:
                whole &= GROW_FOR_EVER - ASKED_WHOLE
            if whole:
                wrong.append((name, sorted(whole)))
    assert wrong == []
    told = {name for name in queries if not name.startswith(HISTORY)}
    assert told - met - set(NOT_WALKED) == set(), "say in NOT_WALKED why the walk does not meet these"
