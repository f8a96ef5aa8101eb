"""The page for everyone: what a tenant's public view shows, in places, values and words.

All of it is read as anyone would read it, through the views that the policy limits (`Principal.anyone`); nothing comes
from a town, which knows everything. What anyone may see is the same for all who ask, so an answer is kept a moment.
"""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import msgspec

from broadstreet.access import Principal
from broadstreet.access.publication import Publication, PublicView, check_items, reach_of
from broadstreet.history import downsample, read_range
from broadstreet.model.clock import US_PER_S, format_rfc3339
from broadstreet.model.entity import Kind
from broadstreet.model.errors import NotFound
from broadstreet.model.geometry import Box
from broadstreet.model.identifiers import DEFAULT_TENANT
from broadstreet.model.naming import NAME, called
from broadstreet.model.terms import compact, expand
from broadstreet.portal.portal import Portal
from broadstreet.portal.session import MARGIN_DEG, NOWHERE, UNTITLED, CityFacts
from broadstreet.portal.values import in_words
from broadstreet.portal.words import attribute_label, type_label, unit_label
from broadstreet.store import Database, load_queries

if TYPE_CHECKING:
    import asyncpg

MAX_PLACES: Final = 5_000
"""Entities on the page; NGSI-LD gives the rest, page by page."""
MAX_CSV_ROWS: Final = 500_000
KEPT_US: Final = 10 * US_PER_S
MAX_KEPT: Final = 64
MAP_PATH: Final = "/portal/api/public/map"
CSV_TYPE: Final = "text/csv; charset=utf-8; header=present"
_SQL = load_queries("public")


class ItemView(msgspec.Struct, frozen=True, kw_only=True):
    """An item of the policy, with who answers for what it shows, and how many entities there are of it."""

    item: int
    title: str
    description: str
    licence: str
    attributes: list[str]
    means: str | None
    position_m: int | None
    days: int | None
    sources: list[str]
    places: int


class PublicValue(msgspec.Struct, frozen=True, kw_only=True):
    """A value that everyone may see. value: a number, or null where `told` says it in words."""

    item: int
    attribute: str
    label: str
    unit: str
    value: float | None
    told: str
    observed_at: str | None


class PublicPlace(msgspec.Struct, kw_only=True):
    """An entity that everyone may see; lon and lat null where its place is not shown."""

    id: str
    title: str
    type: str
    items: list[int]
    lon: float | None
    lat: float | None
    values: list[PublicValue]


class PublicPage(msgspec.Struct, frozen=True, kw_only=True):
    """What everyone may see. is_cut: whether there are more places than are told here."""

    city: CityFacts
    items: list[ItemView]
    places: list[PublicPlace]
    is_cut: bool
    at: str


class PublicSeries(msgspec.Struct, frozen=True, kw_only=True):
    """A chart of one attribute that everyone may see. item: what says how coarse it is, and under which licence."""

    id: str
    attribute: str
    label: str
    unit: str
    item: int
    t_ms: list[int]
    v: list[float]
    low: list[float]
    high: list[float]
    gaps_ms: list[tuple[int, int]]


class PublicPages:
    """The pages of all tenants, each kept for a moment."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal
        self._kept: dict[str, tuple[int, int, bytes]] = {}
        self._making = asyncio.Lock()

    async def page(self, tenant: str) -> bytes:
        """A tenant's page, as JSON; an empty one for a tenant that shows nothing, or does not exist."""
        view = await self._portal.access.publications.shown(tenant)
        if (kept := self._fresh(tenant, view)) is not None:
            return kept
        async with self._making:
            if (kept := self._fresh(tenant, view)) is not None:
                return kept
            body = msgspec.json.encode(await public_page(self._portal, tenant, view.items))
            if len(self._kept) >= MAX_KEPT:
                self._kept.clear()
            self._kept[tenant] = self._portal.clock() + KEPT_US, view.version, body
            return body

    def _fresh(self, tenant: str, view: PublicView) -> bytes | None:
        until_us, version, body = self._kept.get(tenant, (0, -1, b""))
        return body if version == view.version and self._portal.clock() < until_us else None


