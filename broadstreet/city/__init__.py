"""The city's map: streets, houses, water and green out of an OpenStreetMap extract, drawn without anybody else's tiles.

In comes an `*.osm.pbf` file. `city.features.read_features` takes what is asked for out of it, for whoever needs a map;
`city.extract.read_extract` sorts what a picture of the city holds, in WGS 84 degrees; `city.founding.draw_city` draws
that as one PMTiles file of vector tiles and keeps beside it, in the data folder's `maps/`, what the city is called,
where it lies, what its clocks show and which streets it has (`City`). `load_city` reads that for a tenant.

What must always hold: the same extract gives the same bytes; lengths are those on the ellipsoid; the attribution that
the map's licence asks for travels with map and description. Making a city needs the packages of the `city` extra, takes
seconds and no event loop, so it is imported from its modules where it is done; a house that has its city needs none.
"""

from broadstreet.city.description import City, NamedStreet, check_zone, city_name, load_city, save_city

__all__ = ["City", "NamedStreet", "check_zone", "city_name", "load_city", "save_city"]
