"""What a device proves itself with: its id and its secret, in a file that its owner alone may read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import msgspec

from broadstreet.model.errors import InvalidInput, NotFound
from broadstreet.model.identifiers import check_device

FILE: Final = "credential.json"


class Credential(msgspec.Struct, frozen=True):
    """As the house gave it."""

    id: str
    secret: str


def write_credential(folder: Path, credential: Credential) -> None:
    """Keep it in a device's folder, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = folder / f"{FILE}.unfinished"
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(msgspec.json.encode(credential))
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(folder / FILE)


def read_credential(folder: Path) -> Credential:
    """The credential in a device's folder. Raises NotFound, InvalidInput."""
    path = folder / FILE
    try:
        credential = msgspec.json.decode(path.read_bytes(), type=Credential)
    except FileNotFoundError:
        raise NotFound("this device has no credential yet", where=str(path)) from None
    except (OSError, msgspec.DecodeError) as error:
        raise InvalidInput(f"the credential cannot be read: {error}", where=str(path)) from None
    check_device(credential.id)
    return credential
