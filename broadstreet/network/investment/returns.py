"""What a row of payments is worth: present value, rates of return, payback.

A stream is whole cents by half-years from the beginning: place 0 is now, 1 the middle of the first year, 2 its end. So
years whose money comes in their middle, and what is left at the end, are one stream.

An internal rate of return is a rate at which the present value is nothing. There may be none, one, or several: where
the payments change their sign once there is just one (Descartes); where they do so more often, roots are counted by
Sturm's theorem in whole numbers, so that none is overlooked and none made up. Brealey, Myers, Allen: Principles of
Corporate Finance, chapter 5, on its pitfalls; Lin, S. A. (1976): The modified internal rate of return and investment
criterion. The Engineering Economist 21(4), 237-247.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import gcd
from typing import Final

import msgspec

LEAST_RATE: Final = -0.9999
"""A rate at which all is lost within a year is no rate of return."""
_BITS: Final = 80
"""To how many binary places a root is sought: more than a float has."""

Poly = list[int]
"""Whole coefficients, the constant first."""


class Rates(msgspec.Struct, frozen=True):
    """The internal rates of return, smallest first. rate: the one there is, where there is one alone."""

    found: tuple[float, ...]
    sign_changes: int
    said: str

    @property
    def rate(self) -> float | None:
        return self.found[0] if len(self.found) == 1 else None


def present_value(stream: Sequence[int], rate: float) -> float:
    """What a stream is worth now, in cents, at a rate a year."""
    by_half = (1 + rate) ** -0.5
    value = 0.0
    for cents in reversed(stream):
        value = value * by_half + cents
    return value


def internal_rates(stream: Sequence[int]) -> Rates:
    """Every rate from LEAST_RATE on at which a stream is worth nothing."""
    places, changes = [place for place, cents in enumerate(stream) if cents], sign_changes(stream)
    if changes == 0:
        way = "comes" if any(cents > 0 for cents in stream) else "goes"
        return Rates((), 0, f"there is no rate of return: money only {way}")
    step = 0
    for place in places:
        step = gcd(step, place - places[0])
    coefficients = list(stream[places[0] : places[-1] + 1 : step])
    roots = [_only_root(coefficients)] if changes == 1 else _positive_roots(coefficients)
    all_rates = sorted(root ** (-2 / step) - 1 for root in roots)
    rates = tuple(rate for rate in all_rates if rate >= LEAST_RATE)
    if len(rates) == 1:
        said = "the one rate at which it is worth nothing"
    elif rates:
        told = ", ".join(f"{rate:.2%}" for rate in rates)
        said = f"there are {len(rates)} rates of return ({told}): go by the net present value"
    else:
        said = "there is no rate of return: at every rate its worth has the same sign; go by the net present value"
    return Rates(rates, changes, said)


def sign_changes(stream: Sequence[int]) -> int:
    """How often a stream's payments turn from coming to going, or back."""
    return _turns([(cents > 0) - (cents < 0) for cents in stream])


def modified_rate(stream: Sequence[int], paid_at: float, earning: float) -> float | None:
    """The rate at which what is paid, carried to now at a rate, grows to what comes in, carried to the end at another;
    None if either is nothing."""
    paid = present_value([min(0, cents) for cents in stream], paid_at)
    come = present_value([max(0, cents) for cents in stream], earning)
    years = (len(stream) - 1) / 2
    if paid == 0 or come == 0 or years == 0:
        return None
    return float((come / -paid) ** (1 / years) * (1 + earning) - 1)


def payback_years(yearly: Sequence[float]) -> float | None:
    """After how many years what came in has made up for what went out, for good: within a year as if its money came
    evenly. None: not within these; 0: never anything was owed."""
    total, back = 0.0, 0.0 if not yearly or yearly[0] >= 0 else None
    for year, cents in enumerate(yearly):
        before, total = total, total + cents
        if total < 0:
            back = None
        elif before < 0:
            back = year + -before / cents
    return back


