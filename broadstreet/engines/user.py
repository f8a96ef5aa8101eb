"""Whom the engines run as.

PostgreSQL refuses to run as root. So where we are root, which is common in containers, both engines run as a system
user of their own, made once. That user must be able to walk to its programs and its data: folders on the way that are
closed to it are opened for walking through (not for listing), and that is logged. Where we are not root, the engines
run as ourselves and nothing here happens.
"""

from __future__ import annotations

import logging
import os
import pwd
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from broadstreet.model.errors import EngineFailed

SYSTEM_USER = "broadstreet"
MAKE_USER = ("useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER)
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EngineUser:
    """A system user that engines run as."""

    uid: int
    gid: int

    def own(self, path: Path) -> None:
        """Give a file or folder to this user."""
        os.chown(path, self.uid, self.gid)

    def let_in(self, path: Path) -> None:
        """Let this user walk to `path`: every folder above it becomes passable."""
        for folder in path.resolve().parents:
            mode = stat.S_IMODE(folder.stat().st_mode)
            passable = folder.stat().st_gid == self.gid and mode & stat.S_IXGRP
            if not passable and not mode & stat.S_IXOTH:
                logger.warning("opening %s for passing through, so that %s can run", folder, SYSTEM_USER)
                folder.chmod(mode | stat.S_IXOTH)


def engine_user() -> EngineUser | None:
    """The system user for the engines if we are root, else None. Raises EngineFailed if it cannot be made."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        try:
            subprocess.run(MAKE_USER, check=True, capture_output=True)
            entry = pwd.getpwnam(SYSTEM_USER)
        except (subprocess.CalledProcessError, OSError, KeyError) as error:
            raise EngineFailed(
                f"PostgreSQL does not run as root, and the system user {SYSTEM_USER!r} cannot be made: {error}",
                remedy=f"Make it ({' '.join(MAKE_USER)}), or run Broadstreet as an ordinary user.",
            ) from error
    return EngineUser(entry.pw_uid, entry.pw_gid)
