"""A plan with its ground and a business, made ready to be reckoned as often as one likes: what a case, a sensitivity
and a break-even ask of it."""

from __future__ import annotations

from dataclasses import dataclass

from broadstreet.model.errors import InvalidInput
from broadstreet.network.design import Statement
from broadstreet.network.ground import Ground
from broadstreet.network.ground.courses import F8
from broadstreet.network.investment.business import Business
from broadstreet.network.investment.custom import Custom, custom_of
from broadstreet.network.investment.flow import Flow, Levers, flow_of
from broadstreet.network.investment.outlay import Outlay, outlay_of
from broadstreet.network.investment.phasing import AreaValue, ranked, years_of
from broadstreet.network.investment.programme import Programme, Years, programme_of


@dataclass(frozen=True, eq=False)
class Venture:
    """What is built when, for whom, and how it is to be reckoned."""

    business: Business
    outlay: Outlay
    custom: Custom
    turns: tuple[AreaValue, ...]
    years: Years
    programme: Programme

    @classmethod
    def of(cls, statement: Statement, ground: Ground, business: Business) -> Venture:
        """A plan's. Raises InvalidInput where bill and business have different currencies; what `outlay_of` does."""
        if statement.bill.currency != business.currency:
            raise InvalidInput(
                f"the business reckons in {business.currency}, the plan's bill in {statement.bill.currency}",
                where="currency",
                remedy="Write the business in the currency of the catalogue that the plan was made with.",
            )
        outlay = outlay_of(statement, ground)
        return cls.again(outlay, custom_of(ground, outlay.rows, business), business)

    @classmethod
    def again(cls, outlay: Outlay, custom: Custom, business: Business) -> Venture:
        """The same plan with another business. custom: by that business."""
        turns = tuple(ranked(outlay, custom, business))
        years = years_of(outlay, business, turns)
        return cls(business, outlay, custom, turns, years, programme_of(outlay, custom, years, business.time.years))

    def flow(self, levers: Levers) -> Flow:
        return flow_of(self.programme, self.business, levers)

    def npv_cents(self, levers: Levers) -> F8:
        """The net present value at each setting."""
        return self.flow(levers).worth(self.business.time.falls)

    def area_npv_cents(self, area: int) -> float:
        """An area's part of it, before what is of the whole."""
        part = programme_of(self.outlay, self.custom, self.years, self.business.time.years, area)
        return float(flow_of(part, self.business, Levers.of(), is_part=True).worth(self.business.time.falls)[0])

    def area_year(self, area: int) -> int:
        """The first year in which premises of an area are built; 0: never."""
        years = self.years.premises[self.outlay.area_of == area]
        built = years[years > 0]
        return int(built.min()) if len(built) else 0
