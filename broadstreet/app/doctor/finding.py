"""What a check says."""

from __future__ import annotations

from typing import Literal

import msgspec

State = Literal["ok", "warn", "wrong"]


class Finding(msgspec.Struct, frozen=True):
    """One finding. about: what was looked at; words: how it is; remedy: what to do, empty where all is well."""

    about: str
    state: State
    words: str
    remedy: str = ""


def ok(about: str, words: str) -> Finding:
    """All is well."""
    return Finding(about, "ok", words)


def warn(about: str, words: str, remedy: str) -> Finding:
    """It works, and somebody should look after it."""
    return Finding(about, "warn", words, remedy)


def wrong(about: str, words: str, remedy: str) -> Finding:
    """It does not work, or something can be lost."""
    return Finding(about, "wrong", words, remedy)


def graded(about: str, words: str, remedy: str, *, is_wrong: bool, is_odd: bool) -> Finding:
    """Wrong, odd or well, by two thresholds."""
    if is_wrong:
        return wrong(about, words, remedy)
    return warn(about, words, remedy) if is_odd else ok(about, words)
