"""What msgspec says of a value that does not fit its type, in words for who gave the value."""

from __future__ import annotations

import re
from typing import Final

_NOUNS: Final = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "array": "a list",
    "object": "a table of names and values",
    "null": "nothing",
}
_BOUNDS: Final = {">=": "of {} or more", "<=": "of {} or less", ">": "over {}", "<": "under {}"}
_TYPE: Final = re.compile(
    r"Expected `(?P<types>[^`]+)`"
    r"(?: (?P<bound>>=|<=|>|<) (?P<edge>[-+.\de]+)| of length (?P<side>>=|<=) (?P<length>\d+))?"
    r"(?:, got `(?P<found>[^`]+)`)?"
)
_UNKNOWN: Final = re.compile(r"Object contains unknown field `([^`]+)`")
_MISSING: Final = re.compile(r"Object missing required field `([^`]+)`")


def misfit(said: str) -> tuple[str, str | None]:
    """What is wrong, and the place of it (`wish.budget_cents`), None where that is the whole. said: an error's text.

    What is not known here stays in msgspec's own words.
    """
    words, _, at = said.partition(" - at ")
    place = at.strip("`").removeprefix("$").removeprefix(".") or None
    if found := _UNKNOWN.fullmatch(words):
        return f"there is no field {found[1]!r}", place
    if found := _MISSING.fullmatch(words):
        return f"the field {found[1]!r} is missing", place
    if (type_ := _TYPE.fullmatch(words)) is None:
        return words, place
    nouns = [_NOUNS.get(name, name) for name in type_["types"].split(" | ")]
    wanted = " or ".join(noun for noun in nouns if noun != "nothing")
    if type_["bound"]:
        edge = float(type_["edge"])
        wanted += " " + _BOUNDS[type_["bound"]].format(f"{edge:,.15g}")
    elif type_["length"]:
        wanted += f" of {int(type_['length']):,} or {'more' if type_['side'] == '>=' else 'fewer'}"
    found_noun = f", not {_NOUNS.get(type_['found'], type_['found'])}" if type_["found"] else ""
    return f"{wanted} is expected{found_noun}", place
