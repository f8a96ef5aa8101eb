"""What a backup consists of: one JSON file, written last. A backup without it is not one."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from broadstreet.backup.vault import Vault
from broadstreet.model.errors import CorruptData, NotFound, OperationNotSupported

FILE_NAME: Final = "manifest.json"
FORMAT: Final = 1
Kind = Literal["postgres", "stream", "files"]


class Part(msgspec.Struct, frozen=True):
    """One sealed file. bytes, sha256: of what is stored; source_bytes: of what was sealed. incarnation: RAW's."""

    name: str
    kind: Kind
    bytes: int
    sha256: str
    source_bytes: int
    incarnation: str = ""
    stream: msgspec.Raw = msgspec.Raw(b"null")
    """Of a stream: its configuration and state, as the log's server gave them."""


class Manifest(msgspec.Struct, frozen=True):
    """One backup. Times in microseconds since 1970."""

    format: int
    made_by: str
    began_us: int
    ended_us: int
    changes_at: int
    """Where the stream of changes stood before PostgreSQL was copied."""
    recipients: list[str]
    """Whose identities open it; empty: anyone can read it."""
    left_out: list[str]
    """What it does not cover, in words."""
    parts: list[Part]

    @property
    def bytes(self) -> int:
        """What it takes, in bytes."""
        return sum(part.bytes for part in self.parts)


def write_manifest(vault: Vault, manifest: Manifest) -> None:
    """Make a backup complete."""
    with vault.writer(FILE_NAME) as file:
        file.write(msgspec.json.format(msgspec.json.encode(manifest)))


def read_manifest(vault: Vault) -> Manifest:
    """A backup's manifest. Raises NotFound, CorruptData or OperationNotSupported."""
    try:
        with vault.reader(FILE_NAME) as file:
            manifest = msgspec.json.decode(file.read(), type=Manifest)
    except NotFound as missing:
        raise NotFound(
            "there is no complete backup here: it has no manifest",
            where=vault.place,
            remedy="Name the folder of one backup. One that was interrupted cannot be used; remove it.",
        ) from missing
    except msgspec.DecodeError as error:
        raise CorruptData(f"the backup's manifest cannot be read: {error}", where=vault.place) from error
    if manifest.format > FORMAT:
        raise OperationNotSupported(
            f"the backup has format {manifest.format}, and this Broadstreet reads up to {FORMAT}",
            where=vault.place,
            remedy=f"Restore it with Broadstreet {manifest.made_by} or newer.",
        )
    return manifest


def newest(vault: Vault) -> Vault:
    """The place of one backup: the place itself, or where it holds several, that of the newest complete one."""
    if vault.has(FILE_NAME):
        return vault
    names = complete(vault)
    if not names:
        raise NotFound("there is no complete backup here", where=vault.place, remedy="Name the place of one.")
    return vault.within(names[-1])


def complete(vault: Vault) -> list[str]:
    """The names of the complete backups in a place, oldest first."""
    return sorted(name for name in vault.folders() if vault.within(name).has(FILE_NAME))


def remove_beyond(vault: Vault, keep: int) -> list[str]:
    """Remove the oldest complete backups of a place but so many; where those were."""
    removed = [vault.within(name) for name in complete(vault)[:-keep]]
    for old in removed:
        old.remove()
    return [old.place for old in removed]