async def anyone_of(portal: Portal, tenant: str) -> tuple[Principal, Database]:
    """Whoever has not signed in, and what they see of a tenant. Raises NotFound where nothing is shown to them."""
    anyone = await portal.access.publications.anyone(tenant)
    if anyone is None:
        raise NotFound("nothing is shown to everyone here", remedy="Sign in.")
    return anyone, await portal.store.tenant(tenant, anyone.reach)


async def previewed(portal: Portal, tenant: str, items: Sequence[Publication]) -> PublicPage:
    """What everyone would see by a policy that is not written yet. Raises InvalidInput as writing it would."""
    checked = await check_items(await portal.store.tenant(tenant), items)
    return await public_page(portal, tenant, checked)


async def public_page(portal: Portal, tenant: str, items: Sequence[Publication]) -> PublicPage:
    """What everyone sees by these items."""
    now_us = portal.clock()
    if not items:
        nowhere = _facts(portal, None, [])
        return PublicPage(city=nowhere, items=[], places=[], is_cut=False, at=format_rfc3339(now_us))
    database = await portal.store.tenant(tenant, reach_of(items, now_us))
    rows = await database.fetch(_SQL["entities"], MAX_PLACES + 1)
    places = await _places(portal, database, rows[:MAX_PLACES])
    sources: dict[int, list[str]] = {}
    for row in await database.fetch(_SQL["sources"]):
        said = ", ".join(filter(None, (row["title"], row["owner"])))
        sources.setdefault(row["item"], []).append(said)
    views = [
        ItemView(
            item=number,
            title=item.title,
            description=item.description,
            licence=item.licence,
            attributes=[attribute_label(compact(name)) for name in item.attributes],
            means=item.means,
            position_m=item.position_m,
            days=item.days,
            sources=sources.get(number, []),
            places=sum(number in place.items for place in places),
        )
        for number, item in enumerate(items)
    ]
    return PublicPage(
        city=_facts(portal, tenant, places),
        items=views,
        places=places,
        is_cut=len(rows) > MAX_PLACES,
        at=format_rfc3339(now_us),
    )


def _facts(portal: Portal, tenant: str | None, places: Sequence[PublicPlace]) -> CityFacts:
    """The city, told by its description and by what is shown, never by what is not. tenant: None for nowhere."""
    if tenant is None:
        return CityFacts(UNTITLED, (0.0, 0.0), NOWHERE, "UTC", None, None)
    city, zone, title = portal.city(tenant), str(portal.zone(tenant)), portal.settings.title
    if city is not None:
        plan = MAP_PATH if tenant == DEFAULT_TENANT else f"{MAP_PATH}?tenant={quote(tenant)}"
        return CityFacts(title or city.title, city.center, city.bounds, zone, plan, city.attribution)
    points = [(place.lon, place.lat) for place in places if place.lon is not None and place.lat is not None]
    if not points:
        return CityFacts(title or UNTITLED, (0.0, 0.0), NOWHERE, zone, None, None)
    (west, south), (east, north) = map(min, zip(*points, strict=True)), map(max, zip(*points, strict=True))
    bounds = Box(west - MARGIN_DEG, south - MARGIN_DEG, east + MARGIN_DEG, north + MARGIN_DEG)
    return CityFacts(title or UNTITLED, ((west + east) / 2, (south + north) / 2), bounds, zone, None, None)


