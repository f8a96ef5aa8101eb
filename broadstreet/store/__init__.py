"""The store: PostgreSQL, with a schema and a role for each tenant.

`migrate(dsn)` brings a database up to date. `Store.connect(dsn)` opens it; `store.control` is what stands above
tenants, and `await store.tenant(name)` a `Database` whose connections can reach that tenant's schema and nothing
else; `await store.tenant(name, reach)` one that sees only a part of it, through views. SQL lives in
`store/sql/<noun>.sql`, each query named and described, and is read by `load_queries(noun)`.

What must always hold: a `timestamptz` is an `int` of microseconds since 1970 in Python, in and out (also in arrays);
`jsonb` is a Python value, and a `msgspec.Raw` passes through unchanged; names are interned by
`store.terms(database)`; a secret that must be read again is sealed (`store.control.seal`); a writing transaction writes
one `origin` row and leaves its changes in the outbox (`write_outbox`) before it commits. Rows of `attribute` are locked
in ascending `series_key`, so that writers never deadlock.
"""

from broadstreet.store.database import Database, json_array, prepare_connection
from broadstreet.store.migration import create_tenant, migrate
from broadstreet.store.outbox import OutboxKind, write_origin, write_outbox
from broadstreet.store.queries import load_queries
from broadstreet.store.resealing import keys_in_use, reseal
from broadstreet.store.seal import Seal, Sealed
from broadstreet.store.store import Store
from broadstreet.store.terms import Terms

__all__ = [
    "Database",
    "OutboxKind",
    "Seal",
    "Sealed",
    "Store",
    "Terms",
    "create_tenant",
    "json_array",
    "keys_in_use",
    "load_queries",
    "migrate",
    "prepare_connection",
    "reseal",
    "write_origin",
    "write_outbox",
]
