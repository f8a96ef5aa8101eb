"""A ground and a statement as bytes: what came of seconds of reading and planning is there again in milliseconds.

Both are MessagePack with the name of their form before it; columns are their bytes, and come back as views of what was
read. A form that this Broadstreet does not know is told from a file that is broken: then one plans again.
"""

from __future__ import annotations

from typing import Any, Final, TypeVar

import msgspec
import numpy as np

from broadstreet.model.errors import Conflict, CorruptData
from broadstreet.network.design import Statement
from broadstreet.network.ground import Ground
from broadstreet.network.ground.beside import NO_STREET, StreetBy

GROUND_FORM: Final = b"broadstreet ground 2\n"
OLDER_GROUND_FORM: Final = b"broadstreet ground 1\n"
"""Of which ways' streets are all their own names: a plan that was made on one is shown as it was made."""
STATEMENT_FORM: Final = b"broadstreet statement 1\n"
T = TypeVar("T")


def pack_ground(ground: Ground) -> bytes:
    """The whole ground."""
    return GROUND_FORM + msgspec.msgpack.encode(ground, enc_hook=_packed)


def unpack_ground(data: bytes) -> Ground:
    """The ground again, of the same digest. Raises CorruptData, Conflict."""
    if not data.startswith(OLDER_GROUND_FORM):
        return _unpack(data, GROUND_FORM, Ground)
    older = _unpack(data, OLDER_GROUND_FORM, dict[str, Any])
    try:
        dtype, shape, street = older["ways"]["street"]
        by = np.where(np.frombuffer(street, dtype=dtype) == NO_STREET, StreetBy.NONE, StreetBy.NAME).astype(np.int8)
        older["ways"]["street_by"] = (by.dtype.str, shape, by.tobytes())
        return msgspec.convert(older, Ground, dec_hook=_unpacked)
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptData(f"what is kept of a plan cannot be read: {error}", remedy="Plan it again.") from error


def pack_statement(statement: Statement) -> bytes:
    """The whole statement."""
    return STATEMENT_FORM + msgspec.msgpack.encode(statement)


def unpack_statement(data: bytes) -> Statement:
    """The statement again. Raises CorruptData, Conflict."""
    return _unpack(data, STATEMENT_FORM, Statement)


def _unpack(data: bytes, form: bytes, kind: type[T]) -> T:
    if not data.startswith(form):
        raise Conflict("this plan was kept by another Broadstreet, in a form of its own", remedy="Plan it again.")
    try:
        return msgspec.msgpack.decode(memoryview(data)[len(form) :], type=kind, dec_hook=_unpacked)
    except (msgspec.DecodeError, ValueError) as error:
        raise CorruptData(f"what is kept of a plan cannot be read: {error}", remedy="Plan it again.") from error


def _packed(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return (value.dtype.str, value.shape, value.tobytes())
    raise TypeError(f"a plan holds no {type(value).__name__}")


def _unpacked(kind: type[Any], kept: Any) -> Any:
    dtype, shape, data = kept
    return np.frombuffer(data, dtype=dtype).reshape(shape)
