"""What runs here now: one small file, written by the supervisor, read by the portal and by whoever looks after it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from broadstreet.engines.folder import DataFolder, write_private
from broadstreet.engines.keeper import Keeper

FILE_NAME = "roles.json"


class ProcessStatus(msgspec.Struct, frozen=True):
    """One process the supervisor keeps alive."""

    name: str
    """`postgres`, `nats-server`, `gateway`, `recorder` or `api`."""
    pid: int | None
    """None while it is being started again."""
    started_at_us: int
    """When it was started, in microseconds since 1970."""
    restarts: int
    """How often it has been started again since the house was."""


class HouseStatus(msgspec.Struct, frozen=True):
    """Everything the supervisor keeps alive, engines first."""

    supervisor_pid: int
    ready: bool
    """Whether every process runs and has said that it is ready."""
    engines: list[ProcessStatus]
    roles: list[ProcessStatus]


def status_of(keeper: Keeper) -> ProcessStatus:
    """A kept process's status."""
    return ProcessStatus(keeper.name, keeper.pid, keeper.started_at_us, keeper.restarts)


def write_status(folder: DataFolder, status: HouseStatus) -> None:
    """Leave the status for others."""
    write_private(folder.run / FILE_NAME, msgspec.json.encode(status))


def read_status(data_dir: Path) -> HouseStatus | None:
    """The status of the house in a data folder; None if none runs there."""
    folder = DataFolder(data_dir)
    if not folder.in_use():
        return None
    try:
        return msgspec.json.decode((folder.run / FILE_NAME).read_bytes(), type=HouseStatus)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
