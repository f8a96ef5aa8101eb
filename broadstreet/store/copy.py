"""PostgreSQL's binary COPY format, built with numpy: no Python object a row.

The format is in the manual under COPY, "Binary Format": a signature, two int32 (flags, extension length), then for each
row an int16 field count and, for each field, its int32 length and its bytes, big-endian; an int16 of -1 ends it.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

COPY_SIGNATURE: Final = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
_TRAILER: Final = struct.pack(">h", -1)


def copy_row_type(fields: Sequence[np.dtype[Any]]) -> np.dtype[np.void]:
    """A row of fields of fixed width, none of them null: `fields`, then `len0`, `field0`, `len1`, …"""
    layout: list[tuple[str, str]] = [("fields", ">i2")]
    for number, field in enumerate(fields):
        layout += [(f"len{number}", ">i4"), (f"field{number}", field.newbyteorder(">").str)]
    return np.dtype(layout)


def encode_copy(columns: Sequence[npt.NDArray[Any]]) -> bytes:
    """Columns of one length, of int16, int32, int64 or float64, as one binary COPY file without nulls.

    A timestamptz is an int64 of microseconds since POSTGRES_EPOCH_US.
    """
    rows = np.empty(len(columns[0]), copy_row_type([column.dtype for column in columns]))
    rows["fields"] = len(columns)
    for number, column in enumerate(columns):
        rows[f"len{number}"] = column.itemsize
        rows[f"field{number}"] = column
    return COPY_SIGNATURE + rows.tobytes() + _TRAILER
