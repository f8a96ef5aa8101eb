"""@contexts that are kept in the city: what names mean, to be named by their address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from broadstreet.client.link import BASE, Link

PATH: Final = "/jsonldContexts"


class Contexts:
    """The @contexts of one tenant."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def add(self, document: Mapping[str, Any]) -> str:
        """Keep one: an @context, or the terms of one. Answers its address, to give to `City.speaking`."""
        body = document if "@context" in document else {"@context": document}
        response = self._link.send("POST", PATH, body)
        return str(self._link.http.base_url.join(response.headers["location"]))

    def all(self) -> list[dict[str, Any]]:
        """What is known of each that is kept."""
        found: list[dict[str, Any]] = self._link.get(PATH, {"details": "true"}).json()
        return found

    def get(self, address: str) -> Any:
        """One of them, by its address or its id. Raises NotFound."""
        return self._link.get(self._place(address)).json()

    def delete(self, address: str) -> None:
        """Keep one no longer. Raises NotFound."""
        self._link.send("DELETE", self._place(address))

    def _place(self, address: str) -> str:
        own = str(self._link.http.base_url.join(BASE + PATH)) + "/"
        return f"{PATH}/{quote(address.removeprefix(own), safe='')}"
