"""JSON as bytes: read with what is wrong in it said, written as it came.

A document is bounded, since it is held whole: about ten times its size in memory. Where many networks are too
much for one, the standard has JSON Lines: a network on each line, read one by one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final, NoReturn

from broadstreet.model.errors import InvalidInput, NotFound, TooLarge
from broadstreet.network.ofds.fault import Faults, Kind, shown

MAX_DOCUMENT_BYTES: Final = 64 * 1024 * 1024
"""The most bytes of one JSON value: a whole file, or a line of JSON Lines."""

_SPLIT: Final = "Publish it as JSON Lines, a network on each line: a file of those may have any size."


def parse(raw: bytes, where: str, faults: Faults) -> Any:
    """The JSON value that bytes say. Raises InvalidInput; notes members that an object has twice."""

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(found)
        if len(value) < len(found):
            names = [name for name, _ in found]
            twice = next(name for n, name in enumerate(names) if name in names[:n])
            what = f"an object has the member {shown(twice)} twice; the last counts, the others are lost"
            faults.add(Kind.MEMBER_TWICE, where, what, "Give each member once.")
        return value

    try:
        text = raw.decode("utf-8-sig")
        return json.loads(text, object_pairs_hook=pairs, parse_float=_finite, parse_constant=_no_number)
    except UnicodeDecodeError as error:
        raise InvalidInput(
            "this is not UTF-8", where=f"{where}, byte {error.start}", remedy="Save it as UTF-8."
        ) from None
    except json.JSONDecodeError as error:
        place = f"{where}, line {error.lineno}, column {error.colno}"
        raise InvalidInput(
            f"this is not JSON: {error.msg}", where=place, remedy="Mend it there, or export it anew."
        ) from None
    except RecursionError:
        raise InvalidInput("this nests too deep", where=where, remedy="Make it flatter.") from None
    except ValueError as error:
        raise InvalidInput(f"a number cannot be read: {error}", where=where, remedy="Write it shorter.") from None


def dump(value: Any) -> bytes:
    """A JSON value as bytes, without a line break."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    try:
        return text.encode()
    except UnicodeEncodeError:  # half a surrogate pair, which JSON can say only by its number
        return json.dumps(value, allow_nan=False, separators=(",", ":")).encode()


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{shown(text)} is too large")
    return number


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of JSON")


class Lines:
    """A file's JSON values: one, if the file is a document; of JSON Lines each, the next when it is asked for."""

    def __init__(self, path: Path, faults: Faults) -> None:
        self._path = path
        self._faults = faults
        self.is_document = True
        """Whether it turned out to be one JSON value; known once the first is read."""

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """Each value, and where it stands: nothing for a document, else `line 7:`. Raises InvalidInput, TooLarge."""
        try:
            with self._path.open("rb") as file:
                yield from self._read(file)
        except FileNotFoundError:
            raise NotFound("there is no such file", where=str(self._path), remedy="Look at its name.") from None
        except OSError as error:
            what = f"it cannot be read: {error.strerror}"
            raise InvalidInput(what, where=str(self._path), remedy="Name a file that you may read.") from None

    def _read(self, file: IO[bytes]) -> Iterator[tuple[str, Any]]:
        first = self._line(file)
        second = self._line(file)
        while second and not second.strip():
            second = self._line(file)
        if not second:
            yield "", parse(first, str(self._path), self._faults)
            return
        if not _is_whole(first):
            rest = first + second + file.read(MAX_DOCUMENT_BYTES + 1 - len(first) - len(second))
            self._bound(rest)
            yield "", parse(rest, str(self._path), self._faults)
            return
        self.is_document = False
        number, line = 1, first
        yield "line 1:", parse(line, f"{self._path}, line 1", self._faults)
        number, line = 2, second
        while line:
            if line.strip():
                yield f"line {number}:", parse(line, f"{self._path}, line {number}", self._faults)
            number, line = number + 1, self._line(file)

    def _line(self, file: IO[bytes]) -> bytes:
        line = file.readline(MAX_DOCUMENT_BYTES + 1)
        self._bound(line)
        return line

    def _bound(self, raw: bytes) -> None:
        if len(raw) > MAX_DOCUMENT_BYTES:
            allowed = MAX_DOCUMENT_BYTES // (1024 * 1024)
            size = self._path.stat().st_size // (1024 * 1024)
            what = f"one JSON value of over {allowed} MB, in a file of {size} MB, is not read"
            raise TooLarge(what, where=str(self._path), remedy=_SPLIT)


def _is_whole(line: bytes) -> bool:
    """Whether a line is a JSON object by itself, and so the file one of lines."""
    stripped = line.strip()
    if not (stripped.startswith((b"{", b"\xef\xbb\xbf{")) and stripped.endswith(b"}")):
        return False
    try:
        return isinstance(json.loads(stripped.decode("utf-8-sig")), dict)
    except (ValueError, RecursionError):
        return False
