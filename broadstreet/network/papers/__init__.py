"""What a plan is handed over as: to those who dig, splice, pay and decide, and to other programs.

In comes a `Statement` with its ground, architecture and optics, and an `Imprint`; a `Dossier` of them is only had where
the checker finds nothing wrong. Out come files, by one door: `write_papers`. `tables` holds what is said row by row
(the bill and its parts, trench by street, cables, splices, splitters, ports, premises), `layers` what is drawn;
`lines`, `workbook`, `features`, `geopackage` write them down, `report` and `sheets` are pages that print, `network` is
the plan by the Open Fibre Data Standard, `plant` a page on which any network by it is drawn.

What must always hold: every table that says what is spent sums to the bill, to the cent; what is said of light is what
the checker walked; no text of a map or a person becomes a formula, a link or markup; equal plans give equal papers.
"""

from broadstreet.network.papers.colours import ColourCode
from broadstreet.network.papers.door import Format, file_name, media_type, parts_of_format, write_papers
from broadstreet.network.papers.dossier import Dossier, Imprint
from broadstreet.network.papers.layers import LAYERS, Layer, layers
from broadstreet.network.papers.plant import write_map_page
from broadstreet.network.papers.report import answer
from broadstreet.network.papers.table import Table
from broadstreet.network.papers.tables import TABLES, tables

__all__ = [
    "LAYERS",
    "TABLES",
    "ColourCode",
    "Dossier",
    "Format",
    "Imprint",
    "Layer",
    "Table",
    "answer",
    "file_name",
    "layers",
    "media_type",
    "parts_of_format",
    "tables",
    "write_map_page",
    "write_papers",
]
