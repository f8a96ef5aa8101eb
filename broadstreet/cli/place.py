"""A place as people type it: longitude and latitude, in degrees, with a comma between."""

from __future__ import annotations


def place_of(text: str, where: str) -> tuple[float, float]:
    """Longitude and latitude. where: the option it was given to. Raises InvalidInput."""
    from broadstreet.model.errors import InvalidInput

    try:
        lon, lat = (float(part) for part in text.split(","))
    except ValueError:
        raise InvalidInput(
            f"{text!r} is no place", where=where, remedy=f"Longitude comes first: {where} 24.9443,60.1712"
        ) from None
    return lon, lat
