"""`/v1/network/sheets`: the sheets that come with Broadstreet, to begin one's own from."""

from __future__ import annotations

from typing import Final

from litestar import Response, get
from litestar.params import FromPath

from broadstreet.access import requires
from broadstreet.apis.router import Router
from broadstreet.model.errors import NotFound
from broadstreet.network.ground.catalogue import default_sheet
from broadstreet.network.investment import business_sheet
from broadstreet.network.scenarios import SHEETS

BUSINESS: Final = "business"


@get("/sheets/{sheet:str}", opt=requires("plan:read"), media_type="application/toml", sync_to_thread=False)
def one_sheet(sheet: FromPath[str]) -> Response[bytes]:
    """A sheet as TOML: `catalogue`, `architecture`, `optics`, `worth`, as a wish takes them; `business`, as a case."""
    if sheet == BUSINESS:
        return Response(business_sheet(), media_type="application/toml")
    if sheet not in SHEETS:
        known = ", ".join([*SHEETS, BUSINESS])
        raise NotFound(f"there is no sheet {sheet[:80]!r}", where="sheet", remedy=f"There are: {known}.")
    return Response(default_sheet(f"{sheet}.toml"), media_type="application/toml")


def sheets_router() -> Router:
    """`/sheets`, to stand below `/v1/network`."""
    return Router("/", route_handlers=[one_sheet], tags=["Planning"])
