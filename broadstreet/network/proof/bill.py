"""Whether the bill is what the design costs: every item's quantity and price. Cents are rounded once for each item."""

from __future__ import annotations

from typing import Final

from broadstreet.network.proof.case import Case
from broadstreet.network.proof.finding import FindingKind as Kind
from broadstreet.network.proof.light import Path
from broadstreet.network.proof.optical import SAME_M
from broadstreet.network.proof.quantities import Amount, Key, Quantities

SAME_CENTS: Final = 1
"""By how much an item's price may differ where it is one of metres: halves are rounded up or down. What is counted by
the piece has no halves. No item's is below nothing: one that costs nothing would else be told to give a cent back."""


def check_bill(case: Case, paths: list[Path]) -> None:
    bill = case.statement.bill
    if bill.currency != case.catalogue.currency:
        case.report(Kind.CURRENCY, "the bill", bill.currency, case.catalogue.currency)
    true = Quantities(case, paths).amounts
    claimed: dict[Key, Amount] = {}
    for item in bill.items:
        amount = claimed.setdefault(Key(item.what, item.key, item.unit, item.phase), Amount(0.0, 0, 0))
        amount.quantity += item.quantity
        amount.labour += item.labour_cents
        amount.material += item.material_cents
    for key in sorted({*true, *claimed}):
        if key not in true:
            case.report(Kind.BILL_UNFOUNDED, str(key), f"{claimed[key].quantity:.2f}", "nothing of it is built")
        elif key in claimed:
            _check_item(case, key, claimed[key], true[key])
        elif true[key].quantity > SAME_M:
            case.report(Kind.BILL_MISSING, str(key), "nothing", f"{true[key].quantity:.2f}")
        else:
            _check_item(case, key, Amount(0.0, 0, 0), true[key])


def _check_item(case: Case, key: Key, claimed: Amount, true: Amount) -> None:
    """claimed: its cents are those of all of it; true: those of one."""
    quantity = true.quantity
    # Written so that what is no number is never the same.
    if not abs(claimed.quantity - quantity) <= SAME_M:
        case.report(Kind.BILL_QUANTITY, str(key), f"{claimed.quantity:.2f}", f"{quantity:.2f}")
    labour, material = claimed.labour, claimed.material
    if not true.is_parted:
        labour, material = labour + material, 0
    most = SAME_CENTS if key.unit == "m" else 0
    for what, cents, each in (("labour", labour, true.labour), ("material", material, true.material)):
        if cents < 0 or abs(cents - quantity * each) > most:
            wanted = f"{quantity:.2f} at {each} cents: {round(quantity * each)} cents"
            case.report(Kind.BILL_CENTS, f"{key}, {what if true.is_parted else 'in all'}", f"{cents} cents", wanted)
