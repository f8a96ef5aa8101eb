"""The file itself: what it is, whether it is whole, and which it is, found out before anything is imported.

One pass reads all of it: the SHA-256 that tells it from every other file, and for text whether it unpacks, decodes and
has lines of sensible length. A file that fails is refused as a whole, with the place where it failed.
"""

from __future__ import annotations

import codecs
import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

from broadstreet.model.errors import InvalidInput, NotFound, TooLarge

PIECE_BYTES: Final = 1 << 20
MAX_LINE_CHARACTERS: Final = 8 << 20
"""A line longer than this is no row of a table."""

_GZIP, _PARQUET = b"\x1f\x8b", b"PAR1"
_OTHER: Final = {
    b"PK\x03\x04": "a ZIP archive (or a spreadsheet)",
    b"%PDF": "a PDF",
    b"\xd0\xcf\x11\xe0": "a spreadsheet",
}


class Format(StrEnum):
    """What a file holds, by its first bytes."""

    CSV = "csv"
    CSV_GZ = "csv.gz"
    PARQUET = "parquet"


class Source(msgspec.Struct, frozen=True):
    """A file that can be read. lines: how many, the header among them; 0 for Parquet."""

    path: Path
    format: Format
    sha256: bytes
    lines: int


def inspect(path: Path, encoding: str) -> Source:
    """Look a file through. Raises NotFound, InvalidInput or TooLarge, saying where it is broken and what to do."""
    where = str(path)
    try:
        with path.open("rb") as file:
            form = _format(file.read(4), where)
            file.seek(0)
            sha256 = hashlib.file_digest(file, "sha256").digest()
        lines = 0 if form is Format.PARQUET else _check_text(path, form, encoding)
    except FileNotFoundError:
        raise NotFound("there is no such file", where=where, remedy="Check the path.") from None
    except OSError as error:
        raise InvalidInput(f"the file cannot be read: {error.strerror or error}", where=where) from None
    return Source(path, form, sha256, lines)


def read_text(path: Path) -> str:
    """A small text file, such as a mapping. Raises NotFound or InvalidInput."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotFound("there is no such file", where=str(path), remedy="Check the path.") from None
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"the file is not UTF-8: {error.reason}", where=str(path), remedy="Save it as UTF-8."
        ) from None
    except OSError as error:
        raise InvalidInput(f"the file cannot be read: {error.strerror or error}", where=str(path)) from None


def open_bytes(path: Path, form: Format) -> gzip.GzipFile | io.BufferedReader:
    """The file's bytes, unpacked."""
    return gzip.open(path, "rb") if form is Format.CSV_GZ else path.open("rb")


def _format(first: bytes, where: str) -> Format:
    if not first:
        raise InvalidInput("the file is empty", where=where, remedy="Fetch it again.")
    for magic, name in _OTHER.items():
        if first.startswith(magic):
            raise InvalidInput(f"the file is {name}", where=where, remedy="Give a CSV (also .gz) or Parquet file.")
    if first.startswith(_PARQUET):
        return Format.PARQUET
    return Format.CSV_GZ if first.startswith(_GZIP) else Format.CSV


def _pieces(path: Path, form: Format, where: str) -> Iterator[bytes]:
    with open_bytes(path, form) as file:
        try:
            while piece := file.read(PIECE_BYTES):
                yield piece
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise InvalidInput(
                f"the compressed file is damaged or cut short: {error}", where=where, remedy="Fetch it again."
            ) from None


def _check_text(path: Path, form: Format, encoding: str) -> int:
    """How many lines the text has."""
    where = str(path)
    decoder = codecs.getincrementaldecoder(encoding)()
    lines, since_newline, ends_in_newline = 0, 0, True
    for piece in _pieces(path, form, where):
        text = _decode(decoder, piece, lines, encoding, where, final=False)
        if "\x00" in text:
            raise InvalidInput(
                "the file is not a text: it holds bytes of zero",
                where=f"{where}, line {lines + text[: text.index(chr(0))].count(chr(10)) + 1}",
                remedy="Give a CSV or Parquet file, or mend file.encoding.",
            )
        if not text:
            continue
        newlines = text.count("\n")
        lines += newlines
        ends_in_newline = text.endswith("\n")
        since_newline = len(text) - text.rindex("\n") if newlines else since_newline + len(text)
        if since_newline > MAX_LINE_CHARACTERS:
            raise TooLarge(
                f"a line is longer than {MAX_LINE_CHARACTERS} characters",
                where=f"{where}, line {lines + 1}",
                remedy="Give a table with a row a line.",
            )
    _decode(decoder, b"", lines, encoding, where, final=True)
    return lines + (not ends_in_newline)


def _decode(
    decoder: codecs.IncrementalDecoder, piece: bytes, lines: int, encoding: str, where: str, *, final: bool
) -> str:
    try:
        return decoder.decode(piece, final)
    except UnicodeDecodeError as error:
        line = lines + piece[: error.start].count(b"\n") + 1
        raise InvalidInput(
            f"the file is not {encoding}: {error.reason}",
            where=f"{where}, about line {line}",
            remedy="Say its encoding in file.encoding, such as cp1252 or latin-1.",
        ) from None
