"""Why a socket is not read for now: back-pressure, each cause by itself."""

from __future__ import annotations

from enum import IntFlag


class Hold(IntFlag):
    """Reading goes on when no cause is left."""

    SIGNING_IN = 1
    PRESSURE = 2
    """The packer holds as much as it may."""
    UNACKNOWLEDGED = 4
    """The connection awaits as many acknowledgements as it may."""
    UNREAD = 8
    """The client does not take what was written to it."""
    REFUSED = 16
    """Its messages were refused, and its version cannot say so."""
    TURN = 32
    """It has had its turn; the others come first."""
    SESSION = 64
    """Its session's record is being written."""
    PACE = 128
    """It sends faster than it may."""
    TOPIC = 256
    """It is asked which device it speaks for."""
