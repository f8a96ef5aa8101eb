"""Steps of a longer work as the terminal tells them: what goes on now, then how long it took and what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from broadstreet.cli.console import console


@contextmanager
def step(title: str) -> Iterator[Callable[[str], None]]:
    """A step; the last words said of it stand behind its time."""
    said = ""
    began_s = time.monotonic()
    with console.status(f"  {title} …") as working:

        def say(words: str) -> None:
            nonlocal said
            said = words
            working.update(f"  {title} … {words}")

        yield say
    done(title, time.monotonic() - began_s, said)


def done(title: str, took_s: float, came_of_it: str = "") -> None:
    """One line for a step that is done."""
    console.print(f"  {title:<28} {took_s:6.2f} s  {came_of_it}".rstrip(), soft_wrap=True)
