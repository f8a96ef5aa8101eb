"""What a query finds, page by page: a page is asked for when the one before it has been read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import httpx
import msgspec

from broadstreet.client.entity import Entity
from broadstreet.client.frame import frame_of_entities
from broadstreet.client.link import BASE, Link
from broadstreet.model.errors import InvalidInput

if TYPE_CHECKING:
    import pandas

PATH: Final = "/entities"
PAGE: Final = 500
COUNT: Final = "ngsild-results-count"
_documents: Final = msgspec.json.Decoder(list[dict[str, Any]])


def pages(ask: Callable[[dict[str, str]], httpx.Response], size: int) -> Iterator[httpx.Response]:
    """Answers one after the other, until one says that nothing follows. ask: asks for limit and offset."""
    offset = 0
    while True:
        response = ask({"limit": str(size), "offset": str(offset)})
        yield response
        if "next" not in response.links:
            return
        offset += size


class Entities:
    """The entities that a query means. Iterate over them, as often as you like: each time asks anew."""

    def __init__(self, link: Link, parameters: Mapping[str, str], page: int = PAGE) -> None:
        """parameters: of a `Query`; page: how many are asked for at once. Raises InvalidInput."""
        if page < 1:
            raise InvalidInput("a page has at least one entity", where="page")
        self._link = link
        self._parameters = parameters
        self._page = page

    def __iter__(self) -> Iterator[Entity]:
        for response in pages(lambda part: self._ask({**self._parameters, **part}), self._page):
            yield from map(Entity, _documents.decode(response.content))

    def first(self, count: int) -> list[Entity]:
        """The first so many."""
        if count < 1:
            return []
        return list(islice(Entities(self._link, self._parameters, min(count, self._page)), count))

    def count(self) -> int:
        """How many there are, without fetching them."""
        return int(self._ask({**self._parameters, "limit": "0", "count": "true"}).headers[COUNT])

    def to_frame(self) -> pandas.DataFrame:
        """A data frame with a row for each: its id is the index, then type, lon, lat and what its attributes say."""
        return frame_of_entities(self)

    def to_geojson(self) -> dict[str, Any]:
        """A GeoJSON FeatureCollection."""
        return {"type": "FeatureCollection", "features": [one.to_dict("geojson") for one in self]}

    @property
    def url(self) -> str:
        """The address that answers this query."""
        return str(self._link.http.build_request("GET", BASE + PATH, params=dict(self._parameters)).url)

    def _ask(self, parameters: dict[str, str]) -> httpx.Response:
        return self._link.get(PATH, parameters)

    def __repr__(self) -> str:
        said = ", ".join(f"{name}={value}" for name, value in self._parameters.items())
        return f"<Entities {said}>"
