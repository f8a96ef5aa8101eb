"""What a request says of the order of entities: `orderBy`, `orderFrom` and `collation`, or the member `ordering`."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from broadstreet.apis.ngsi_ld.parameters import Parameters
from broadstreet.context import Criterion, check_collation, parse_coordinates, parse_order

ORDERING: Final = ("orderBy", "orderFrom", "collation")


class OrderWish(msgspec.Struct, forbid_unknown_fields=True):
    """An order as the body of a query says it (5.2.43)."""

    orderBy: list[str]
    coordinates: list[Any] | None = None
    geometry: str = "Point"
    collation: str | None = None


def order_of(wish: OrderWish | None, parameters: Parameters) -> tuple[Criterion, ...]:
    """The order that is asked for; none, where none is. Raises InvalidInput, OperationNotSupported, TooMany."""
    if wish is not None:
        place = None if wish.coordinates is None else parse_coordinates(wish.geometry, wish.coordinates)
        check_collation(wish.collation)
        return parse_order(wish.orderBy, place, "ordering.orderBy")
    start = parameters.text("orderFrom")
    check_collation(parameters.text("collation"))
    return parse_order(
        parameters.names("orderBy", ","), None if start is None else parse_coordinates("Point", start), "orderBy"
    )
