"""Whether bytes are JSON, without keeping what they say.

SQLite's parser works without the interpreter's lock and builds no objects: in a thread it stalls nobody, however large
the text is.
"""

from __future__ import annotations

import sqlite3


def is_json(payload: bytes) -> bool:
    """Whether it is one JSON value in UTF-8. For a thread if it is large."""
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
