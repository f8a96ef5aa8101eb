"""The portal's server side: what the web client asks for, shaped for its pages.

In come a signed-in principal's requests, the stream of changes and the reports of gateways and recorders; out go the
city as it is (`Town`, one a tenant), live events, an entity's page, charts, where a value comes from, who changed what,
the house's health, a file of readings, and the built client. `portal_routers(portal)` are the routes for `create_app`;
enter the `Portal` while they are served.

What must always hold: a page's first sentence is made from data; a route asks for a permission of its own, as
docs/reference/portal-api.md says; whatever waits for a slow page is bounded, and the page is let go instead; no answer
makes a browser ask another host for anything.
"""

from broadstreet.portal.portal import Portal, PortalSettings
from broadstreet.portal.router import portal_routers

__all__ = ["Portal", "PortalSettings", "portal_routers"]
