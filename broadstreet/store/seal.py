"""Secrets that must be read again, such as what codes are made from, stand sealed in the database (AES-256-GCM).

The keys lie in a file of the house, one a line, the first in force: it seals, and each of them opens what it sealed.
What is sealed says by which key, and holds for one row alone: it is bound to words about it, so that a row put in
another's place does not open. A process reads the file again when it has changed, and so meets a new key by itself.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from broadstreet.engines import write_private
from broadstreet.model.errors import CorruptData, EngineFailed

KEY_BYTES: Final = 32
KEY_ID_BYTES: Final = 4
NONCE_BYTES: Final = 12
MAX_KEYS: Final = 100
CLOSED: Final = 0o700
_HEAD: Final = "# Broadstreet's keys, the newest first. With this file, the secrets in the database can be read.\n"


class Sealed(NamedTuple):
    """A secret as it is kept, and the id of the key that opens it."""

    value: bytes
    key_id: bytes


class Seal:
    """The keys of a house. path: their file; without one, nothing is sealed or opened here."""

    def __init__(self, path: Path | None = None, random_bytes: Callable[[int], bytes] = os.urandom) -> None:
        self.path = path
        self._random_bytes = random_bytes
        self._read_at: tuple[int, int] | None = None
        self._keys: dict[bytes, AESGCM] = {}

    @property
    def is_there(self) -> bool:
        """Whether there is a file of keys."""
        return self.path is not None and self.path.exists()

    @property
    def key_ids(self) -> tuple[bytes, ...]:
        """The ids of all keys, the one in force first. Raises EngineFailed where they cannot be read."""
        return tuple(self._now())

    def seal(self, secret: bytes, about: str) -> Sealed:
        """Seal a secret. about: which row it is for. Raises EngineFailed where the keys cannot be read."""
        key_id, key = next(iter(self._now().items()))
        nonce = self._random_bytes(NONCE_BYTES)
        return Sealed(nonce + key.encrypt(nonce, secret, about.encode()), key_id)

    def open(self, sealed: Sealed, about: str) -> bytes:
        """The secret. Raises EngineFailed without its key, CorruptData where it is not what was sealed for this row."""
        key = self._now().get(sealed.key_id)
        if key is None:
            raise EngineFailed(
                f"a secret is sealed by the key {sealed.key_id.hex()}, which is not here",
                where=str(self.path),
                remedy="Put that key's line back into the file, from a backup.",
            )
        nonce, told = sealed.value[:NONCE_BYTES], sealed.value[NONCE_BYTES:]
        try:
            return key.decrypt(nonce, told, about.encode())
        except (InvalidTag, ValueError):
            raise CorruptData("a sealed secret does not open: it was altered, or belongs to another row") from None

    def add_key(self, kept: frozenset[bytes] | None = None) -> bytes:
        """Put a new key in force; those before go on opening. Answers its id.

        kept: the ids of older keys that still seal something; of the others only the last in force stays.
        """
        assert self.path is not None, "only a process that was told of the file makes keys"
        before = self._lines() if self.path.exists() else []
        if kept is not None:
            before = [line for n, line in enumerate(before) if n == 0 or _id_of(line) in kept]
        made = self._random_bytes(KEY_BYTES)
        self.path.parent.mkdir(mode=CLOSED, parents=True, exist_ok=True)
        lines = [base64.b64encode(key).decode() for key in (made, *before)]
        write_private(self.path, (_HEAD + "\n".join(lines) + "\n").encode())
        return _id_of(made)

    def _now(self) -> dict[bytes, AESGCM]:
        if self.path is None:
            raise EngineFailed("this process was not told where the keys of the house are")
        try:
            stat = self.path.stat()
            if self._read_at != (stat.st_mtime_ns, stat.st_ino):
                self._keys = {_id_of(line): AESGCM(line) for line in self._lines()}
                self._read_at = stat.st_mtime_ns, stat.st_ino
        except OSError as error:
            raise EngineFailed(
                f"the keys of the house cannot be read: {error.strerror}",
                where=str(self.path),
                remedy="Put the file back from a backup; without it secrets in the database cannot be read.",
            ) from None
        return self._keys

    def _lines(self) -> list[bytes]:
        assert self.path is not None
        told = self.path.read_text(encoding="ascii", errors="replace").splitlines()
        try:
            keys = [base64.b64decode(line, validate=True) for line in told if line and not line.startswith("#")]
        except ValueError:
            keys = []
        if not 0 < len(keys) <= MAX_KEYS or any(len(key) != KEY_BYTES for key in keys):
            raise EngineFailed(
                "the keys of the house cannot be read: a line is no key", where=str(self.path), remedy="Restore it."
            )
        return keys


def _id_of(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()[:KEY_ID_BYTES]
