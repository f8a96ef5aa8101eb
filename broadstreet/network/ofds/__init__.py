"""The Open Fibre Data Standard 0.4: networks read, checked, mended, drawn and written, with nothing lost on the way.

In comes a file: a network package, JSON Lines, a GeoPackage, or GeoJSON, of nodes and spans together, apart, or spans
alone.
`Source` goes through it network by network, `read_package` takes it whole; `Faults` says what is wrong with it, each
with its path, its place and what to do. `mend` puts right what is sure. `layers_of` draws a network, `plant_of` says
what lies there, and `Usable` what of that a ground may use (`unused_faults` what not); `survey` counts it; `designed`
makes one of a plan. `report` and `convert` are what the commands say and do. `write_package`, `write_lines`,
`write_pair` and `write_base` write them, `tables_of` lays them out as the standard's CSV.

What must always hold: what was read and is written says the same, member by member, whatever it was, in each of the
four forms; no file, however wrong, does more than raise an error of ours; memory is bounded by `MAX_DOCUMENT_BYTES`;
lengths are those on the ellipsoid; what `designed` hands out breaks no rule of the standard.
"""

from broadstreet.network.ofds.checking import check, examine
from broadstreet.network.ofds.design import Plan, PlannedNode, PlannedPhase, PlannedSpan, designed
from broadstreet.network.ofds.document import MAX_DOCUMENT_BYTES
from broadstreet.network.ofds.fault import Fault, Faults, Kind, Severity
from broadstreet.network.ofds.layers import Layers, layers_of
from broadstreet.network.ofds.lines import Taking, Unused, Usable
from broadstreet.network.ofds.mending import Mend, mend
from broadstreet.network.ofds.network import VERSION, Network, Node, Package, Span
from broadstreet.network.ofds.plant import Carrier, Plant, Site, Stretch, Survey, plant_of, survey
from broadstreet.network.ofds.reporting import Conversion, Report, Target, convert, fault_map, report
from broadstreet.network.ofds.source import Form, Source, read_package
from broadstreet.network.ofds.standing import unused_faults
from broadstreet.network.ofds.tables import columns_of, tables_of
from broadstreet.network.ofds.writing import write_base, write_json, write_lines, write_package, write_pair

__all__ = [
    "MAX_DOCUMENT_BYTES",
    "VERSION",
    "Carrier",
    "Conversion",
    "Fault",
    "Faults",
    "Form",
    "Kind",
    "Layers",
    "Mend",
    "Network",
    "Node",
    "Package",
    "Plan",
    "PlannedNode",
    "PlannedPhase",
    "PlannedSpan",
    "Plant",
    "Report",
    "Severity",
    "Site",
    "Source",
    "Span",
    "Stretch",
    "Survey",
    "Taking",
    "Target",
    "Unused",
    "Usable",
    "check",
    "columns_of",
    "convert",
    "designed",
    "examine",
    "fault_map",
    "layers_of",
    "mend",
    "plant_of",
    "read_package",
    "report",
    "survey",
    "tables_of",
    "unused_faults",
    "write_base",
    "write_json",
    "write_lines",
    "write_package",
    "write_pair",
]
