"""A city's entities in a notebook: NGSI-LD from Python, without a word of HTTP.

    City ── entities(type=…, q=…, near=…) ──▶ Entities ──▶ Entity ──▶ Attribute: value, unit, observed_at
       ├─── create, update, merge, replace, upsert, delete ──▶ Outcome
       ├─── history(…) ──▶ a data frame with time as its index
       ├─── types(), attributes() ──▶ what there is
       ├─── subscribe(…) ──▶ Subscription        Receiver ◀── notifications
       └─── contexts ──▶ @contexts that are kept in the city

It speaks to a house through its public interface and shares nothing with it but the domain's words: httpx and msgspec
are all it needs, and pandas where a data frame is asked for. It is synchronous, as notebooks are.

What must always hold: nothing is asked before it is needed, and no more of it than is read; only what changes nothing
is asked again by itself; an error is the house's own, by its class, with what, where and what to do; an entity reads
back as what it was written as, in every format.
"""

from broadstreet.client.city import City
from broadstreet.client.entity import Attribute, Entity
from broadstreet.client.evolution import Observation
from broadstreet.client.found import Entities
from broadstreet.client.kinds import AttributeKind, EntityType
from broadstreet.client.outcome import Outcome
from broadstreet.client.query import Query
from broadstreet.client.receiver import Receiver
from broadstreet.client.subscription import Subscription

__all__ = [
    "Attribute",
    "AttributeKind",
    "City",
    "Entities",
    "Entity",
    "EntityType",
    "Observation",
    "Outcome",
    "Query",
    "Receiver",
    "Subscription",
]
