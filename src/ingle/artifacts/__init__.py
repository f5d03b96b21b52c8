"""Deployment packages: verified before they are acknowledged, kept by content, extracted once and safely.

Errors are exported here for those that translate them.
"""

from __future__ import annotations

from ingle.artifacts.errors import (
    CorruptPackage,
    EmptyPackage,
    EncryptedPackage,
    NotAZip,
    PackageError,
    PackageMissing,
    SealError,
    TooManyEntries,
    UnsafePackage,
    UnsupportedCompression,
    UnzippedTooLarge,
)

__all__ = [
    "CorruptPackage",
    "EmptyPackage",
    "EncryptedPackage",
    "NotAZip",
    "PackageError",
    "PackageMissing",
    "SealError",
    "TooManyEntries",
    "UnsafePackage",
    "UnsupportedCompression",
    "UnzippedTooLarge",
]
