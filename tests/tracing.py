"""A pytest plugin that stops looking which lines are reached once a property test has tried its first examples.

Tracing costs a property test as much again as the test itself, and what its first examples do not reach the later ones
seldom do. What is tried stays the same: only the looking ends. Load it with `-p tests.tracing`; `make test` does.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Generator
from typing import Any

import pytest
from hypothesis import is_hypothesis_test

TRACED_EXAMPLES = 40


def traced_at_first(test: Callable[..., Any]) -> Callable[..., Any]:
    """The same test of an example, without tracing from some example on."""
    left = TRACED_EXAMPLES

    @functools.wraps(test)
    def counted(*args: Any, **kwargs: Any) -> Any:
        nonlocal left
        left -= 1
        if not left:
            sys.settrace(None)
        return test(*args, **kwargs)

    return counted


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    tracer = sys.gettrace()
    if tracer is None or not isinstance(item, pytest.Function) or not is_hypothesis_test(item.obj):
        return (yield)
    handle = item.obj.hypothesis
    whole = handle.inner_test
    if inspect.iscoroutinefunction(whole):
        return (yield)  # another plugin runs it in its loop, and is to find it as it is
    handle.inner_test = traced_at_first(whole)
    try:
        return (yield)
    finally:
        handle.inner_test = whole
        sys.settrace(tracer)
