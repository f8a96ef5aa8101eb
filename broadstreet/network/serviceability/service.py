"""What can be had at a place: the question that every customer asks first, answered from a plan that is kept ready.

All that does not hang on the place is worked out once (`Serviceability`): what is free of each cable and splitter, how
one fibre more comes to each site, the cheapest cable from there to every node, after each phase. An answer then takes
a look for the nearest way and a walk back to where its cable begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from broadstreet.network.design import Statement, What
from broadstreet.network.ground import Architecture, Ground, Optics
from broadstreet.network.ground.ground import NO_STREET
from broadstreet.network.light import loss_db
from broadstreet.network.serviceability.answer import Answer, Hop, How, Line, Offer, Product
from broadstreet.network.serviceability.feeding import Feed, Feeding
from broadstreet.network.serviceability.laying import Piece, Tariff
from broadstreet.network.serviceability.places import Places, Spot
from broadstreet.network.serviceability.reach import Reach, Start, extended
from broadstreet.network.serviceability.stages import Passage, Stages
from broadstreet.network.serviceability.tally import Tally


@dataclass(frozen=True, slots=True)
class Led:
    """A cable to a place: where it begins, and the pieces of ways it lies in."""

    start: Start
    pieces: tuple[Piece, ...]
    cents: float


class Serviceability:
    """Answers for one design, as it stands after so many phases (0: nothing stands yet)."""

    def __init__(
        self, ground: Ground, statement: Statement, architecture: Architecture, optics: Optics, *, built: int = 0
    ) -> None:
        self.ground, self.statement, self.architecture, self.optics = ground, statement, architecture, optics
        self.built = built
        self.places = Places(ground)
        self.stages = Stages(ground, statement)
        self.currency = ground.catalogue.currency
        products = (Product.SHARED, Product.OWN) if architecture.splitters else (Product.OWN,)
        self.reaches: list[Reach] = []
        for phase in range(max(1, built), max(self.stages.last, built) + 1):
            tariff = Tariff.after(ground, self.stages, phase)
            for product in products:
                feeding = Feeding(self.stages, ground.catalogue, architecture, phase, own=product is Product.OWN)
                self.reaches.append(Reach(feeding, tariff))
        self._planned = {row: self._as_planned(passage) for row, passage in self.stages.of_premises.items()}

    def at(self, lon: float, lat: float) -> Answer:
        """What can be had at a place, in degrees. Raises what `Places.spot` does."""
        spot = self.places.spot(lon, lat)
        row = self.places.near(lon, lat)
        return self._answer(lon, lat, row, spot)

    def of(self, text: str) -> Answer:
        """What can be had at an address, or the premises with an id. Raises NotFound where there is none."""
        row = self.places.named(text)
        demand = self.ground.premises.demand
        lon, lat = float(demand.lon[row]), float(demand.lat[row])
        return self._answer(lon, lat, row, self.places.spot(lon, lat))

    def _answer(self, lon: float, lat: float, row: int | None, spot: Spot) -> Answer:
        ground, demand = self.ground, self.ground.premises.demand
        street = int(ground.ways.street[spot.way])
        offers = [offer for product in Product for offer in _cheaper(self._offers(product, row, spot))]
        return Answer(
            lon=lon,
            lat=lat,
            premises=demand.ids[row] if row is not None else "",
            label=demand.labels[row] if row is not None else "",
            street="" if street == NO_STREET else ground.streets[street],
            away_m=spot.away_m,
            currency=self.currency,
            offers=tuple(offers),
            refusal="" if offers else self._refusal(spot),
        )

    def _offers(self, product: Product, row: int | None, spot: Spot) -> Iterable[Offer]:
        """By phase; of one phase what is planned first."""
        planned = self._planned.get(row) if row is not None else None
        for reach in self.reaches:
            phase = reach.feeding.phase
            if reach.feeding.own != (product is Product.OWN):
                continue
            if planned is not None and planned.product is product and planned.phase <= phase:
                yield planned
                return
            passage = self.stages.of_premises.get(row) if row is not None else None
            offer = self._spare(reach, passage) if passage is not None and passage.phase <= phase else None
            offer = offer or self._anew(reach, spot)
            if offer is not None:
                yield offer

    def _tally(self, drop_m: float) -> Tally:
        """A bill with a drop in it."""
        drop, tally = self.ground.catalogue.drop, Tally()
        tally.each(What.DROP, "", drop)
        tally.add(What.DROP, "", drop_m, "m", drop.labour_per_m, drop.material_per_m)
        return tally

    def _as_planned(self, passage: Passage) -> Offer:
        items = self._tally(float(self.ground.premises.drop_m[passage.premises])).items()
        loss_db, margin_db = self._light(passage.length_m, passage.joints, self.architecture.splitters)
        is_today = passage.phase <= self.built
        built = f"is built in phase {passage.phase}" if self.stages.last > 1 else "comes with the plan"
        when = "stands already" if is_today else built
        last = passage.hops[-1].first if passage.hops else ""
        return Offer(
            product=Product.SHARED if self.architecture.splitters else Product.OWN,
            how=How.PLANNED,
            phase=passage.phase,
            is_today=is_today,
            cents=sum(item.cents for item in items),
            items=items,
            hops=passage.hops,
            length_m=passage.length_m,
            dug_m=0.0,
            loss_db=loss_db,
            margin_db=margin_db,
            shared_by=self.architecture.split,
            line=self._line(passage.length_m, passage.joints, is_own=not self.architecture.splitters),
            spare=self._spare_at(last),
            why=f"It is one of those whom the plan serves: its way {when}, and only its drop is left to pay for.",
        )

    def _spare(self, reach: Reach, passage: Passage) -> Offer | None:
        """Another fibre to whom the plan serves, in the same drop; None where that has none free, or none comes to its
        beginning."""
        feeding, hop = reach.feeding, passage.hops[-1]
        source, cable = feeding.at.get(hop.first), self.stages.cables[hop.cable]
        feed = (
            feeding.along(cable, cable.sites.index(hop.first), cable.sites.index(hop.last), source) if source else None
        )
        if feed is None:
            return None
        tally = self._tally(float(self.ground.premises.drop_m[passage.premises]))
        tally.take(feed.items)
        return self._offer(
            How.SPARE,
            reach,
            feed,
            feed.joints + 1,
            tally,
            0.0,
            "A fibre of the drop that the plan builds is free.",
        )

    def _offer(
        self, how: How, reach: Reach, feed: Feed, joints: int, tally: Tally, dug_m: float, why: str
    ) -> Offer | None:
        """An offer of a fibre that ends at a place; None where it is too long, or loses too much."""
        loss_db, margin_db = self._light(feed.length_m, joints, feed.splitters)
        longest_m = min(self.architecture.longest_way_m, self.optics.classes[self.statement.optical_class].longest_m)
        if margin_db < 0 or feed.length_m > longest_m:
            return None
        items, is_own = tally.items(), reach.feeding.own
        return Offer(
            product=Product.OWN if is_own else Product.SHARED,
            how=how,
            phase=reach.feeding.phase,
            is_today=reach.feeding.phase <= self.built,
            cents=sum(item.cents for item in items),
            items=items,
            hops=feed.hops,
            length_m=feed.length_m,
            dug_m=dug_m,
            loss_db=loss_db,
            margin_db=margin_db,
            shared_by=1 if is_own else self.architecture.split,
            line=self._line(feed.length_m, joints, is_own=is_own),
            spare=feed.spare,
            why=why,
        )

    def _spare_at(self, site: str) -> int:
        """How many further customers a site can take once all is built."""
        latest = next(
            reach for reach in reversed(self.reaches) if reach.feeding.own == (not self.architecture.splitters)
        )
        feed = latest.feeding.at.get(site)
        return feed.spare if feed is not None else 0

    def _line(self, length_m: float, joints: int, *, is_own: bool) -> Line:
        """What lights a path, and how fast."""
        optics, names = self.optics, [self.architecture.optical_class]
        if is_own:
            connectors = min(self.architecture.connectors, joints)
            for name, one in sorted(optics.classes.items()):
                lost_db = loss_db(optics, name, length_m, joints=joints, connectors=connectors, splitters=())
                is_bright = one.least_loss_db <= lost_db <= one.most_loss_db - optics.margin_db
                if not one.is_shared and is_bright and length_m <= one.longest_m:
                    names.append(name)
        fastest = max(names, key=lambda name: optics.classes[name].down_mbit_per_s or 0.0)
        return Line(fastest, optics.classes[fastest].down_mbit_per_s, optics.classes[fastest].up_mbit_per_s)

    def _light(self, length_m: float, joints: int, splitters: Sequence[int]) -> tuple[float, float]:
        """A path's worst loss, and what its class leaves beside it and the margin."""
        optics, wanted = self.optics, self.architecture.optical_class
        connectors = min(self.architecture.connectors, joints)
        lost_db = loss_db(optics, wanted, length_m, joints=joints, connectors=connectors, splitters=splitters)
        return lost_db, optics.classes[wanted].most_loss_db - optics.margin_db - lost_db

    def _anew(self, reach: Reach, spot: Spot) -> Offer | None:
        """Connecting a place that the plan has not foreseen, after a phase; None where its drop would be too long, its
        light too weak, or nothing leads there."""
        longest_m = self.architecture.longest_drop_m
        way = self.way(reach, spot) if spot.away_m <= longest_m else None
        if way is None:
            return None
        start, along_m = way.start, sum(length_m for _, length_m in way.pieces)
        is_drop = along_m + spot.away_m <= longest_m
        tally = self._tally(spot.away_m)
        tally.take((*start.feed.items, *start.items))
        reach.tariff.count(tally, way.pieces)
        if not is_drop:
            tally.take(reach.feeding.closure())
            tally.each(What.JOINT, "", self.ground.catalogue.splice)
        joints = start.feed.joints + (0 if start.feed.is_terminal else 1) + (1 if is_drop else 2)
        laid_m = along_m + spot.away_m
        hops = (*start.feed.hops, Hop("", start.site, "", laid_m))
        feed = replace(start.feed, hops=hops, length_m=start.feed.length_m + laid_m)
        dug_m = reach.tariff.dug_m(way.pieces)
        how = How.DROP if is_drop else How.EXTENSION
        return self._offer(how, reach, feed, joints, tally, dug_m, _why(start, along_m, dug_m, spot, how))

    def way(self, reach: Reach, spot: Spot) -> Led | None:
        """The cheapest cable to a spot: by either end of its way, or out of a cable that lies there."""
        ways, tariff = self.ground.ways, reach.tariff
        length_m = float(ways.length_m[spot.way])
        found = []
        for node, piece_m in ((int(ways.a[spot.way]), spot.along_m), (int(ways.b[spot.way]), length_m - spot.along_m)):
            led = reach.way_to(node)
            if led is not None:
                start, pieces = led
                last = [(spot.way, piece_m)] if piece_m > 0 else []
                cents = float(reach.cents[node]) + sum(tariff.cents(piece) for piece in last)
                found.append(Led(start, (*pieces, *last), cents))
        inside = reach.in_way.get(spot.way)
        if inside is not None and 0 < spot.along_m < length_m:
            in_m = spot.along_m if inside.node == int(ways.a[spot.way]) else length_m - spot.along_m
            start = replace(inside, feed=extended(inside.feed, in_m))
            found.append(Led(start, (), float(start.cents)))
        return min(found, key=lambda way: way.cents, default=None)

    def _refusal(self, spot: Spot) -> str:
        longest_m = self.architecture.longest_drop_m
        if spot.away_m > longest_m:
            return (
                f"The nearest way that may be dug is {spot.away_m:.0f} m away, and a drop has {longest_m:.0f} m at the "
                "most: a way must be opened nearer to it."
            )
        return "No free fibre leads there within the optical class: a cabinet or an office must be set up nearer to it."


def _cheaper(offers: Iterable[Offer]) -> list[Offer]:
    """Those that are cheaper than whatever can be had before them."""
    kept = list[Offer]()
    for offer in offers:
        if not kept or offer.cents < kept[-1].cents:
            kept.append(offer)
    return kept


def _why(start: Start, along_m: float, dug_m: float, spot: Spot, how: How) -> str:
    begins = f"at {start.site}" if start.site else "in a new closure on a cable that has a fibre free"
    led = f"{along_m:.0f} m along ways, of which {dug_m:.0f} m must be dug" if along_m else "from the way right there"
    drop = f"a drop of {spot.away_m:.0f} m"
    laid = f"by {drop}" if how is How.DROP else f"to a closure of its own, and {drop} from there"
    return f"It begins {begins}, {led}, {laid}."
