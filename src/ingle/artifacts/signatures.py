"""Signatures of packages: how one is made, and what the one in a package shows.

The seal in a package (`artifacts.sealing`) is a statement (`domain.signing.Statement`), one line of JSON, and below it
the Ed25519 signature of the line in hex. `signed` is used by the command line, `Signatures` by the control plane.
`cryptography` is imported with the first signature: most servers never see one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from ingle.artifacts import sealing
from ingle.artifacts.errors import BrokenSeal, PackageMissing
from ingle.domain.function import Package, Signature
from ingle.domain.signing import ALTERED, UNSIGNED, Evidence, Statement
from ingle.storage.errors import of_os_error
from ingle.storage.signing_profiles import SigningProfiles

#: Before what is signed: a signature for this purpose is none for another one.
_PURPOSE = b"Ingle package signature, version 1\n"
_SIGNATURE_BYTES = 64


def signed(zip_bytes: bytes, statement: Statement, sign: Callable[[bytes], bytes]) -> bytes:
    """`zip_bytes` with a signature in it; `statement` is about it. `sign` makes an Ed25519 signature of a message.

    Blocks. Raises PackageError.
    """
    line = statement.encode()
    return sealing.sealed(zip_bytes, line + b"\n" + sign(_PURPOSE + line).hex().encode("ascii") + b"\n")


class Signatures:
    """`zip_path` tells where the zip of a package that is kept is. Calls raise StorageError."""

    def __init__(self, profiles: SigningProfiles, zip_path: Callable[[Package], Path]) -> None:
        self._profiles = profiles
        self._zip_path = zip_path

    async def of_zip(self, zip_bytes: bytes) -> Evidence:
        """What a package shows that came with a request, whatever it is. Takes a thread only if it may be signed."""
        if not sealing.may_be_sealed(zip_bytes):
            return UNSIGNED
        return await asyncio.to_thread(self._examine, zip_bytes)

    async def of_package(self, package: Package) -> Evidence:
        """What a package that is kept shows now. Raises PackageMissing."""
        return await asyncio.to_thread(lambda: self._examine(self._read(package)))

    def _read(self, package: Package) -> bytes:
        try:
            return self._zip_path(package).read_bytes()
        except FileNotFoundError:
            raise PackageMissing(f"There is no package {package.digest}.") from None
        except OSError as error:
            raise of_os_error(error, f"reading package {package.digest}") from error

    def _examine(self, zip_bytes: bytes) -> Evidence:
        try:
            found = sealing.unsealed(zip_bytes)
        except BrokenSeal:
            return ALTERED if sealing.has_seal(zip_bytes) else UNSIGNED
        line, _, rest = found.content.partition(b"\n")
        statement, signature = Statement.decode(line), _signature(rest)
        if statement is None or signature is None or statement.package != found.digest:
            return ALTERED
        known = self._profiles.get(statement.profile)
        if known is None:
            return UNSIGNED  # claims a profile that nobody made here: a stranger's
        if not _verifies(known.key, signature, _PURPOSE + line):
            return ALTERED
        return Evidence(
            signature=Signature(profile_version_arn=statement.profile.arn, job_arn=statement.job.arn),
            expires=statement.expires,
            revoked=self._profiles.is_revoked(statement.profile) or self._profiles.is_revoked(statement.job),
        )


def _signature(text: bytes) -> bytes | None:
    """64 bytes from lower-case hex and an end of line, and from nothing else."""
    try:
        signature = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        return None
    return signature if len(signature) == _SIGNATURE_BYTES and text == signature.hex().encode() + b"\n" else None


def _verifies(key: bytes, signature: bytes, message: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except InvalidSignature:
        return False
    return True
