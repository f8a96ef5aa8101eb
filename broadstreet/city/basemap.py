"""The map of a city as one PMTiles file (version 3): an archive of tiles that is read by HTTP ranges."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer

from broadstreet.city.extract import Extract
from broadstreet.city.tiles import MAX_ZOOM, Layer, layers_of, tile_addresses, tiles
from broadstreet.model.errors import InvalidInput
from broadstreet.model.geometry import Box

ATTRIBUTION: Final = "© OpenStreetMap contributors"
"""What the Open Database License asks to be said wherever the map is shown."""
MAX_TILES: Final = 100_000
"""The most tiles a map may have: enough for 80 by 80 km at 60 degrees of latitude, and for more nearer the equator."""


def write_basemap(extract: Extract, title: str, path: Path) -> int:
    """Writes the map of an extract to `path`, whole or not at all; returns the number of tiles.

    The same extract and title always give the same bytes. Raises InvalidInput over MAX_TILES.
    """
    addresses = tile_addresses(extract.bounds)
    if len(addresses) > MAX_TILES:
        raise InvalidInput(
            f"the map of {title} would have {len(addresses):,} tiles, over the bound of {MAX_TILES:,}",
            where="the extract's bounds",
            remedy="Cut a smaller extract: a city, not a country.",
        )
    layers = layers_of(extract)
    by_id = {zxy_to_tileid(*address): tile for address, tile in tiles(layers, addresses)}
    unfinished = path.with_name(path.name + ".unfinished")
    with unfinished.open("wb") as file:
        writer: Any = Writer(file)
        for tile_id in sorted(by_id):
            writer.write_tile(tile_id, by_id[tile_id])
        writer.finalize(_header(extract.bounds), _metadata(title, layers))
    unfinished.replace(path)
    return len(by_id)


def _header(bounds: Box) -> dict[str, Any]:
    def e7(degrees: float) -> int:
        return round(degrees * 10_000_000)

    return {
        "tile_type": TileType.MVT,
        "tile_compression": Compression.GZIP,
        "min_lon_e7": e7(bounds.west),
        "min_lat_e7": e7(bounds.south),
        "max_lon_e7": e7(bounds.east),
        "max_lat_e7": e7(bounds.north),
        "center_zoom": MAX_ZOOM - 1,
        "center_lon_e7": e7((bounds.west + bounds.east) / 2),
        "center_lat_e7": e7((bounds.south + bounds.north) / 2),
    }


def _metadata(title: str, layers: Sequence[Layer]) -> dict[str, Any]:
    """What the archive says of itself, after TileJSON 3."""
    return {
        "name": title,
        "type": "baselayer",
        "format": "pbf",
        "attribution": ATTRIBUTION,
        "vector_layers": [
            {
                "id": layer.name,
                "minzoom": layer.min_zoom,
                "maxzoom": MAX_ZOOM,
                "fields": {
                    key: "Boolean" if isinstance(value, bool) else "String"
                    for said in sorted(set(layer.properties))
                    for key, value in said
                },
            }
            for layer in layers
        ],
    }
