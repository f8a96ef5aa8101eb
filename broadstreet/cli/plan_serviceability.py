"""`broadstreet plan serviceability`: what can be had at a place by a plan in a file, when, and for how much."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from broadstreet.cli.console import console
from broadstreet.cli.place import place_of
from broadstreet.cli.plan_show import PlanArgument

if TYPE_CHECKING:
    from broadstreet.network.serviceability import Answer, Offer

EXIT_NOTHING = 1


def serviceability(
    file: PlanArgument,
    address: Annotated[
        str | None, typer.Argument(metavar="[ADDRESS]", help="An address of the plan's, or the id of premises.")
    ] = None,
    at: Annotated[str | None, typer.Option("--at", metavar="LON,LAT", help="A place, in degrees.")] = None,
    built: Annotated[int, typer.Option("--built", min=0, help="How many of the plan's phases stand already.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Say what can be had at an address or place: today, after which phase, over which way, at what cost. Status 1 for
    nothing."""
    import msgspec

    from broadstreet.model.errors import InvalidInput
    from broadstreet.network.scenarios.planfile import read_plan
    from broadstreet.network.serviceability import Serviceability

    if (address is None) == (at is None):
        raise InvalidInput("an address or a place is asked for", where="ADDRESS", remedy="Give one, or --at LON,LAT.")
    kept = read_plan(file).kept()
    sheets = kept.sheets
    service = Serviceability(kept.ground, kept.statement, sheets.architecture, sheets.optics, built=built)
    answer = service.of(address) if address is not None else service.at(*place_of(at or "", "--at"))
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(answer)).decode())
    else:
        _tell(answer, is_phased=service.stages.last > 1)
    if not answer.offers:
        raise typer.Exit(EXIT_NOTHING)


def _tell(answer: Answer, *, is_phased: bool) -> None:
    here = answer.label or f"{answer.lon:.6f}, {answer.lat:.6f}"
    on = f" by {answer.street}" if answer.street else ""
    console.print(f"{here}: {answer.away_m:.0f} m from the nearest way that may be dug{on}", markup=False)
    if not answer.offers:
        console.print(answer.refusal, markup=False)
    for offer in answer.offers:
        _tell_offer(offer, answer.currency, is_phased=is_phased)


def _tell_offer(offer: Offer, currency: str, *, is_phased: bool) -> None:
    product = "a fibre of its own" if offer.product == "own" else f"a fibre shared by {offer.shared_by} at most"
    built = f"after phase {offer.phase}" if is_phased else "once the plan is built"
    when = "today" if offer.is_today else built
    console.print(f"\n{product}, {when}, for {offer.cents / 100:,.2f} {currency}", markup=False)
    console.print(f"  {offer.why}", markup=False)
    light = f"{offer.length_m:,.0f} m, {offer.loss_db:.2f} dB, {offer.margin_db:.2f} dB within its class"
    console.print(f"  {light}; {offer.spare} more like it", markup=False)
    console.print(f"  {_speed(offer)}", markup=False)
    ways = Table("from", "to", "cable", "m")
    for hop in offer.hops:
        begins = hop.first or "a new closure"
        ways.add_row(begins, hop.last or "here", hop.cable or "new", f"{hop.length_m:,.1f}")
    bill = Table("item", "kind", "quantity", "unit", currency)
    for item in offer.items:
        bill.add_row(item.what, item.key, f"{item.quantity:,.1f}", item.unit, f"{item.cents / 100:,.2f}")
    console.print(ways)
    console.print(bill)


def _speed(offer: Offer) -> str:
    """How fast it is, and for whom."""
    line = offer.line
    if line.down_mbit_per_s is None or line.up_mbit_per_s is None:
        return f"light of class {line.optical_class}, whose speed the optics do not say"
    speed = f"{line.down_mbit_per_s / 1000:.3g} Gbit/s down and {line.up_mbit_per_s / 1000:.3g} up on the line"
    whose = "for this place alone" if offer.shared_by == 1 else f"shared by {offer.shared_by} at most"
    return f"{speed} ({line.optical_class}), {whose}"
