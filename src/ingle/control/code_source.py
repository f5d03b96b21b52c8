"""Where the code of a function or layer comes from: which source a request names, and AWS's words for a bad package.

A zip comes inside the request or from S3 (`control.s3_source`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from ingle.artifacts import PackageError, UnzippedTooLarge
from ingle.control import s3_source
from ingle.control.package_references import PackageReferences
from ingle.control.ports import Objects, Signatures
from ingle.domain.caller import Caller
from ingle.domain.errors import InvalidParameterValue, RequestEntityTooLarge
from ingle.domain.function import LayerReference, Package
from ingle.domain.signing import Evidence

#: Bytes.
MAX_ZIPPED = 52_428_800
MAX_UNZIPPED = 262_144_000

#: Stands in a Configuration until the package of the request is known.
NO_PACKAGE = Package(digest="", size=0)

_S3_MEMBERS = ("S3Bucket", "S3Key", "S3ObjectVersion")


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A package on its way: the zip, what its signature shows, and by which name a refusal calls its function."""

    zip_bytes: bytes
    evidence: Evidence
    name: str


def validate_size(code: Mapping[str, Any]) -> None:
    """Raise RequestEntityTooLarge for a package that is too large to come inside a request."""
    if len(code.get("ZipFile", b"")) > MAX_ZIPPED:
        raise RequestEntityTooLarge(f"Zipped size must be smaller than {MAX_ZIPPED} bytes")


def validate_source(code: Mapping[str, Any], doing: str) -> None:
    """Raise InvalidParameterValue unless exactly one source of a zip is named.

    `doing` is "creating", "updating" or "publishing", as the text has it.
    """
    if code.get("ImageUri"):
        raise InvalidParameterValue(f"Please don't provide ImageUri when {doing} a function with packageType Zip.")
    from_s3 = any(code.get(member) for member in _S3_MEMBERS)
    if "ZipFile" in code:
        if from_s3:
            raise InvalidParameterValue("Please do not provide other FunctionCode parameters when providing a ZipFile.")
        if not code["ZipFile"]:
            raise InvalidParameterValue("Uploaded file must be a non-empty zip")
    elif not (code.get("S3Bucket") and code.get("S3Key")):
        raise InvalidParameterValue("Please provide a source for function code.")


async def zip_file(objects: Objects | None, caller: Caller, operation: str, code: Mapping[str, Any]) -> bytes:
    """The bytes of a validated source. Takes as long as S3 takes, so call it outside of `exclusive`.

    Raises what `s3_source.fetch` raises.
    """
    if "ZipFile" in code:
        return bytes(code["ZipFile"])
    return await s3_source.fetch(objects, caller, operation, code, MAX_UNZIPPED)


async def require_size(packages: PackageReferences, code: Package, layers: Sequence[LayerReference]) -> None:
    """Raise InvalidParameterValue if code and layers together are too large unzipped."""
    if not layers:
        return  # code alone was measured when it was inspected
    sizes = [await packages.unzipped(package) for package in (code, *(layer.package for layer in layers))]
    if sum(sizes) > MAX_UNZIPPED:
        raise InvalidParameterValue(
            f"Function code combined with layers exceeds the maximum allowed size of {MAX_UNZIPPED} bytes. "
            f"The actual size is {sum(sizes)} bytes."
        )


async def upload(signatures: Signatures, zip_bytes: bytes, name: str) -> Upload:
    """Takes as long as the package is large if it has a signature. Raises StorageError."""
    return Upload(zip_bytes=zip_bytes, evidence=await signatures.of_zip(zip_bytes), name=name)


async def inspected(packages: PackageReferences, new: Upload) -> Package:
    """The package that `new` would become. Raises InvalidParameterValue if it is no good."""
    try:
        return _with_signature(await packages.inspect(new.zip_bytes), new)
    except PackageError as error:
        raise _refusal(error) from error


@asynccontextmanager
async def kept(packages: PackageReferences, new: Upload) -> AsyncIterator[Package]:
    """The package of `new`, kept while the block runs and afterwards if a function has come to use it.

    Raises InvalidParameterValue if it is no good.
    """
    async with packages.held(new.zip_bytes) as digest:
        try:
            package = _with_signature(await packages.add(new.zip_bytes, digest), new)
        except PackageError as error:
            raise _refusal(error) from error
        yield package


def _with_signature(package: Package, new: Upload) -> Package:
    return replace(package, signature=new.evidence.signature)


def _refusal(error: PackageError) -> InvalidParameterValue:
    if isinstance(error, UnzippedTooLarge):
        return InvalidParameterValue(f"Unzipped size must be smaller than {MAX_UNZIPPED} bytes")
    return InvalidParameterValue("Could not unzip uploaded file. Please check your file, then try to upload again.")
