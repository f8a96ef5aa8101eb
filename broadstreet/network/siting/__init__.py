"""Where sensors go: sites that cover most people or streets, or leave a map least uncertain, connection paid.

In comes a `SitingCase`: a `Ground`, places where a sensor may stand (given, or `spread` along the streets), what stands
today, what reaches them (a fibre plan's closures, gateways of LoRaWAN, mobile), prices, and a count or a budget. Out
comes a `SitingStatement`: the sites in the order of what each gains, each with its connection and why that one; a bound
that no choice passes, with a certificate; what greed and chance come to. `prove` (in `proof/`) finds it all out anew.

What must always hold: a budget is never passed; a bound bounds every choice; equal cases give equal sites, but for what
the clock ends. To read it, follow `siting.py`: `reach` says what connects a place, `targets` who is covered, `covering`
and `exact` choose for coverage, `field`, `lowering` and `relaxation` for a map.
"""

from broadstreet.network.siting.case import Audience, Map, Measurement, Objective, SitingCase
from broadstreet.network.siting.covariance import Covariance
from broadstreet.network.siting.drawing import sites_csv, sites_geojson
from broadstreet.network.siting.fitting import fit
from broadstreet.network.siting.hanging import spread
from broadstreet.network.siting.mapping import grid
from broadstreet.network.siting.place import Gateway, Place
from broadstreet.network.siting.prices import SensorPrices, default_sensor_prices, read_sensor_prices
from broadstreet.network.siting.proof import Finding, FindingKind, prove
from broadstreet.network.siting.siting import choose_sites
from broadstreet.network.siting.statement import Bound, Means, Offer, Outcome, Rival, SitedSensor, SitingStatement

__all__ = [
    "Audience",
    "Bound",
    "Covariance",
    "Finding",
    "FindingKind",
    "Gateway",
    "Map",
    "Means",
    "Measurement",
    "Objective",
    "Offer",
    "Outcome",
    "Place",
    "Rival",
    "SensorPrices",
    "SitedSensor",
    "SitingCase",
    "SitingStatement",
    "choose_sites",
    "default_sensor_prices",
    "fit",
    "grid",
    "prove",
    "read_sensor_prices",
    "sites_csv",
    "sites_geojson",
    "spread",
]
