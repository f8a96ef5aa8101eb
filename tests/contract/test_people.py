"""`broadstreet account …` and `broadstreet token …` on real engines: what they say, and what they change."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from anyio import to_thread
from typer.testing import CliRunner

from broadstreet.access import Access
from broadstreet.cli.entry import app
from broadstreet.model.errors import BroadstreetError, NotFound
from broadstreet.store import Store

PASSWORD_TWICE = "seven grey herons asleep\n" * 2


class Ran:
    """A command that has run: what it said, and the error it ended with."""

    def __init__(self, said: str, error: BaseException | None) -> None:
        self.said = said
        self.error = error


@pytest.fixture
def environment(postgres_dsn: str, nats_url: str, data_dir: Path) -> dict[str, str]:
    """A house on engines of its own city: those of the tests."""
    return {
        "BROADSTREET_DATA_DIR": str(data_dir),
        "BROADSTREET_ENGINES_POSTGRES_URL": postgres_dsn,
        "BROADSTREET_ENGINES_NATS_URL": nats_url,
    }


async def run(environment: dict[str, str], *arguments: str, typed: str = "") -> Ran:
    """Run the command line in a thread of its own, as it brings its own event loop."""
    result = await to_thread.run_sync(lambda: CliRunner(env=environment).invoke(app, list(arguments), input=typed))
    error = result.exception if isinstance(result.exception, BroadstreetError) else None
    assert error is not None or result.exit_code == 0, result.output
    return Ran(result.output, error)


async def test_an_account_comes_in_as_it_was_made(environment: dict[str, str], postgres_dsn: str) -> None:
    made = await run(environment, "account", "new", "anna", "--title", "Anna", "--role", "analyst")
    assert made.said == "anna may come in as analyst.\n"
    token = (await run(environment, "token", "create", "anna", "--title", "notebook")).said.split()[-1]
    link = (await run(environment, "account", "link", "anna")).said.strip()
    async with await Store.connect(postgres_dsn) as store:
        access = Access(store.control, lambda: 0)
        principal = await access.tokens.principal(token, "api")
        assert (principal.name, principal.tenant, principal.roles) == ("anna", "city", frozenset({"analyst"}))
        assert re.fullmatch(r"http://127\.0\.0\.1:8080/portal/link/bst_\S+", link)
        session = await access.sign_in.with_link(link.rpartition("/")[2], "127.0.0.1")
        assert session.account == "anna"


async def test_what_is_changed_is_seen_in_the_lists(environment: dict[str, str]) -> None:
    await run(
        environment,
        "account",
        "new",
        "bo",
        "--title",
        "Bo",
        "--role",
        "viewer",
        "--password",
        typed=PASSWORD_TWICE,
    )
    await run(environment, "account", "grant", "bo", "steward")
    await run(environment, "account", "withdraw", "bo", "viewer")
    await run(environment, "account", "disable", "bo")
    assert re.search(r"bo +Bo +steward in city +yes +no", (await run(environment, "account", "list")).said)
    await run(environment, "account", "enable", "bo")
    await run(environment, "account", "password", "bo", typed=PASSWORD_TWICE)
    assert re.search(r"bo +Bo +steward in city +yes +yes", (await run(environment, "account", "list")).said)


async def test_a_revoked_token_is_marked(environment: dict[str, str]) -> None:
    await run(environment, "account", "new", "cy", "--title", "Cy", "--role", "viewer")
    await run(environment, "token", "create", "cy", "--title", "script", "--days", "1")
    await run(environment, "token", "create", "cy", "--title", "narrow", "--permission", "entity:read")
    listed = (await run(environment, "token", "list")).said
    assert re.search(r"script +all +", listed) and re.search(r"narrow +entity:read +", listed)
    (identity,) = re.findall(r"^ *(\w+) +cy +api +script", listed, re.MULTILINE)
    await run(environment, "token", "revoke", identity)
    assert re.search(r"script +all +\S+ +\S+ +\d{4}-\d\d-\d\d", (await run(environment, "token", "list")).said)


async def test_a_link_for_nobody_is_refused(environment: dict[str, str]) -> None:
    assert isinstance((await run(environment, "account", "link", "nobody")).error, NotFound)
