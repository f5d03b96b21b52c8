"""Why a deployment package is refused, one tree.

PackageError
├── NotAZip                  no zip archive, or its directory cannot be read
│   └── EmptyPackage         an archive without entries
├── CorruptPackage           content and directory disagree (CRC, sizes)
│   ├── EncryptedPackage
│   └── UnsupportedCompression
├── UnsafePackage            an entry that would leave its place: traversal, absolute, duplicate, special file
├── TooManyEntries
├── UnzippedTooLarge         beyond 262144000 bytes
├── PackageMissing           asked for a package that is not kept
└── SealError                about the signature in a package
    ├── AlreadySealed        signed once more
    ├── UnsupportedArchive   fine to deploy, and nothing can be added to it in place
    └── BrokenSeal           not as it was when it was signed
"""

from __future__ import annotations


class PackageError(Exception):
    """Base: this package is refused. The message is for logs; what a caller is told is the control plane's."""


class NotAZip(PackageError):
    """The bytes are no zip archive."""


class EmptyPackage(NotAZip):
    """The archive has no entries."""


class CorruptPackage(PackageError):
    """The archive contradicts itself."""


class EncryptedPackage(CorruptPackage):
    """An entry needs a password."""


class UnsupportedCompression(CorruptPackage):
    """An entry is neither stored nor deflated."""


class UnsafePackage(PackageError):
    """An entry names a place that is not its own, or is no file, directory or symbolic link."""


class TooManyEntries(PackageError):
    """The archive has more entries than any package needs."""


class UnzippedTooLarge(PackageError):
    """Unzipped, the package is larger than AWS allows."""


class PackageMissing(PackageError):
    """The package is not in the store."""


class SealError(PackageError):
    """Base of what is about signatures."""


class AlreadySealed(SealError):
    """The package carries a signature."""


class UnsupportedArchive(SealError):
    """The archive is of a form that no signature can be put into."""


class BrokenSeal(SealError):
    """The archive is not one that was signed and left alone."""
