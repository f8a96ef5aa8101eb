"""How much of a map is read."""

from __future__ import annotations

from typing import Final

MAX_EXTRACT_BYTES: Final = 48_000_000
"""The largest extract that is read: a city of more than a million and what lies about it, in a minute or two and 3 GB
of memory. A country takes another tool."""
