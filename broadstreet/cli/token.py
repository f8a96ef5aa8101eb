"""`broadstreet token …`: the secrets that programs show to call as an account."""

from __future__ import annotations

from typing import Annotated, Final

import typer
from rich.table import Column, Table

from broadstreet.cli.account import BY, with_access
from broadstreet.cli.console import console
from broadstreet.cli.options import DataDir, SettingsFile

DAY_S: Final = 86_400

app = typer.Typer(help="API tokens: what a program shows to call as an account.", no_args_is_help=True)


@app.command()
def create(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="Whom it calls as.")],
    title: Annotated[str, typer.Option(help="What it is for, so that it can be told from others.")],
    days: Annotated[int, typer.Option(min=1, help="How long it holds.")] = 90,
    permission: Annotated[
        list[str] | None,
        typer.Option(help="Limit it to a permission; may be given several times."),
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option("--type", help="Limit it to reading entities of a type; may be given several times."),
    ] = None,
    dataset: Annotated[
        list[str] | None,
        typer.Option(help="Limit it to reading a dataset, by its id; may be given several times."),
    ] = None,
    data_dir: DataDir = None,
    settings: SettingsFile = None,
) -> None:
    """Make a token. It is shown this once, alone on the last line."""
    from broadstreet.access.policy import check_permissions
    from broadstreet.access.token import TokenScope

    limits = check_permissions(permission) if permission else None
    scope = TokenScope.checked(kind or None, dataset or None)
    issued = with_access(
        data_dir,
        settings,
        lambda access: access.tokens.issue(account, "api", title, days * DAY_S, by=BY, limits=limits, scope=scope),
    )
    console.print(issued.secret, soft_wrap=True)


@app.command("list")
def list_tokens(data_dir: DataDir = None, settings: SettingsFile = None) -> None:
    """The newest tokens, sessions and links, without their secrets."""
    from broadstreet.model.clock import format_rfc3339
    from broadstreet.model.terms import compact

    def day(at_us: int | None) -> str:
        return "" if at_us is None else format_rfc3339(at_us)[:10]

    identity = Column("id", no_wrap=True)
    table = Table(identity, "account", "kind", "title", "may", "sees", "made", "holds until", "revoked", box=None)
    for token in with_access(data_dir, settings, lambda access: access.tokens.list()):
        days = (day(token.created_at_us), day(token.expires_at_us), day(token.revoked_at_us))
        may = "all" if token.permissions is None else ", ".join(token.permissions)
        seen = (*map(compact, token.scope.types or ()), *(token.scope.datasets or ()))
        sees = ", ".join(seen) if token.scope.reach is not None else "all"
        table.add_row(token.id, token.account, token.kind, token.title, may, sees, *days)
    console.print(table)


@app.command()
def revoke(
    token: Annotated[str, typer.Argument(metavar="ID", help="The token's id, as the list shows it.")],
    data_dir: DataDir = None,
    settings: SettingsFile = None,
) -> None:
    """End a token. It is felt within a second."""
    with_access(data_dir, settings, lambda access: access.tokens.revoke(token, by=BY))
