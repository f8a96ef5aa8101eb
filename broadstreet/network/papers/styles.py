"""How each layer is drawn in QGIS: the hand of the portal, told apart by width, dash and shape as well as by colour.

A style is QML, QGIS's own form, of the parts that it needs and no others; what is left out QGIS fills in.
"""

from __future__ import annotations

from typing import Final
from xml.etree.ElementTree import Element, SubElement, tostring

from broadstreet.network.papers.layers import Layer

INK, MUTED, LINE, FIBRE, RED = "26,29,33,255", "91,98,107,255", "217,214,204,255", "11,110,117,255", "200,55,31,255"
Symbol = tuple[str, dict[str, str]]


def _line(colour: str, width_mm: float, style: str = "solid") -> Symbol:
    shared = {"line_color": colour, "line_width": f"{width_mm:g}", "line_width_unit": "MM", "line_style": style}
    return "line", {**shared, "capstyle": "round", "joinstyle": "round"}


def _marker(name: str, size_mm: float, fill: str, outline: str = INK) -> Symbol:
    shared = {"name": name, "size": f"{size_mm:g}", "size_unit": "MM", "color": fill, "outline_color": outline}
    return "marker", {**shared, "outline_width": "0.3", "outline_width_unit": "MM", "outline_style": "solid"}


PAPER: Final = "251,250,245,255"
_ROLES: Final = {"feeder": _line(INK, 1.0), "distribution": _line(FIBRE, 0.6), "drop": _line(FIBRE, 0.3)}
STYLES: Final[dict[str, tuple[str, dict[str, Symbol]]]] = {
    "phases": ("", {"": _line(LINE, 2.2)}),
    "ways": ("carries", {**_ROLES, "": _line(MUTED, 0.4, "dot")}),
    "ducts": ("", {"": _line(MUTED, 0.3, "dash")}),
    "cables": ("role", {"feeder": _line(INK, 0.5), "distribution": _line(FIBRE, 0.3)}),
    "drops": ("", {"": _line(FIBRE, 0.15)}),
    "premises": ("served", {"true": _marker("circle", 1.2, INK), "false": _marker("circle", 1.2, PAPER, MUTED)}),
    "sites": (
        "kind",
        {
            "office": _marker("square", 4.5, INK),
            "cabinet": _marker("diamond", 3.8, FIBRE),
            "closure": _marker("circle", 1.8, PAPER, FIBRE),
        },
    ),
}
"""By layer: the column whose values have symbols of their own (none: all have one), and the symbols."""


def style_of(layer: Layer) -> str:
    """A layer's style as QML."""
    column, symbols = STYLES[layer.name]
    qgis = Element("qgis", version="3.28.0", styleCategories="Symbology")
    renderer = SubElement(qgis, "renderer-v2", forceraster="0", symbollevels="0", enableorderby="0")
    if column:
        renderer.attrib |= {"type": "categorizedSymbol", "attr": column}
        categories = SubElement(renderer, "categories")
        for number, value in enumerate(symbols):
            label = value or "nothing yet"
            SubElement(categories, "category", render="true", symbol=str(number), value=value, label=label)
    else:
        renderer.attrib["type"] = "singleSymbol"
    found = SubElement(renderer, "symbols")
    for number, (kind, options) in enumerate(symbols.values()):
        symbol = SubElement(found, "symbol", type=kind, name=str(number), alpha="1", clip_to_extent="1", force_rhr="0")
        simple = "SimpleLine" if kind == "line" else "SimpleMarker"
        drawn = SubElement(symbol, "layer", {"class": simple, "enabled": "1", "locked": "0", "pass": "0"})
        listed = SubElement(drawn, "Option", type="Map")
        for name, value in options.items():
            SubElement(listed, "Option", type="QString", name=name, value=value)
    return tostring(qgis, encoding="unicode")
