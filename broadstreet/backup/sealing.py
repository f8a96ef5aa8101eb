"""Sealing a part: compressed (Zstandard), then encrypted (age) if there are recipients, hashed as it is stored.

Encryption is to age's public keys (`age1…`) or to SSH's: the machine that makes backups cannot read them. Whoever
restores brings the identity. Both formats are open: `age -d` and `zstd -d` read a part without us.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, cast

import pyrage
import zstandard

from broadstreet.backup.vault import Vault, Writer
from broadstreet.model.errors import CorruptData, InvalidInput

LEVEL: Final = 1
"""A house under load has little time: the fastest level takes most of what there is to gain."""
BLOCK_BYTES: Final = 1024 * 1024
SUFFIX: Final = ".zst"
SEALED_SUFFIX: Final = ".zst.age"
Recipient = pyrage.x25519.Recipient | pyrage.ssh.Recipient
Identity = pyrage.x25519.Identity | pyrage.ssh.Identity


class Stored(NamedTuple):
    """What became of a part."""

    name: str
    bytes: int
    sha256: str
    source_bytes: int


class _Counted(io.BufferedIOBase):
    """Reads on, and counts."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.bytes = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = self._file.read(-1 if size is None else size)
        self.bytes += len(data)
        return data


class _Hashed(io.BufferedIOBase):
    """Writes or reads on, and hashes."""

    def __init__(self, file: Writer | BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self.bytes = 0

    def write(self, data: Any, /) -> int:
        self._note(data)
        self._file.write(data)
        return len(data)

    def read(self, size: int | None = -1, /) -> bytes:
        data = cast("BinaryIO", self._file).read(-1 if size is None else size)
        self._note(data)
        return data

    def hex(self) -> str:
        return self._digest.hexdigest()

    def _note(self, data: bytes) -> None:
        self._digest.update(data)
        self.bytes += len(data)


class Sealing:
    """How the parts of one backup are sealed, or opened."""

    def __init__(self, recipients: Sequence[str] = (), identities: Sequence[Identity] = ()) -> None:
        """Raises InvalidInput for a recipient that is none."""
        self.recipients = list(recipients)
        self._recipients = [_recipient(text) for text in recipients]
        self._identities = list(identities)

    @classmethod
    def of_identity(cls, file: Path | None) -> Sealing:
        """The sealing that opens what was sealed for the identities in a file. Raises InvalidInput."""
        return cls(identities=[] if file is None else list(_identities(file)))

    @property
    def can_open(self) -> bool:
        """Whether there is an identity to open an encrypted part with."""
        return bool(self._identities)

    def seal(self, source: BinaryIO, vault: Vault, name: str) -> Stored:
        """Store all that the source gives."""
        name += SEALED_SUFFIX if self._recipients else SUFFIX
        counted = _Counted(source)
        compressor = zstandard.ZstdCompressor(LEVEL, write_checksum=True)
        with vault.writer(name) as file:
            hashed = _Hashed(file)
            compressed = compressor.stream_reader(cast("BinaryIO", counted), read_size=BLOCK_BYTES)
            if self._recipients:
                pyrage.encrypt_io(_file(compressed), hashed, self._recipients)
            else:
                while block := compressed.read(BLOCK_BYTES):
                    hashed.write(block)
        return Stored(name, hashed.bytes, hashed.hex(), counted.bytes)

    def open_into(self, vault: Vault, name: str, sink: Writer, sha256: str) -> None:
        """Write what a part holds into a sink; a sink of an encrypted part needs the identity. Raises CorruptData."""
        with vault.reader(name) as file:
            hashed = _Hashed(file)
            decompressor = zstandard.ZstdDecompressor().decompressobj()
            try:
                if name.endswith(SEALED_SUFFIX):
                    pyrage.decrypt_io(hashed, _Inflated(decompressor, sink), self._identities)
                else:
                    while block := hashed.read(BLOCK_BYTES):
                        sink.write(decompressor.decompress(block))
            except (zstandard.ZstdError, pyrage.DecryptError) as error:
                raise CorruptData(
                    f"the part {name} cannot be opened: {error}",
                    where=vault.place,
                    remedy="Check the identity; if it is the right one, the part has been changed: use another backup.",
                ) from error
            while hashed.read(BLOCK_BYTES):
                pass
        check_hash(vault, name, hashed.hex(), sha256)


def _file(behaves: object) -> io.BufferedIOBase:
    """What reads or writes as a file, as the library's types ask for it."""
    return cast("io.BufferedIOBase", behaves)


class _Inflated(io.BufferedIOBase):
    """Decompresses what is written, on into a sink."""

    def __init__(self, decompressor: zstandard.ZstdDecompressionObj, sink: Writer) -> None:
        self._decompressor = decompressor
        self._sink = sink

    def write(self, data: Any, /) -> int:
        self._sink.write(self._decompressor.decompress(data))
        return len(data)


def check_hash(vault: Vault, name: str, found: str, sha256: str) -> None:
    """Raise CorruptData unless a part is as it was stored."""
    if found != sha256:
        raise CorruptData(
            f"the part {name} is not what was stored",
            where=vault.place,
            remedy="Use another backup: this one has been changed or damaged.",
        )


def hash_of(vault: Vault, name: str) -> str:
    """The hash of a part as it is stored."""
    with vault.reader(name) as file:
        hashed = _Hashed(file)
        while hashed.read(BLOCK_BYTES):
            pass
    return hashed.hex()


def new_identity() -> tuple[str, str]:
    """A new (identity, recipient), as age writes them."""
    identity = pyrage.x25519.Identity.generate()
    return str(identity), str(identity.to_public())


def _recipient(text: str) -> Recipient:
    try:
        return (
            pyrage.ssh.Recipient.from_str(text) if text.startswith("ssh-") else pyrage.x25519.Recipient.from_str(text)
        )
    except pyrage.RecipientError as error:
        raise InvalidInput(
            f"this is no public key that a backup can be encrypted to: {error}",
            where=text[:100],
            remedy="Give one that begins with age1 or ssh-ed25519; `broadstreet backup key` makes a pair.",
        ) from error


def _identities(file: Path) -> Iterator[Identity]:
    try:
        text = file.read_text(encoding="utf-8")
        if "PRIVATE KEY-----" in text:
            yield pyrage.ssh.Identity.from_buffer(text.encode())
            return
        for line in text.splitlines():
            if line.startswith("AGE-SECRET-KEY-"):
                yield pyrage.x25519.Identity.from_str(line.strip())
    except (OSError, UnicodeDecodeError, pyrage.IdentityError) as error:
        raise InvalidInput(f"the identity cannot be read: {error}", where=str(file)) from error
