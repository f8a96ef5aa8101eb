"""Where the engines are: what every other process of the house needs to reach them."""

from __future__ import annotations

from pathlib import Path

import msgspec

from broadstreet.engines.folder import DataFolder, write_private
from broadstreet.model.errors import EngineFailed

FILE_NAME = "engines.json"


class EngineAddresses(msgspec.Struct, frozen=True):
    """Both engines' addresses, secrets included."""

    postgres_dsn: str
    """A DSN of the owner: it may create schemas and roles."""
    nats_url: str
    """A URL with user and password."""


def write_addresses(folder: DataFolder, addresses: EngineAddresses) -> None:
    """Leave the addresses for the other processes, readable by us alone."""
    write_private(folder.run / FILE_NAME, msgspec.json.encode(addresses))


def last_addresses(folder: DataFolder) -> EngineAddresses | None:
    """The addresses of this life or the last, if there was one."""
    try:
        return msgspec.json.decode((folder.run / FILE_NAME).read_bytes(), type=EngineAddresses)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def read_addresses(data_dir: Path) -> EngineAddresses:
    """The addresses of the engines that run in `data_dir`. Raises EngineFailed if none do."""
    folder = DataFolder(data_dir)
    addresses = last_addresses(folder)
    if addresses is None or not folder.in_use():
        raise EngineFailed(
            "no Broadstreet runs in this data folder",
            where=str(folder.path),
            remedy="Start it with `broadstreet up`, or name the right folder with --data-dir.",
        )
    return addresses
