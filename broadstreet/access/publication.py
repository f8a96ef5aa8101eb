"""What everyone may see without signing in: a policy of each tenant's, empty until somebody writes it.

It is a list of `Publication`s. Each names entity types, datasets or both, the attributes that are shown of them, how
coarse in place and time, how far back, and under which licence; nothing listed is nothing shown. A series is shown as
the first item says that names it. What comes of it is a reach, so the store's views keep to it.

Of personal data the class of a dataset decides (`personal_data`):

    none          shown as the item says
    pseudonymous  only as daily means, at places rounded to `PSEUDONYMOUS_POSITION_M` or more
    personal      never, nor special: a mean over time of one person's readings is still about that person

An item that would show more is refused when it is written, and where a dataset's class is raised later, its series are
no longer shown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Final, Literal

import msgspec

from broadstreet.access.audit import record
from broadstreet.access.principal import Principal
from broadstreet.access.reach import MAX_NAMES, ReachItem, check_datasets, check_names, reach_text
from broadstreet.model.clock import US_PER_S
from broadstreet.model.errors import Conflict, InvalidInput
from broadstreet.store import Database, load_queries

MAX_ITEMS: Final = 50
MAX_DAYS: Final = 36_600
PSEUDONYMOUS_POSITION_M: Final = 500
REMEMBERED_US: Final = US_PER_S
MAX_REMEMBERED: Final = 1_000
HOUR_S: Final = 3_600
DAY_S: Final = 24 * HOUR_S
GRAINS_S: Final[dict[str, int]] = {"hour": HOUR_S, "day": DAY_S}
_SQL = load_queries("public_view")
_TENANT_SQL = load_queries("publication")

Line = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Names = Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=MAX_NAMES)]


class Publication(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Some data that everyone may see, and how.

    types, datasets: whose; where both are given, both must hold. attributes: what is shown of them. means: instead of
    readings their means over whole hours or days (UTC); null: readings. position_m: places are rounded to so many
    metres; null: they are not. days: how far back; null: as far as the table of observations goes.
    """

    title: Line
    licence: Line
    attributes: Names
    types: Names | None = None
    datasets: Names | None = None
    description: Annotated[str, msgspec.Meta(max_length=2_000)] = ""
    means: Literal["hour", "day"] | None = None
    position_m: Annotated[int, msgspec.Meta(ge=10, le=50_000)] | None = None
    days: Annotated[int, msgspec.Meta(ge=1, le=MAX_DAYS)] | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """Of personal data that may be shown so."""
        is_coarse = self.means == "day" and (self.position_m or 0) >= PSEUDONYMOUS_POSITION_M
        return ("none", "pseudonymous") if is_coarse else ("none",)

    def checked(self, where: str) -> Publication:
        """The same with names as IRIs. Raises InvalidInput."""
        if self.types is None and self.datasets is None:
            raise InvalidInput("an item names entity types, datasets or both", where=where)
        return msgspec.structs.replace(
            self,
            types=None if self.types is None else check_names(self.types, f"{where}.types"),
            datasets=None if self.datasets is None else check_datasets(self.datasets, f"{where}.datasets"),
            attributes=check_names(self.attributes, f"{where}.attributes"),
        )

    def reach(self, place: int, now_us: int) -> ReachItem:
        """What it shows now."""
        grain_s = None if self.means is None else GRAINS_S[self.means]
        now_s = now_us // US_PER_S
        step_s = grain_s or HOUR_S
        return ReachItem(
            place=place,
            types=self.types,
            datasets=self.datasets,
            attributes=self.attributes,
            classes=self.classes,
            grain_s=grain_s,
            position_m=self.position_m,
            from_s=None if self.days is None else (now_s - self.days * DAY_S) // step_s * step_s,
            until_s=None if grain_s is None else now_s // grain_s * grain_s,
        )


