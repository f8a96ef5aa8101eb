"""Which passwords are taken: the rules of NIST SP 800-63B-4, section 3.1.1.2.

Length is what counts: 15 characters for a password that may stand alone. Nothing is demanded of what they are; but what
a guesser tries first is refused: the commonest passwords, one pattern over and over, rows of a keyboard or an alphabet,
and little more than the account's own name or ours.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from itertools import pairwise
from typing import Final

from broadstreet.model.errors import InvalidInput

MIN_LENGTH: Final = 15
MAX_LENGTH: Final = 256
MIN_OWN_LENGTH: Final = 8
"""What must be left once names that anybody knows are taken out."""
MIN_WORD_LENGTH: Final = 4
"""A shorter word is no name to be taken out."""
MAX_PATTERN_LENGTH: Final = 7
MAX_IN_ORDER: Final = 0.7
"""The part of a password's steps that may go along an alphabet or a row of keys, or stay where they are."""
_OUR_WORDS: Final = ("broadstreet", "password", "passwort", "qwerty")
_ROWS: Final = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "1234567890")
_NEXT: Final = frozenset(pair for row in _ROWS for pair in (*pairwise(row), *pairwise(row[::-1])))
_WORD: Final = re.compile(r"\w+")


def normalized(password: str) -> str:
    """One form for what looks the same, on whatever keyboard it was typed."""
    return unicodedata.normalize("NFC", password)


def check_strength(password: str, *names: str) -> None:
    """Raise InvalidInput, saying why, for a password that would be guessed. names: of the account and its holder."""
    password = normalized(password)
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise _weak(f"a password has {MIN_LENGTH} to {MAX_LENGTH} characters")
    plain = password.casefold()
    if plain in _common():
        raise _weak("this is one of the commonest passwords")
    if any(_repeats(plain, length) for length in range(1, MAX_PATTERN_LENGTH + 1)):
        raise _weak("this password is one pattern over and over")
    in_order = sum((a, b) in _NEXT or abs(ord(a) - ord(b)) <= 1 for a, b in pairwise(plain))
    if in_order > MAX_IN_ORDER * (len(plain) - 1):
        raise _weak("this password goes along the keys or the alphabet")
    known = {word for text in (*_OUR_WORDS, *names) for word in _WORD.findall(text.casefold())}
    for word in sorted(known, key=len, reverse=True):
        if len(word) >= MIN_WORD_LENGTH:
            plain = plain.replace(word, "")
    if len("".join(_WORD.findall(plain))) < MIN_OWN_LENGTH:
        raise _weak("this password is little more than a name that others know")


def _repeats(text: str, length: int) -> bool:
    return (text[:length] * (len(text) // length + 1))[: len(text)] == text


@cache
def _common() -> frozenset[str]:
    # Loaded where a password is chosen, which is seldom: the lists take some megabytes.
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(FREQUENCY_LISTS["passwords"])


def _weak(why: str) -> InvalidInput:
    return InvalidInput(
        why, where="password", remedy="Four words that have nothing to do with each other are a good one."
    )
