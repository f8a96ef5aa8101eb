"""Expressions that q, type and scopeQ share: leaves joined by `;` (and) and `|` or `,` (or), with parentheses.

`;` binds tighter. What a leaf looks like is the language's own affair: `parse_expression` is given a function that
reads one from the `Scanner`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, NoReturn, TypeAlias, TypeVar

from broadstreet.context.bounds import MAX_QUERY_DEPTH, MAX_QUERY_LENGTH, MAX_QUERY_TERMS
from broadstreet.model.errors import BadRequest, InvalidQuery, TooLarge, TooMany

Leaf = TypeVar("Leaf")


@dataclass(frozen=True, slots=True)
class One(Generic[Leaf]):
    """A leaf."""

    leaf: Leaf


@dataclass(frozen=True, slots=True)
class AllOf(Generic[Leaf]):
    """Two parts or more, all of which must hold."""

    parts: tuple[Expression[Leaf], ...]


@dataclass(frozen=True, slots=True)
class AnyOf(Generic[Leaf]):
    """Two parts or more, one of which must hold."""

    parts: tuple[Expression[Leaf], ...]


Expression: TypeAlias = AllOf[Leaf] | AnyOf[Leaf] | One[Leaf]


class Scanner:
    """A place in a text, and how far a parser has come. Every complaint says where."""

    def __init__(self, text: str, where: str, error: type[BadRequest] = InvalidQuery) -> None:
        """where: the parameter's name. error: what is raised where the text cannot be understood."""
        if len(text) > MAX_QUERY_LENGTH:
            raise TooLarge(f"{where} has at most {MAX_QUERY_LENGTH} characters", where=where)
        if "\x00" in text:
            raise error("the character U+0000 stands nowhere", where=where)
        self.text = text
        self.at = 0
        self._where = where
        self._error = error

    @property
    def is_done(self) -> bool:
        """Whether nothing is left."""
        return self.at >= len(self.text)

    def peek(self) -> str:
        """The next character, or '' at the end."""
        return self.text[self.at : self.at + 1]

    def take(self, *tokens: str) -> str | None:
        """The first of these tokens that stands here, passed over; None if none does."""
        for token in tokens:
            if self.text.startswith(token, self.at):
                self.at += len(token)
                return token
        return None

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """What the pattern finds here, passed over."""
        found = pattern.match(self.text, self.at)
        if found is not None:
            self.at = found.end()
        return found

    def fail(self, expected: str) -> NoReturn:
        """Say what was expected here, and what stands here instead."""
        rest = self.text[self.at : self.at + 20]
        found = f"{rest!r} stands at character {self.at + 1}" if rest else "it ends"
        raise self._error(f"{expected} was expected, but {found}", where=self._where)


def parse_expression(
    scanner: Scanner, leaf: Callable[[Scanner], Leaf], or_tokens: tuple[str, ...] = ("|",)
) -> Expression[Leaf]:
    """The whole text as one expression. Raises InvalidQuery, TooLarge, TooMany."""
    expression = parse_part(scanner, leaf, or_tokens)
    if not scanner.is_done:
        scanner.fail("; or | or the end")
    return expression


def parse_part(
    scanner: Scanner, leaf: Callable[[Scanner], Leaf], or_tokens: tuple[str, ...] = ("|",)
) -> Expression[Leaf]:
    """An expression as far as it goes. Raises InvalidQuery, TooLarge, TooMany."""
    return _Parser(scanner, leaf, or_tokens).alternatives(0)


class _Parser(Generic[Leaf]):
    def __init__(self, scanner: Scanner, leaf: Callable[[Scanner], Leaf], or_tokens: tuple[str, ...]) -> None:
        self._scanner = scanner
        self._leaf = leaf
        self._or_tokens = or_tokens
        self._leaves = 0

    def alternatives(self, depth: int) -> Expression[Leaf]:
        if depth > MAX_QUERY_DEPTH:
            raise TooLarge(f"parentheses nest at most {MAX_QUERY_DEPTH} deep")
        parts = [self._together(depth)]
        while self._scanner.take(*self._or_tokens):
            parts.append(self._together(depth))
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def _together(self, depth: int) -> Expression[Leaf]:
        parts = [self._one(depth)]
        while self._scanner.take(";"):
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def _one(self, depth: int) -> Expression[Leaf]:
        if self._scanner.take("("):
            inner = self.alternatives(depth + 1)
            if not self._scanner.take(")"):
                self._scanner.fail(")")
            return inner
        self._leaves += 1
        if self._leaves > MAX_QUERY_TERMS:
            raise TooMany(f"an expression has at most {MAX_QUERY_TERMS} terms")
        return One(self._leaf(self._scanner))


def leaves(expression: Expression[Leaf]) -> list[Leaf]:
    """All leaves, from left to right."""
    if isinstance(expression, One):
        return [expression.leaf]
    return [leaf for part in expression.parts for leaf in leaves(part)]


def render(expression: Expression[Leaf], leaf: Callable[[Leaf], str]) -> str:
    """The expression as text: the inverse of `parse_expression`, with the fewest parentheses."""
    if isinstance(expression, One):
        return leaf(expression.leaf)
    if isinstance(expression, AnyOf):
        return "|".join(_within(part, isinstance(part, AnyOf), leaf) for part in expression.parts)
    return ";".join(_within(part, not isinstance(part, One), leaf) for part in expression.parts)


def _within(part: Expression[Leaf], needs_parentheses: bool, leaf: Callable[[Leaf], str]) -> str:
    text = render(part, leaf)
    return f"({text})" if needs_parentheses else text
