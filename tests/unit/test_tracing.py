"""Tracing ends after a property's first examples, and is there again for the next test."""

from __future__ import annotations

import sys

from tests.tracing import TRACED_EXAMPLES, traced_at_first


def test_only_the_first_examples_are_traced() -> None:
    before, tried = sys.gettrace(), []

    def tracer(*_: object) -> None: ...

    example = traced_at_first(lambda: tried.append(sys.gettrace()))
    sys.settrace(tracer)
    try:
        for _ in range(TRACED_EXAMPLES + 2):
            example()
    finally:
        sys.settrace(before)
    assert tried == [tracer] * (TRACED_EXAMPLES - 1) + [None] * 3
