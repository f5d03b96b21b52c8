"""Whether bytes are JSON, without keeping what they say.

Small ones are checked by orjson. It holds the interpreter's lock while it works, in any thread; SQLite's parser works
without the lock and builds no objects: in a thread it stalls nobody, however large the text is.
"""

from __future__ import annotations

import contextlib
import sqlite3

import orjson

#: Bytes up to which a check takes well below a millisecond, whatever the payload holds.
SMALL = 64 * 1024


def is_json(payload: bytes) -> bool:
    """Whether it is one JSON value in UTF-8. For a thread if it has more than SMALL bytes."""
    if len(payload) <= SMALL:
        # What it refuses may be JSON: half a surrogate pair, or a number beyond those that it knows.
        with contextlib.suppress(orjson.JSONDecodeError):
            orjson.loads(payload)
            return True
    return unlocked(payload)


def unlocked(payload: bytes) -> bool:
    """The same by SQLite."""
    if b"\0" in payload:
        return False
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError:
        return False
    connection = sqlite3.connect(":memory:")
    try:
        ((valid,),) = connection.execute("SELECT json_valid(?)", (text,))
    finally:
        connection.close()
    return bool(valid)
