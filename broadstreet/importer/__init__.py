"""The importer: tables of readings from elsewhere, taken in whole or not at all, line by line accounted for.

In come a file (CSV, also .gz, or Parquet), a mapping in TOML that says what its rows, columns and times mean, and
perhaps a table of locations (`prepare` checks each against the others). `Import` makes entities, devices and series of
the sensors and appends the readings, batch by batch; `Replay` sends the same readings as the devices themselves would,
over MQTT. `PastLoader` gives devices a past that a simulation made up.

What must always hold: accepted + rejected = the readings in the file; what is rejected stands in the reject file with
its line and the reason; a batch's readings, its counts and how far the file is come in one transaction, so that an
import killed at any moment goes on there, and one that is done is not done again; a local time that does not exist or
came twice is decided by the mapping's stated policy, counted, and never merged with another.
"""

from broadstreet.importer.checking import parse_mapping
from broadstreet.importer.importing import Import, ImportReport, Prepared, prepare
from broadstreet.importer.mapping import Mapping
from broadstreet.importer.past import Loaded, Past, PastLoader
from broadstreet.importer.replay import Pace, Replay, ReplayTotals
from broadstreet.importer.run import Totals

__all__ = [
    "Import",
    "ImportReport",
    "Loaded",
    "Mapping",
    "Pace",
    "Past",
    "PastLoader",
    "Prepared",
    "Replay",
    "ReplayTotals",
    "Totals",
    "parse_mapping",
    "prepare",
]
