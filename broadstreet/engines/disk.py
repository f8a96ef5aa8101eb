"""How full the disk is. Ingest is refused at the watermark, before PostgreSQL or the log find no room to write."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from broadstreet.model.errors import DiskFull


@dataclass(frozen=True, slots=True)
class Disk:
    """The disk a data folder lies on, in bytes."""

    used_bytes: int
    free_bytes: int
    watermark_bytes: int
    """Less than this left is too little."""

    @property
    def is_full(self) -> bool:
        """Whether the watermark is reached."""
        return self.free_bytes < self.watermark_bytes


def look_at_disk(data_dir: Path, watermark_bytes: int) -> Disk:
    """How full the disk of the data folder is now."""
    usage = shutil.disk_usage(data_dir)
    return Disk(usage.used, usage.free, watermark_bytes)


def check_disk(data_dir: Path, watermark_bytes: int) -> None:
    """Raise DiskFull if less than `watermark_bytes` are left."""
    disk = look_at_disk(data_dir, watermark_bytes)
    if disk.is_full:
        raise DiskFull(
            f"only {disk.free_bytes // 1_000_000:,} MB are left on the disk, and {watermark_bytes // 1_000_000:,} MB "
            "are kept free; nothing was accepted",
            where=str(data_dir),
            remedy="Free some room and send it again.",
        )
