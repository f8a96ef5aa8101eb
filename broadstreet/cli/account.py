"""`broadstreet account …`: who may come in. For whoever runs the house; what is done is audited as done here."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

import typer
from rich.table import Table

from broadstreet.cli.console import console
from broadstreet.cli.options import DataDir, SettingsFile, house_settings
from broadstreet.cli.reaching import in_store
from broadstreet.model.identifiers import DEFAULT_TENANT

if TYPE_CHECKING:
    from broadstreet.access import Access

T = TypeVar("T")

BY: Final = "command line"
"""What the audit calls whoever works on the data folder itself."""

app = typer.Typer(help="Who may come in: people and programs, their roles, their one-time links.", no_args_is_help=True)


Name = Annotated[str, typer.Argument(metavar="NAME", help="The account's name.")]
Role = Annotated[str, typer.Argument(metavar="ROLE", help="administrator, engineer, dispatcher, analyst, …")]
Tenant = Annotated[str, typer.Option("--tenant", help="Where the role is held.")]


def with_access(data_dir: Path | None, settings: Path | None, work: Callable[[Access], Coroutine[Any, Any, T]]) -> T:
    """What a piece of work at the door of a data folder answers, whether its house runs or not."""
    return in_store(data_dir, settings, lambda _, access: work(access))


@app.command()
def new(
    name: Name,
    title: Annotated[str, typer.Option(help="The name that people read.")],
    role: Annotated[list[str], typer.Option("--role", help="A role it holds; may be given several times.")],
    tenant: Tenant = DEFAULT_TENANT,
    password: Annotated[bool, typer.Option("--password", help="Ask for a password; else it has none.")] = False,
    data_dir: DataDir = None,
    settings: SettingsFile = None,
) -> None:
    """Make an account. Without a password it comes in by one-time link or token alone."""
    secret = ask_password() if password else None
    with_access(
        data_dir,
        settings,
        lambda access: access.accounts.create(name, title, tenant=tenant, roles=role, by=BY, password=secret),
    )
    console.print(f"{name} may come in as {', '.join(role)}.")


@app.command()
def link(name: Name, data_dir: DataDir = None, settings: SettingsFile = None) -> None:
    """An address that signs one browser in as this account, once, within 15 minutes."""
    from broadstreet.app.edges import running_edges

    path = with_access(data_dir, settings, lambda access: access.sign_in.create_link(name, by=BY))
    console.print(running_edges(house_settings(data_dir, settings)).portal_url + path, soft_wrap=True)


@app.command("list")
def list_accounts(data_dir: DataDir = None, settings: SettingsFile = None) -> None:
    """All accounts, with the roles they hold."""
    table = Table("name", "title", "roles", "password", "may come in", box=None)
    for account in with_access(data_dir, settings, lambda access: access.accounts.list()):
        roles = ", ".join(f"{role} in {tenant}" for tenant, role in account.roles)
        may_come_in = "yes" if account.disabled_at_us is None else "no"
        table.add_row(account.name, account.title, roles, "yes" if account.has_password else "no", may_come_in)
    console.print(table)


@app.command()
def password(name: Name, data_dir: DataDir = None, settings: SettingsFile = None) -> None:
    """Give an account a new password, which is asked for. Its sessions and links end."""
    secret = ask_password()
    with_access(data_dir, settings, lambda access: access.accounts.set_password(name, secret, by=BY))


@app.command("remove-factor")
def remove_factor(name: Name, data_dir: DataDir = None, settings: SettingsFile = None) -> None:
    """Ask an account for no second factor any more: for whoever has lost it, and the recovery codes too."""
    with_access(data_dir, settings, lambda access: access.second_factor.remove_all(name, by=BY))


@app.command()
def grant(
    name: Name, role: Role, tenant: Tenant = DEFAULT_TENANT, data_dir: DataDir = None, settings: SettingsFile = None
) -> None:
    """Give an account a role more."""
    with_access(data_dir, settings, lambda access: access.accounts.grant(name, role, tenant=tenant, by=BY))


@app.command()
def withdraw(
    name: Name, role: Role, tenant: Tenant = DEFAULT_TENANT, data_dir: DataDir = None, settings: SettingsFile = None
) -> None:
    """Take a role from an account."""
    with_access(data_dir, settings, lambda access: access.accounts.withdraw(name, role, tenant=tenant, by=BY))


@app.command()
def disable(name: Name, data_dir: DataDir = None, settings: SettingsFile = None) -> None:
    """Shut an account out: none of its credentials holds any more."""
    with_access(data_dir, settings, lambda access: access.accounts.disable(name, by=BY))


@app.command()
def enable(name: Name, data_dir: DataDir = None, settings: SettingsFile = None) -> None:
    """Let an account in again."""
    with_access(data_dir, settings, lambda access: access.accounts.enable(name, by=BY))


def ask_password() -> str:
    """A password, typed twice and never shown."""
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