def _only_root(coefficients: Poly) -> float:
    """The root over 0 of a polynomial whose coefficients turn once, to the last bit: nothing needs to be counted."""
    end, high = (coefficients[-1] > 0) - (coefficients[-1] < 0), 1
    while _sign(coefficients, high, 0) != end:
        high *= 2
    return _bisected(coefficients, 0, high, 0)


def _positive_roots(coefficients: Poly) -> list[float]:
    """The distinct roots over 0, each to the last bit."""
    chain = _sturm(coefficients)
    # Simple roots alone: divided by what a polynomial shares with its derivative.
    simple = _divided(coefficients, chain[-1]) if len(chain[-1]) > 1 else coefficients
    chain = _sturm(simple)
    high = 1
    while _changes(chain, high, 0) != _changes_at_infinity(chain):
        high *= 2
    found: list[float] = []
    waiting = [(0, high, 0)]
    while waiting:
        low, high, bits = waiting.pop()
        count = _changes(chain, low, bits) - _changes(chain, high, bits)
        if count == 1:
            found.append(_bisected(simple, low, high, bits))
        elif count > 1:
            middle = low + high
            waiting += [(2 * low, middle, bits + 1), (middle, 2 * high, bits + 1)]
    return found


def _bisected(poly: Poly, low: int, high: int, bits: int) -> float:
    """The one root over low / 2**bits and up to high / 2**bits."""
    if _sign(poly, high, bits) == 0:
        return high / (1 << bits)
    above = _sign(poly, high, bits)
    while (high - low) << _BITS > high:
        low, middle, high, bits = 2 * low, low + high, 2 * high, bits + 1
        sign = _sign(poly, middle, bits)
        if sign == 0:
            return middle / (1 << bits)
        low, high = (low, middle) if sign == above else (middle, high)
    return high / (1 << bits)


def _sign(poly: Poly, n: int, bits: int) -> int:
    """The sign at n / 2**bits, exactly."""
    value = 0
    for power, coefficient in enumerate(reversed(poly)):
        value = value * n + (coefficient << (bits * power))
    return (value > 0) - (value < 0)


def _sturm(poly: Poly) -> list[Poly]:
    """A polynomial, its derivative, and the remainders with their signs turned, each divided by a whole number."""
    chain = [_primitive(poly), _primitive([power * one for power, one in enumerate(poly)][1:])]
    while len(chain[-1]) > 1:
        rest = _remainder(chain[-2], chain[-1])
        if not rest:
            break
        chain.append(_primitive([-one for one in rest]))
    return chain


def _remainder(poly: Poly, by: Poly) -> Poly:
    """The remainder, times a whole number over 0."""
    rest, lead = list(poly), by[-1]
    while len(rest) >= len(by):
        top, shift = rest[-1], len(rest) - len(by)
        rest = [one * abs(lead) for one in rest]
        turned = top if lead > 0 else -top
        for place, one in enumerate(by):
            rest[shift + place] -= turned * one
        rest.pop()
        while rest and rest[-1] == 0:
            rest.pop()
    return rest


def _divided(poly: Poly, by: Poly) -> Poly:
    """The quotient of a division that leaves nothing, times a whole number."""
    rest, lead, quotient = list(poly), by[-1], [0] * (len(poly) - len(by) + 1)
    for shift in range(len(poly) - len(by), -1, -1):
        rest, quotient = [one * lead for one in rest], [one * lead for one in quotient]
        quotient[shift] = rest[shift + len(by) - 1] // lead
        for place, one in enumerate(by):
            rest[shift + place] -= quotient[shift] * one
    return _primitive(quotient)


def _primitive(poly: Poly) -> Poly:
    shared = gcd(*poly)
    return [one // shared for one in poly] if shared > 1 else poly


def _changes(chain: list[Poly], n: int, bits: int) -> int:
    return _turns([_sign(poly, n, bits) for poly in chain])


def _changes_at_infinity(chain: list[Poly]) -> int:
    return _turns([1 if poly[-1] > 0 else -1 for poly in chain])


def _turns(signs: list[int]) -> int:
    told = [sign for sign in signs if sign]
    return sum(one != other for one, other in pairwise(told))
