"""Which Python modules a package brings at its root.

The worker asks: a package that brings a module which a zygote has imported already needs a zygote without it.
"""

from __future__ import annotations

from collections.abc import Iterable

_SUFFIXES = (".py", ".pyc", ".so")


def top_level_modules(paths: Iterable[str]) -> frozenset[str]:
    """Names importable from the root: `x.py`, `x.pyc`, `x.so`, `x.<tags>.so`, and `x/`, with or without __init__.py.

    `paths` are relative, of files and links. A link without a suffix may lead to a directory, and counts.
    """
    names = set()
    for path in paths:
        first, slash, _ = path.partition("/")
        if slash or "." not in first:
            names.add(first)
        elif first.endswith(_SUFFIXES):
            names.add(first.partition(".")[0])
    return frozenset(name for name in names if name.isidentifier())
