"""Serviceability: what can be had at an address or place, today and after each phase, over which way, for how much.

In comes a design that was planned and checked, with its ground (`Serviceability`), and how many of its phases stand;
out comes an `Answer` for a place: offers, each with the fibre's way from the office, what it loses, how many more like
it there are, what connecting takes, and why. To read it, follow `service.py`: `stages` says what stands and what is
free, `feeding` brings one fibre more to every site, `reach` leads a cable from there to every node.

What must always hold: what the plan keeps for those it serves is promised to nobody else; no offer's light is over its
class; an offer costs what its items sum to; of ways to the same place none that is left out is cheaper, permits of
streets aside. Working it out takes a second or two for a quarter; an answer takes less than a millisecond or two.
"""

from broadstreet.network.serviceability.answer import Answer, Hop, How, Line, Offer, Product
from broadstreet.network.serviceability.service import Serviceability

__all__ = ["Answer", "Hop", "How", "Line", "Offer", "Product", "Serviceability"]
