"""Every bound of context information, in one place. Over it: a clear refusal."""

from __future__ import annotations

from typing import Final

MAX_ATTRIBUTES: Final = 1_000
"""Attribute instances an entity may have in one request."""
MAX_OBSERVATIONS: Final = 10_000
"""Attribute instances over time that one request may bring."""
MAX_TYPES: Final = 64
"""Types an entity may have, and names a type query may hold."""
MAX_SCOPES: Final = 64
MAX_DEPTH: Final = 8
"""How deep sub-attributes of sub-attributes may nest."""
MAX_VALUE_DEPTH: Final = 64
"""How deep a JSON value may nest."""
MAX_VALUE_BYTES: Final = 1_048_576
"""The size of one attribute's value with its sub-attributes, as JSON."""
MAX_NAME_LENGTH: Final = 1_024
"""The length of a name, expanded."""
MAX_BATCH: Final = 1_000
"""Entities in one batch operation."""
MAX_BATCHES_AT_ONCE: Final = 2
"""Batches of one tenant that a process writes side by side."""

MAX_PURGE: Final = 100_000
"""Entities that one purge may mean."""
MAX_LIMIT: Final = 1_000
"""Entities on one page of an answer."""
DEFAULT_LIMIT: Final = 20
MAX_OFFSET: Final = 1_000_000
MAX_NAMES: Final = 256
"""Names in attrs, pick, omit and the like, and ids in id."""
MAX_QUERY_LENGTH: Final = 8_192
"""Characters of a q, type, scopeQ or idPattern."""
MAX_QUERY_TERMS: Final = 64
"""Comparisons in one q."""
MAX_QUERY_DEPTH: Final = 16
"""Parentheses within parentheses in one q."""
MAX_QUERY_VALUES: Final = 256
"""Values in one list of a q."""
MAX_PATTERN_LENGTH: Final = 512
"""Characters of a regular expression."""
MAX_ORDERS: Final = 8
"""Things that entities may be ordered by in one query."""
MAX_CANDIDATES: Final = 100_000
"""Entities whose geometry is measured for one query."""
MAX_JOIN_LEVEL: Final = 10
"""Links one behind the other that an answer follows."""
MAX_LINKED: Final = 1_000
"""Entities joined into one answer; one that stands in it in two places counts twice."""
QUERY_TIMEOUT_S: Final = 10.0
"""How long one query may take in the database."""

DEFAULT_INSTANCES: Final = 1_000
"""Instances of an attribute in a temporal answer, where the settings say nothing else."""
MAX_LAST_N: Final = 10_000
MAX_TEMPORAL_ENTITIES: Final = 100
"""Entities on one page of a temporal answer."""

MAX_CONTEXT_TERMS: Final = 10_000
"""Terms of one @context."""
MAX_CONTEXT_PARTS: Final = 64
"""Documents and objects that one @context may be put together from."""
MAX_CONTEXT_BYTES: Final = 1_000_000
"""The size of one @context that is kept, as JSON."""
MAX_CONTEXTS: Final = 1_000
"""@contexts of one kind that a tenant keeps; beyond it the copy that was used longest ago goes."""

MAX_SUBSCRIPTIONS: Final = 1_000
"""Subscriptions a tenant has."""
MAX_SUBSCRIPTION_BYTES: Final = 100_000
"""The size of one subscription, its names expanded, as JSON."""
MAX_SUBSCRIPTION_TEXT: Final = 4_096
"""Characters of a subscription's name, description, address, or of a header that it asks for."""
MAX_SUBSCRIPTION_PAIRS: Final = 64
"""Pairs of receiverInfo or notifierInfo."""
MAX_INTERVAL_S: Final = 366 * 86_400
"""The longest timeInterval or throttling."""
MAX_ENDPOINT_MS: Final = 86_400_000
"""The longest timeout or cooldown of a receiver."""

assert DEFAULT_LIMIT <= MAX_LIMIT
assert DEFAULT_INSTANCES <= MAX_LAST_N
assert MAX_TEMPORAL_ENTITIES <= MAX_LIMIT
