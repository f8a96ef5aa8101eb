"""What is remembered of entities' texts: by state, within its bound, the last asked for first."""

from __future__ import annotations

import sys

from broadstreet.context.shelf import Shelf

TEXT = "x" * 1_000


def test_a_text_is_known_in_its_state_alone() -> None:
    shelf = Shelf()
    shelf.put((1, 7), 99, "old")
    assert shelf.get((1, 7), 99) == "old"
    assert shelf.get((1, 7), 98) is None and shelf.get((2, 7), 99) is None and shelf.get((1, 8), 99) is None
    shelf.put((1, 7), 100, "new")
    assert shelf.get((1, 7), 99) is None and shelf.get((1, 7), 100) == "new"


def test_what_was_asked_for_longest_ago_goes_first() -> None:
    shelf = Shelf(max_bytes=3 * sys.getsizeof(TEXT))
    for key in range(3):
        shelf.put((1, key), 0, TEXT)
    shelf.put((1, 0), 1, TEXT)
    assert shelf.get((1, 1), 0) == TEXT
    shelf.put((1, 3), 0, TEXT)
    assert [shelf.get((1, key), stamp) is not None for key, stamp in ((0, 1), (1, 0), (2, 0), (3, 0))] == [
        True,
        True,
        False,
        True,
    ]
    shelf.put((1, 4), 0, TEXT * 4)
    assert all(shelf.get((1, key), 0) is None for key in range(5))


def test_stamps_are_asked_for_where_most_is_known() -> None:
    shelf = Shelf()
    assert not shelf.is_worth_asking
    shelf.learn(0, 0)
    shelf.learn(200, 200)
    shelf.learn(200, 200)
    assert shelf.is_worth_asking
    shelf.learn(20, 1_000)
    assert not shelf.is_worth_asking