class PublicView(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant's items, in order. version: 0 where nobody has ever written one."""

    version: int = 0
    items: tuple[Publication, ...] = ()
    changed_at_us: int | None = None
    changed_by: str | None = None


def reach_of(items: Sequence[Publication], now_us: int) -> str:
    """What everyone reaches by these items."""
    return reach_text(item.reach(place, now_us) for place, item in enumerate(items))


class Publications:
    """The public views of all tenants."""

    def __init__(self, control: Database, clock: Callable[[], int]) -> None:
        self._control = control
        self._clock = clock
        self._remembered: dict[str, tuple[int, PublicView]] = {}

    async def read(self, tenant: str) -> PublicView:
        """A tenant's public view; an empty one for a tenant that has none, or does not exist."""
        row = await self._control.fetchrow(_SQL["read"], tenant)
        if row is None:
            return PublicView()
        return PublicView(
            version=row["version"],
            items=msgspec.convert(row["items"], tuple[Publication, ...]),
            changed_at_us=row["changed_at"],
            changed_by=row["changed_by"],
        )

    async def anyone(self, tenant: str) -> Principal | None:
        """Whoever has not signed in, where anything is shown to them. A change is felt within `REMEMBERED_US`."""
        view = await self.shown(tenant)
        return Principal.anyone(tenant, reach_of(view.items, self._clock())) if view.items else None

    async def shown(self, tenant: str) -> PublicView:
        """As `read`, as it was within the last moment."""
        now_us = self._clock()
        good_until_us, view = self._remembered.get(tenant, (now_us, PublicView()))
        if good_until_us <= now_us:
            view = await self.read(tenant)
            if len(self._remembered) >= MAX_REMEMBERED:
                self._remembered.clear()
            self._remembered[tenant] = now_us + REMEMBERED_US, view
        return view

    async def write(
        self, tenant: str, database: Database, items: Sequence[Publication], *, version: int, by: str
    ) -> PublicView:
        """Say what everyone may see. version: of the view that this one was made from. database: the tenant's own.

        Raises InvalidInput for an item that would show personal data, Conflict where the view has changed meanwhile.
        """
        checked = await check_items(database, items)
        now_us = self._clock()
        before = await self.read(tenant)
        async with self._control.transaction() as connection:
            said = msgspec.to_builtins(checked)
            fresh = await connection.fetchval(_SQL["write"], tenant, version, said, now_us, by)
            if fresh is None:
                raise Conflict(
                    "the public view has changed meanwhile", remedy="Read it again, and make your change there."
                )
            detail = {"version": fresh, "before": msgspec.to_builtins(before.items), "after": said}
            await record(connection, now_us, by, "public-view.change", tenant, tenant=tenant, detail=detail)
        self._remembered.clear()
        return PublicView(version=fresh, items=checked, changed_at_us=now_us, changed_by=by)


async def check_items(database: Database, items: Sequence[Publication]) -> tuple[Publication, ...]:
    """Items with names as IRIs, none of which shows personal data. database: the tenant's own. Raises InvalidInput."""
    if len(items) > MAX_ITEMS:
        raise InvalidInput(f"a public view has at most {MAX_ITEMS} items", where="items")
    checked = tuple(item.checked(f"items[{place}]") for place, item in enumerate(items))
    for place, item in enumerate(checked):
        rows = await database.fetch(_TENANT_SQL["classes"], item.types, item.datasets, item.attributes)
        rows += await database.fetch(_TENANT_SQL["datasets"], item.datasets or ())
        for row in rows:
            if row["class"] not in item.classes:
                raise _personal(row["id"], row["class"], f"items[{place}]")
    return checked


def _personal(name: str, kind: str, where: str) -> InvalidInput:
    if kind == "pseudonymous":
        return InvalidInput(
            f"{name} holds pseudonymous data: a reading at a place can be led back to a person",
            where=where,
            remedy=f"Show daily means, at places rounded to {PSEUDONYMOUS_POSITION_M} m or more.",
        )
    word = "personal data" if kind == "personal" else "personal data of a special kind"
    return InvalidInput(
        f"{name} holds {word}: even a mean of one person's readings is about that person, and is shown to nobody",
        where=where,
        remedy="Publish a dataset of its own, made of figures over many people.",
    )
