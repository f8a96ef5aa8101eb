"""Takes the picture in README.md of a running demo, in Debian's Chromium:

    .venv/bin/python docs/screenshots.py LINK

LINK is a one-time link, as `broadstreet demo` prints it.
"""

from __future__ import annotations

import shutil
import sys
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import ViewportSize, sync_playwright

PICTURE = Path(__file__).with_name("portal.png")
SIZE = ViewportSize(width=1440, height=900)
SETTLED_MS = 12_000
"""Until the map is drawn and some bars have moved."""
COLOURS = 128
CHROMIUM_OPTIONS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")


def take(link: str) -> None:
    """Signs in by the link and photographs the city page."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(CHROMIUM_OPTIONS))
        page = browser.new_page(viewport=SIZE, color_scheme="light", reduced_motion="reduce")
        page.goto(link)
        page.wait_for_timeout(SETTLED_MS)
        taken = page.screenshot()
        browser.close()
    # The page has few colours; a palette of them makes the file a third. An octree keeps the rare ones: the one red.
    picture = Image.open(BytesIO(taken)).convert("RGB").quantize(COLOURS, method=Image.Quantize.FASTOCTREE)
    picture.save(PICTURE, optimize=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    take(sys.argv[1])
