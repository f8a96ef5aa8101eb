"""`broadstreet backup …` and `broadstreet restore`: everything a house keeps, taken while it runs, and put back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from broadstreet.app.settings import FILE_NAME, FILE_VARIABLE, Settings
from broadstreet.cli.console import console
from broadstreet.cli.options import DataDir, SettingsFile, house_settings, wait_for

if TYPE_CHECKING:
    from broadstreet.backup import Manifest, Part
    from broadstreet.backup.sealing import Stored

MB = 1_000_000


class MakeByDefault(TyperGroup):
    """`backup PLACE` is `backup make PLACE`."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """What is no command is the first argument of `make`. Any: the library names its own click nowhere."""
        return super().resolve_command(ctx, args if args[0] in self.commands else ["make", *args])


app = typer.Typer(
    cls=MakeByDefault, help="Back up a house while it runs, check backups, make keys for them.", no_args_is_help=True
)


Place = Annotated[str, typer.Argument(metavar="PLACE", help="A folder, or s3://bucket/path.")]
Identity = Annotated[
    Path | None, typer.Option("--identity", help="The file with the secret key that an encrypted backup opens with.")
]


@app.command()
def make(
    place: Place,
    encrypt: Annotated[
        list[str] | None,
        typer.Option("--encrypt", metavar="KEY", help="A public key, age1… or ssh-ed25519 …; may be repeated."),
    ] = None,
    keep: Annotated[int | None, typer.Option(min=1, help="Remove the oldest backups there beyond so many.")] = None,
    data_dir: DataDir = None,
    settings: SettingsFile = None,
) -> None:
    """Make a backup in a folder of its own there, while the house runs or not."""
    chosen = house_settings(data_dir, settings)
    manifest = wait_for(take_backup(chosen, place, encrypt or [], keep))
    seconds = (manifest.ended_us - manifest.began_us) / 1_000_000
    sealed = "encrypted" if manifest.recipients else "not encrypted: it holds secrets, so keep it closed"
    console.print(f"Backed up in {seconds:.1f} s: {manifest.bytes / MB:,.1f} MB, {sealed}.")
    for words in manifest.left_out:
        console.print(f"Not in it: {words}.")


@app.command()
def verify(place: Place, identity: Identity = None) -> None:
    """Read a backup through, the newest where there are several: every part by its hash, and all that is within."""
    from broadstreet.backup import Sealing, open_vault
    from broadstreet.backup import verify as verify_all
    from broadstreet.backup.manifest import newest

    vault = newest(open_vault(place))
    manifest = wait_for(verify_all(vault, Sealing.of_identity(identity), tell_read))
    console.print(
        f"{vault.place} is whole: {len(manifest.parts)} parts, {manifest.bytes / MB:,.1f} MB.", soft_wrap=True
    )
    if manifest.recipients and identity is None:
        console.print("It is encrypted; with --identity what is within is checked too.")


@app.command()
def key(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the secret key goes; keep it off this machine.")],
) -> None:
    """Make a pair of keys: the secret one into a new file, the public one, for --encrypt, on the terminal."""
    from broadstreet.backup import new_identity
    from broadstreet.model.errors import Conflict

    identity, recipient = new_identity()
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise Conflict("this file is there already, and nothing is overwritten", where=str(file)) from error
    with os.fdopen(descriptor, "w", encoding="ascii") as out:
        out.write(f"# public key: {recipient}\n{identity}\n")
    console.print(recipient, soft_wrap=True)


def restore(
    place: Place,
    identity: Identity = None,
    data_dir: DataDir = None,
    settings: SettingsFile = None,
) -> None:
    """Make a data folder of a backup, the newest where there are several. Nothing is ever overwritten."""
    from broadstreet.backup import Sealing, open_vault, put_back
    from broadstreet.backup.manifest import newest

    chosen = house_settings(data_dir, settings)
    vault = newest(open_vault(place))
    manifest = wait_for(
        put_back(
            vault,
            Sealing.of_identity(identity),
            chosen.data_path,
            postgres_url=chosen.engines.postgres_url or None,
            nats_url=chosen.engines.nats_url or None,
            tell=tell_read,
        )
    )
    console.print(f"{chosen.data_path} is as {vault.place} had it. Start it with `broadstreet up`.", soft_wrap=True)
    for words in manifest.left_out:
        console.print(f"Not in it: {words}.")


async def take_backup(settings: Settings, place: str, recipients: list[str], keep: int | None) -> Manifest:
    """Take a backup; then remove what is too many."""
    from broadstreet.app.clock import now_us
    from broadstreet.app.reach import reach_engines
    from broadstreet.backup import House, Sealing, open_vault, take
    from broadstreet.backup.manifest import remove_beyond
    from broadstreet.backup.taking import name_of

    sealing, vault = Sealing(recipients), open_vault(place)
    async with reach_engines(settings) as addresses:
        house = House(settings.data_path, addresses, not settings.engines.postgres_url, settings_file())
        manifest = await take(house, vault.within(name_of(now_us())), sealing, now_us, tell_stored)
    for removed in remove_beyond(vault, keep) if keep else ():
        console.print(f"Removed {removed}.", soft_wrap=True)
    return manifest


def settings_file() -> Path | None:
    """The settings file in force, if there is one."""
    file = Path(os.environ.get(FILE_VARIABLE) or FILE_NAME)
    return file if file.is_file() else None


def tell_stored(kind: str, stored: Stored) -> None:
    """One line for a part that is stored."""
    size = f"{stored.source_bytes / MB:,.1f} MB, {stored.bytes / MB:,.1f} MB stored"
    console.print(f"  {stored.name:<28} {size}", soft_wrap=True)


def tell_read(part: Part, words: str) -> None:
    """One line for a part that holds."""
    console.print(f"  {part.name:<28} {words}", soft_wrap=True)
