"""The APIs: HTTP as applications and operators speak it, one file a noun, one folder a standard.

`create_app(services, parts)` makes the whole HTTP application; `parts` are routers of other rooms (the portal, the
gateway's HTTP ingest). A request comes in, `guard.py` finds its `Principal` and checks what the route demands, the
handler parses into a typed request, acts and answers; an error of the house leaves as problem details.

What must always hold: every route declares what it demands, or the process does not start; no handler decides by
role; an error tells the caller what, where and what to do, and of the house's inside nothing; every answer carries
the security headers.
"""

from broadstreet.apis.app import create_app
from broadstreet.apis.metrics import Metrics
from broadstreet.apis.services import Services

__all__ = ["Metrics", "Services", "create_app"]
