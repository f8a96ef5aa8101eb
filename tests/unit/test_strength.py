"""Which passwords are taken, and why not."""

from __future__ import annotations

import pytest

from broadstreet.access.strength import MAX_LENGTH, MIN_LENGTH, check_strength, normalized
from broadstreet.model.errors import InvalidInput


@pytest.mark.parametrize(
    "password",
    [
        "seven grey herons asleep",
        "correct horse battery staple",
        "zqjv-wmxt-plkr-hgdf",
        "ein Pumpenschwengel, fort",
        "жёлтая осень идёт",
    ],
)
def test_what_nobody_guesses_is_taken(password: str) -> None:
    check_strength(password, "snow", "John Snow")


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("herons asleep", "characters"),
        ("x" * (MAX_LENGTH + 1), "characters"),
        ("1qaz2wsx3edc4rfv", "commonest"),
        ("Q1W2E3R4T5Y6U7I8", "commonest"),
        ("a" * MIN_LENGTH, "over and over"),
        ("heronheronheron", "over and over"),
        ("abcdefghijklmnop", "along"),
        ("poiuytrewq123456", "along"),
        ("broadstreet-snow-1", "name"),
        ("John.Snow.2026!!", "name"),
    ],
)
def test_what_is_guessed_first_is_refused(password: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        check_strength(password, "snow", "John Snow")


def test_what_looks_the_same_is_the_same() -> None:
    assert normalized("re\u0301sume\u0301") == normalized("résumé")
