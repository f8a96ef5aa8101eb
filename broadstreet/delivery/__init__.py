"""Delivery: what leaves the house by itself, and whom it may ask.

A `Hosts` is a rule made from a setting: nobody is asked whom no rule names, so that no request of a stranger's makes
the house reach into the network it stands in. `fetch_json` asks for a document under such a rule, within bounds.
"""

from broadstreet.delivery.fetch import fetch_json
from broadstreet.delivery.hosts import LOOPBACK, NOBODY, Hosts

__all__ = ["LOOPBACK", "NOBODY", "Hosts", "fetch_json"]
