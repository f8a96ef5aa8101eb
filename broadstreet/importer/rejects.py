"""The reject file: every reading that was not taken, with its line, the reason, and the line as it stood.

It grows in step with the import: its length is written down in the transaction that says how far the import is, so
that after a crash what was written too far is cut off, and no line is there twice or missing.
"""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from broadstreet.importer.readings import Reject

HEADER: Final = ("line", "column", "readings", "reason", "detail", "original")


class RejectFile:
    """One import's reject file; there is none on disk until something is rejected."""

    def __init__(self, path: Path, length_bytes: int) -> None:
        """length_bytes: how much of it stands; whatever follows is cut off."""
        self.path = path
        # Somebody may have taken the file away: what it held is theirs then, and a new one begins.
        self.length_bytes = min(length_bytes, path.stat().st_size if path.exists() else 0)
        self.reasons: Counter[str] = Counter()
        if path.exists():
            os.truncate(path, self.length_bytes)
        if self.length_bytes:
            with path.open(encoding="utf-8", newline="") as file:
                for row in csv.DictReader(file):
                    self.reasons[row["reason"]] += int(row["readings"])

    def append(self, rejects: Iterable[Reject]) -> None:
        """Write rejected readings, safely on disk when it returns."""
        text = io.StringIO()
        writer = csv.writer(text)
        if self.length_bytes == 0:
            writer.writerow(HEADER)
        count = 0
        for reject in rejects:
            writer.writerow(reject)
            self.reasons[reject.reason] += reject.readings
            count += 1
        if count == 0:
            return
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        data = text.getvalue().encode()
        with self.path.open("ab") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        self.length_bytes += len(data)
