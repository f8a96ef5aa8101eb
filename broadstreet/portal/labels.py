"""Labels of prepared devices: for each claim code its address, and the QR code that a phone opens it by.

The code stands behind `#` in the address, which a browser keeps to itself: no log of addresses has it.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from broadstreet.portal.enrolment import qr_svg

MAX_LABELS: Final = 200
"""Drawn in one answer."""
MAX_CODE_LENGTH: Final = 40
CLAIM_PAGE: Final = "/claim"


class WantedLabels(msgspec.Struct, frozen=True):
    """The claim codes to draw labels of."""

    codes: Annotated[
        list[Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_CODE_LENGTH, pattern=r"^[0-9A-Za-z -]+$")]],
        msgspec.Meta(min_length=1, max_length=MAX_LABELS),
    ]


class Label(msgspec.Struct, frozen=True):
    """A label: the code, the address it opens, the same as a QR code."""

    code: str
    url: str
    qr_svg: str


def draw_labels(wanted: WantedLabels, origin: str) -> list[Label]:
    """Labels in the order of their codes. origin: where the portal is, without a slash at its end."""
    addresses = [f"{origin}{CLAIM_PAGE}#{code.replace(' ', '-')}" for code in wanted.codes]
    return [Label(code, url, qr_svg(url)) for code, url in zip(wanted.codes, addresses, strict=True)]
