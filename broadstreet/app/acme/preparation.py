"""What is there before the first certificate is: one of the house's own."""

from __future__ import annotations

from broadstreet.app.acme.shelf import Shelf
from broadstreet.app.acme.wanted import wanted
from broadstreet.app.settings import Settings


def prepare_certificate(settings: Settings, now_us: int) -> None:
    """
    Where one is to be asked for: until it is there, HTTPS is spoken with one that the house signs for itself.

    Raises InvalidInput for a wish that no authority could be asked for.
    """
    wish = wanted(settings)
    if wish is None:
        return
    shelf = Shelf(settings.data_path)
    shelf.open()
    if shelf.certificate() is None or not shelf.state().obtained:
        shelf.keep_own(wish.names, now_us)
