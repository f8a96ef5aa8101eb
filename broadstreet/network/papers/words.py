"""The trade's words, as the papers mean them."""

from __future__ import annotations

from typing import Final

WORDS: Final = {
    "Bound": "What no plan of this ground can cost less than; proved, not guessed.",
    "Cabinet": "A box in the street in which splitters stand and cables of an area end.",
    "Closure": "A watertight box in a chamber or duct in which fibres of cables are joined.",
    "Connector": (
        "Two fibre ends put together so that they can be taken apart again. It loses more light than a splice."
    ),
    "Customer": "Who gets a fibre. A premises may have several.",
    "Dark": "Of a fibre or joint: no light goes through it yet.",
    "Distribution": "Cables from a cabinet to the closures along the streets.",
    "Drop": "The last cable, from a closure to one premises.",
    "Duct": "A pipe, or a bundle of tubes, that lies in a trench and takes cables.",
    "Feeder": "A cable from the central office to a cabinet.",
    "Gap": "The share of the cost that lies between the plan and its bound: more than that cannot be saved.",
    "Leg": "One of a splitter's fibres on the customers' side, or the shared one on the office's.",
    "Loss": "How much weaker light becomes on its way, in decibels (dB): 3 dB are half, 10 dB nine tenths.",
    "Margin": "Loss that is kept free for repairs and age.",
    "Port": "A place at the central office's equipment at which a fibre begins.",
    "Premises": "A house, shop or site that is reached.",
    "Second way": "For a critical site another path to the office that shares no trench with the first.",
    "Spare": "Fibres that are laid beside those that are needed.",
    "Splice": "Two fibre ends fused for good.",
    "Splitter": "A small part without power that shares the light of one fibre among many: 1:32 among 32.",
    "Tray": "A flat box in a closure or cabinet in which splices lie.",
    "Way": "A piece of street, path or existing duct from one junction to the next.",
}
"""By word, in their order."""
