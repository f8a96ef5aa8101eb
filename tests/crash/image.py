"""A file system in a file, whose power can be cut: what was not made safe by then is gone.

The cut is the kernel's own (`EXT4_IOC_SHUTDOWN` without a flush of the journal, as tests of file systems use it): from
one moment on the file system writes nothing more to its image, neither what waits in memory nor its journal. What is
mounted again is a copy of the image as it was then. What had been handed to the image and not flushed is in it, so that
a disk that loses its own cache at a cut is not tested.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Final

SHUTDOWN: Final = 0x8004587D
NO_LOG_FLUSH: Final = 2
PROGRAMS: Final = ("mkfs.ext4", "mount", "umount", "cp")


def can_mount() -> bool:
    """Whether this machine lets us mount an image."""
    return os.geteuid() == 0 and Path("/dev/loop-control").exists() and all(map(shutil.which, PROGRAMS))


class Image:
    """An image in a folder of its own, mounted beside it at `place`."""

    def __init__(self, folder: Path, size_bytes: int) -> None:
        self.place = folder / "disk"
        self._image = folder / "image"
        self._folder = folder
        self.place.mkdir()
        with self._image.open("wb") as file:
            file.truncate(size_bytes)
        _run("mkfs.ext4", "-q", "-F", "-m", "0", self._image)

    def mount(self) -> None:
        """Make it a file system."""
        _run("mount", "-o", "loop", self._image, self.place)

    def unmount(self) -> None:
        """Take it away, if it is mounted; whoever used it has ended."""
        if self.place.is_mount():
            _run("umount", self.place)

    def cut(self) -> None:
        """Cut the power."""
        descriptor = os.open(self.place, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(descriptor)

    def replace_by_copy(self) -> None:
        """After a cut and `unmount`: go on with a copy of what is there."""
        copy = self._folder / "copy"
        _run("cp", "--sparse=always", self._image, copy)
        copy.replace(self._image)


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True, capture_output=True)
