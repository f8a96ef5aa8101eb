"""pick and omit: lists of an entity's members, those of linked entities in braces (4.21 of the standard).

    list   = member *(("," / "|") member)
    member = name ["{" list "}"]

`id,isParked{name,owner{name}}` names id, isParked, the name of what isParked leads to, and the name of its owner.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NoReturn

from broadstreet.context.bounds import MAX_JOIN_LEVEL, MAX_NAMES
from broadstreet.model.errors import InvalidInput, TooMany

Members = Mapping[str, "Members"]
"""Names, each with the members of the linked entities that are named in its braces; with none it is meant whole."""

_SEPARATORS: Final = ",|"


def parse_members(texts: Iterable[str], where: str) -> Members:
    """One or more lists as one. A name that stands both plain and with braces is meant whole.

    Raises InvalidInput for what is no such list, or names members behind more links than MAX_JOIN_LEVEL; TooMany.
    """
    parser = _Parser(where)
    members: dict[str, Members] = {}
    for text in texts:
        parser.read(text, members)
    return members


def split_members(text: str, where: str) -> list[str]:
    """The members of a list as they were written, each with its braces. Raises InvalidInput, TooMany."""
    _Parser(where).read(text, {})
    parts, depth, begin = [], 0, 0
    for at, character in enumerate(text):
        depth += {"{": 1, "}": -1}.get(character, 0)
        if depth == 0 and character in _SEPARATORS:
            parts.append(text[begin:at].strip())
            begin = at + 1
    return [*parts, text[begin:].strip()]


def render_members(members: Members) -> str:
    """Members as a list. `parse_members([render_members(members)], …) == members`."""
    return ",".join(name + (f"{{{render_members(inner)}}}" if inner else "") for name, inner in members.items())


def links_deep(members: Members) -> int:
    """Behind how many links the farthest member stands: 0 where there are no braces."""
    return max((1 + links_deep(inner) for inner in members.values() if inner), default=0)


class _Parser:
    """Reads lists, and counts the names in all of them."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._names = 0

    def read(self, text: str, members: dict[str, Members]) -> None:
        """Add the members of a whole text."""
        at = self._list(text, 0, members, 0)
        if at < len(text):
            self._fail("a , or the end", text, at)

    def _list(self, text: str, at: int, members: dict[str, Members], depth: int) -> int:
        """Add the members of a list that begins here; where it ends."""
        if depth > MAX_JOIN_LEVEL:
            raise InvalidInput(f"{self._where} names members behind at most {MAX_JOIN_LEVEL} links", where=self._where)
        while True:
            begin = at
            while at < len(text) and text[at] not in ",|{}":
                at += 1
            name = text[begin:at].strip()
            if not name:
                self._fail("a name", text, at)
            self._names += 1
            if self._names > MAX_NAMES:
                raise TooMany(f"{self._where} holds at most {MAX_NAMES} names", where=self._where)
            inner: dict[str, Members] = {}
            if text[at : at + 1] == "{":
                at = self._list(text, at + 1, inner, depth + 1)
                if text[at : at + 1] != "}":
                    self._fail("a }", text, at)
                at += 1
                while text[at : at + 1] == " ":
                    at += 1
            members[name] = _both(members[name], inner) if name in members else inner
            if text[at : at + 1] not in (",", "|"):
                return at
            at += 1

    def _fail(self, expected: str, text: str, at: int) -> NoReturn:
        found = f"{text[at : at + 20]!r} stands at character {at + 1}" if at < len(text) else "it ends"
        raise InvalidInput(f"{expected} was expected in {self._where}, but {found}", where=self._where)


def _both(one: Members, other: Members) -> Members:
    """What two mentions of a name ask for together."""
    if not one or not other:
        return {}
    return {**one, **{name: _both(one[name], inner) if name in one else inner for name, inner in other.items()}}