async def _places(portal: Portal, database: Database, rows: Sequence[asyncpg.Record]) -> list[PublicPlace]:
    terms = portal.store.terms(database)
    values = await database.fetch(_SQL["values"], [row["key"] for row in rows])
    names = await terms.iris({row["term_key"] for row in values} | {key for row in rows for key in row["types"]})
    found = {
        row["key"]: PublicPlace(
            id=row["id"],
            title=called(None, row["id"]),
            type=type_label(compact(names[row["types"][0]])) if row["types"] else "",
            items=[],
            lon=None,
            lat=None,
            values=[],
        )
        for row in rows
    }
    for row in values:
        _take(found[row["entity_key"]], names[row["term_key"]], row)
    return list(found.values())


def _take(place: PublicPlace, name: str, row: asyncpg.Record) -> None:
    """One value of an entity: its name, its place, or something to be read."""
    if row["item"] not in place.items:
        place.items.append(row["item"])
    value = row["value"] if row["number"] is None else row["number"]
    if name == NAME:
        place.title = called(value, place.id)
    elif row["kind"] == Kind.GEO_PROPERTY:
        place.lon, place.lat = row["lon"], row["lat"]
    else:
        short = compact(name)
        place.values.append(
            PublicValue(
                item=row["item"],
                attribute=short,
                label=attribute_label(short),
                unit=unit_label(row["unit"]),
                value=row["number"],
                told=in_words(value, row["unit"]),
                observed_at=None if row["observed_at"] is None else format_rfc3339(row["observed_at"]),
            )
        )


async def public_series(
    portal: Portal, tenant: str, entity_id: str, attribute: str, from_us: int, to_us: int, points: int
) -> PublicSeries:
    """A chart of what everyone may see. Raises NotFound, InvalidQuery, TooLarge."""
    _, database = await anyone_of(portal, tenant)
    series = await _series(database, entity_id, attribute)
    chart = await downsample(database, series["key"], from_us, to_us, points)
    short = compact(expand(attribute))
    return PublicSeries(
        id=entity_id,
        attribute=short,
        label=attribute_label(short),
        unit=unit_label(series["unit"]),
        item=series["item"],
        t_ms=(chart.at_us // 1_000).tolist(),
        v=chart.values.tolist(),
        low=chart.low.tolist(),
        high=chart.high.tolist(),
        gaps_ms=[(start // 1_000, end // 1_000) for start, end in chart.gaps_us],
    )


async def series_csv(portal: Portal, tenant: str, entity_id: str, attribute: str, from_us: int, to_us: int) -> bytes:
    """The same as a file, with its licence in every row. Raises NotFound, InvalidQuery."""
    _, database = await anyone_of(portal, tenant)
    series = await _series(database, entity_id, attribute)
    found = await read_range(database, series["key"], from_us, to_us, MAX_CSV_ROWS)
    licence = (await portal.access.publications.shown(tenant)).items[series["item"]].licence
    unit, short = unit_label(series["unit"]), compact(expand(attribute))
    rows = (
        (entity_id, short, unit, format_rfc3339(at_us), repr(value), licence)
        for at_us, value in zip(found.at_us.tolist(), found.values.tolist(), strict=True)
    )
    return _csv(("entity", "attribute", "unit", "observed_at_utc", "value", "licence"), rows)


def values_csv(page: PublicPage, item: int | None) -> bytes:
    """The newest values of an item, or of all, as a file."""
    licences = {view.item: view.licence for view in page.items}
    header = ("entity", "title", "type", "lon", "lat", "attribute", "unit", "observed_at_utc", "value", "licence")
    rows = (
        (
            *(place.id, place.title, place.type, "" if place.lon is None else place.lon),
            *("" if place.lat is None else place.lat, value.attribute, value.unit, value.observed_at or ""),
            *(value.told if value.value is None else repr(value.value), licences[value.item]),
        )
        for place in page.places
        for value in place.values
        if item is None or value.item == item
    )
    return _csv(header, rows)


async def _series(database: Database, entity_id: str, attribute: str) -> asyncpg.Record:
    row = await database.fetchrow(_SQL["series"], entity_id, expand(attribute))
    if row is None:
        raise NotFound("nothing of this is shown to everyone", where="id, attribute")
    return row


def _csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()
