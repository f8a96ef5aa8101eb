"""The application as a house runs it, put together from services on test engines."""

from __future__ import annotations

from litestar import Litestar

from broadstreet.apis import Services, create_app


def whole_app(services: Services) -> Litestar:
    """Every route of the house."""
    return create_app(services)
