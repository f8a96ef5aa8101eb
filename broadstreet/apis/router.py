"""The routers of the APIs."""

from __future__ import annotations

from typing import Any

import litestar


class Router(litestar.Router):
    """A router that is registered once, as it is.

    Litestar registers a copy with every handler in it, copied to the last value, since a router might be registered in
    several places: a router in a router in the application is copied twice over. That took a third of what putting the
    application together takes. Here each router is made by a function when it is registered, and nobody else has it.
    """

    def __deepcopy__(self, memo: dict[int, Any]) -> Router:
        return self
