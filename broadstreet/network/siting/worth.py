"""What is paid month by month, as if it were paid today."""

from __future__ import annotations

from broadstreet.network.siting.prices import SensorPrices, Service


def worth_cents(prices: SensorPrices, service: Service) -> int:
    """All of a service's price: what it costs once, and its months' present value."""
    return service.each_cents + present_cents(service.per_month, prices.years, prices.interest)


def present_cents(per_month: int, years: float, interest: float) -> int:
    """The present value of so much at the end of each month, in whole cents."""
    months = round(years * 12)
    rate = (1 + interest) ** (1 / 12) - 1
    worth = months if rate == 0 else (1 - (1 + rate) ** -months) / rate
    return round(per_month * worth)
