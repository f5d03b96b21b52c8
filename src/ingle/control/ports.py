"""What the control plane needs from others, in its own words. The composition root supplies it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from ingle.domain.caller import Caller
from ingle.domain.code_signing import CodeSigningConfig, CodeSigningKey
from ingle.domain.function import Function, FunctionKey, Package
from ingle.domain.layer import Layer
from ingle.domain.sealed import SealedVariables
from ingle.domain.signing import Evidence

#: One operation of an API: its members by the names of the service model, in and out.
Handler = Callable[[Caller, dict[str, Any]], Awaitable[dict[str, Any]]]


class FunctionStore(Protocol):
    """Functions that outlive the process. Each call returns after the durable commit."""

    async def insert(self, function: Function) -> None: ...

    async def save(self, function: Function, before: Function | None = None) -> None:
        """Replace the whole record, which is `before` if that is given: then only what differs is written."""
        ...

    async def delete(self, key: FunctionKey) -> None: ...


class LayerStore(Protocol):
    """Layers that outlive the process."""

    async def save_layer(self, layer: Layer, number: int) -> None:
        """Store the version `number`, the only one that differs, or its absence. Returns after the durable commit."""
        ...


class CodeSigningStore(Protocol):
    """Code signing configurations that outlive the process. Each call returns after the durable commit."""

    async def save_code_signing_config(self, config: CodeSigningConfig) -> None: ...

    async def delete_code_signing_config(self, key: CodeSigningKey) -> None: ...


class PackageStore(Protocol):
    """Deployment packages by content. `add` and `remove` are idempotent."""

    async def inspect(self, zip_bytes: bytes) -> Package:
        """Check a package and keep nothing. Raises `artifacts.PackageError`."""
        ...

    async def add(self, zip_bytes: bytes, digest: str) -> Package:
        """Check a package and keep it; the digest is its. Raises `artifacts.PackageError`, and then keeps nothing."""
        ...

    async def remove(self, package: Package) -> None: ...

    async def unzipped(self, package: Package) -> int:
        """Bytes of the files in a package that is kept."""
        ...


class Signatures(Protocol):
    """What the signatures in packages show. Raise StorageError."""

    async def of_zip(self, zip_bytes: bytes) -> Evidence:
        """Of any bytes that came as a package. Waits for nothing where there is certainly no signature."""
        ...

    async def of_package(self, package: Package) -> Evidence:
        """Of a package that is kept. Raises `artifacts.PackageMissing`."""
        ...


class Objects(Protocol):
    """Objects in S3."""

    async def get_object(self, bucket: str, key: str, version: str | None, *, region: str, limit: int) -> bytes:
        """The whole object, of `limit` bytes at most. Raises `companions.errors.CompanionError`."""
        ...


class Variables(Protocol):
    """Environment variables under KMS keys. Each call raises `supporting.kms.errors.KmsError`, in KMS's own words."""

    async def seal(
        self, caller: Caller, function: FunctionKey, key_arn: str | None, variables: Mapping[str, str]
    ) -> SealedVariables:
        """Encrypt them for a function, with a key of its own or, None, with the one that its account has for that."""
        ...

    def open(self, caller: Caller, function: FunctionKey, sealed: SealedVariables) -> dict[str, str]:
        """Decrypt them for a caller. Memory only."""
        ...

    async def grant(self, caller: Caller, function: FunctionKey, role: str, key_arn: str) -> None:
        """Let the function's execution role decrypt with a key of the function's own. Idempotent."""
        ...


class FunctionGrants(Protocol):
    """What execution roles may do with keys."""

    async def settle(self, before: Function | None, after: Function | None) -> None:
        """Drop what a function needed and does not need any more, after its change was committed. Does not raise."""
        ...


class Roles(Protocol):
    """The roles that functions run as."""

    def require_assumable(self, key: FunctionKey, arn: str) -> None:
        """Raise InvalidParameterValue for a role that cannot become a function's."""
        ...

    def allows(self, key: FunctionKey, role_arn: str, action: str, resource: str) -> bool:
        """Whether the service may do something in the name of a function, whose role this is."""
        ...


class Links(Protocol):
    """Addresses under which callers find what answers mention."""

    def package_url(self, caller: Caller, package: Package) -> str:
        """Where `caller` can download a package during the next 10 minutes."""
        ...
