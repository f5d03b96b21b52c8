"""The control plane over doubles: stores in memory, a clock that stands, identifiers that count."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest

from ingle.artifacts import CorruptPackage, NotAZip, UnzippedTooLarge
from ingle.catalog import Catalog, Prepared
from ingle.control.account import Account
from ingle.control.activation import Activation
from ingle.control.aliases import Aliases
from ingle.control.code_quota import CodeQuota
from ingle.control.code_signing_configs import CodeSigningConfigs
from ingle.control.code_signing_records import CodeSigningRecords
from ingle.control.code_signing_tags import CodeSigningTags
from ingle.control.code_verification import CodeVerification
from ingle.control.concurrency import Concurrency
from ingle.control.event_invoke_configs import EventInvokeConfigs
from ingle.control.function_code_signing import FunctionCodeSigning
from ingle.control.function_records import FunctionRecords
from ingle.control.function_scaling import FunctionScaling
from ingle.control.function_urls import FunctionUrls
from ingle.control.functions import Functions
from ingle.control.layer_permissions import LayerPermissions
from ingle.control.layer_records import LayerRecords
from ingle.control.layers import Layers
from ingle.control.package_references import PackageReferences
from ingle.control.permissions import Permissions
from ingle.control.policy_records import PolicyRecords
from ingle.control.private_networks import PrivateNetworks
from ingle.control.publishing import Publishing
from ingle.control.recursion import Recursions
from ingle.control.resource_policies import ResourcePolicies
from ingle.control.runtime_management import RuntimeManagements
from ingle.control.tags import FunctionTags, Tags
from ingle.control.variable_encryption import VariableEncryption
from ingle.control.versions import Versions
from ingle.domain.caller import Caller
from ingle.domain.code_signing import CodeSigningConfig, CodeSigningKey
from ingle.domain.function import Function, FunctionKey, Package
from ingle.domain.layer import Layer, LayerKey
from ingle.domain.signing import UNSIGNED, Evidence
from ingle.supporting.ec2.records import NetworkRecords
from ingle.supporting.variables import FunctionVariables
from ingle.testing.memory_store import MemoryStore
from kms_world import World

CALLER = Caller(account="111111111111", region="us-east-1", request_id="request", base_url="http://localhost:4566")
ROLE = "arn:aws:iam::111111111111:role/lambda-role"
#: 2026-11-23T10:20:30.456Z
NOW = 1795429230.456
ZIP, OTHER_ZIP, NOT_A_ZIP, BROKEN_ZIP, BOMB = b"zip one", b"zip two", b"not a zip", b"broken", b"bomb"


class StandingClock:
    def __init__(self) -> None:
        self.seconds = NOW

    def now(self) -> float:
        return self.seconds


class CountingIds:
    def __init__(self) -> None:
        self.made = 0

    def uuid(self) -> str:
        self.made += 1
        return f"00000000-0000-4000-8000-{self.made:012d}"


class StoreInMemory:
    def __init__(self) -> None:
        self.functions: dict[FunctionKey, Function] = {}
        self.layers: dict[LayerKey, Layer] = {}
        self.code_signing: dict[CodeSigningKey, CodeSigningConfig] = {}
        self.failing = False

    async def insert(self, function: Function) -> None:
        assert function.key not in self.functions
        await self.save(function)

    async def save(self, function: Function, before: Function | None = None) -> None:
        await asyncio.sleep(0)
        assert before is None or before == self.functions[function.key]
        if self.failing:
            raise OSError("disk full")
        self.functions[function.key] = function

    async def delete(self, key: FunctionKey) -> None:
        await asyncio.sleep(0)
        if self.failing:
            raise OSError("disk full")
        del self.functions[key]

    async def save_layer(self, layer: Layer, number: int) -> None:
        await asyncio.sleep(0)
        if self.failing:
            raise OSError("disk full")
        before = self.layers.get(layer.key) or Layer(key=layer.key)
        assert {n for n in before.versions if before.versions[n] != layer.versions.get(n)} <= {number}
        self.layers[layer.key] = layer

    async def save_code_signing_config(self, config: CodeSigningConfig) -> None:
        await asyncio.sleep(0)
        if self.failing:
            raise OSError("disk full")
        self.code_signing[config.key] = config

    async def delete_code_signing_config(self, key: CodeSigningKey) -> None:
        await asyncio.sleep(0)
        del self.code_signing[key]


class PackagesInMemory:
    def __init__(self) -> None:
        self.kept: set[str] = set()

    async def inspect(self, zip_bytes: bytes) -> Package:
        await asyncio.sleep(0)
        faults = {NOT_A_ZIP: NotAZip, BROKEN_ZIP: CorruptPackage, BOMB: UnzippedTooLarge}
        if zip_bytes in faults:
            raise faults[zip_bytes]("reason")
        digest = hashlib.sha256(zip_bytes).hexdigest()
        return Package(digest=digest, size=len(zip_bytes), unzipped=1000 * len(zip_bytes))

    async def add(self, zip_bytes: bytes, digest: str) -> Package:
        package = await self.inspect(zip_bytes)
        assert package.digest == digest
        self.kept.add(package.digest)
        return package

    async def remove(self, package: Package) -> None:
        await asyncio.sleep(0)
        self.kept.discard(package.digest)

    async def unzipped(self, package: Package) -> int:
        await asyncio.sleep(0)
        assert package.unzipped is not None
        return package.unzipped


class ObjectsInMemory:
    """S3: by bucket, key and version. `meanwhile` is what happens while an object is being read."""

    def __init__(self) -> None:
        self.found: dict[tuple[str, str, str | None], bytes | Exception] = {}
        self.asked: list[tuple[str, str, str | None, str]] = []
        self.meanwhile: Callable[[], Awaitable[Any]] | None = None

    async def get_object(self, bucket: str, key: str, version: str | None, *, region: str, limit: int) -> bytes:
        self.asked.append((bucket, key, version, region))
        if self.meanwhile is not None:
            await self.meanwhile()
        found = self.found[bucket, key, version]
        if isinstance(found, Exception):
            raise found
        return found


class SignaturesInMemory:
    """By the digest of a package; what is not here is unsigned."""

    def __init__(self) -> None:
        self.found: dict[str, Evidence] = {}

    def sign(self, zip_bytes: bytes, evidence: Evidence) -> None:
        self.found[hashlib.sha256(zip_bytes).hexdigest()] = evidence

    async def of_zip(self, zip_bytes: bytes) -> Evidence:
        await asyncio.sleep(0)
        return self.found.get(hashlib.sha256(zip_bytes).hexdigest(), UNSIGNED)

    async def of_package(self, package: Package) -> Evidence:
        await asyncio.sleep(0)
        return self.found.get(package.digest, UNSIGNED)


class AnyRole:
    """Without authentication every role will do."""

    #: What no role may do.
    forbidden: frozenset[str] = frozenset()

    def require_assumable(self, key, arn):
        return None

    def allows(self, key, role_arn, action, resource):
        return action not in self.forbidden


class PlainLinks:
    def package_url(self, caller: Caller, package: Package) -> str:
        return f"{caller.base_url}/packages/{package.digest}"


@dataclass
class Plane:
    """The control plane and its doubles. `prepare` decides the outcome of every preparation."""

    store: StoreInMemory = field(default_factory=StoreInMemory)
    packages: PackagesInMemory = field(default_factory=PackagesInMemory)
    catalog: Catalog = field(default_factory=Catalog)
    clock: StandingClock = field(default_factory=StandingClock)
    ids: CountingIds = field(default_factory=CountingIds)
    in_use: set[Package] = field(default_factory=set)
    objects: ObjectsInMemory | None = field(default_factory=lambda: ObjectsInMemory())
    signatures: SignaturesInMemory = field(default_factory=SignaturesInMemory)
    #: The functions whose deployments had faults, one entry for each.
    faulty: list[str] = field(default_factory=list)
    kms: World = field(default_factory=World)
    roles: AnyRole = field(default_factory=AnyRole)
    #: The access points that there are.
    access_points: set[str] = field(default_factory=set)

    CALLER: ClassVar[Caller] = CALLER
    ROLE: ClassVar[str] = ROLE
    ZIP: ClassVar[bytes] = ZIP
    OTHER_ZIP: ClassVar[bytes] = OTHER_ZIP
    NOT_A_ZIP: ClassVar[bytes] = NOT_A_ZIP
    BROKEN_ZIP: ClassVar[bytes] = BROKEN_ZIP
    BOMB: ClassVar[bytes] = BOMB

    def __post_init__(self) -> None:
        #: Addresses in subnets that others have.
        self.occupied: dict[str, set[str]] = {}
        self.variables = FunctionVariables(self.kms.use, self.kms.kms.grants)
        self.encryption = VariableEncryption(self.variables)
        self.records = FunctionRecords(self.store, self.catalog, self.variables)
        self.references = PackageReferences(self.packages, self.catalog, self.in_use.__contains__)
        self.quota = CodeQuota(self.catalog)
        signing = CodeSigningRecords(self.store, self.catalog)
        verification = CodeVerification(
            self.signatures, signing, self.references, self.clock, lambda key: self.faulty.append(key.name)
        )
        links = PlainLinks()
        self.networks = NetworkRecords(MemoryStore(), self.catalog.networks, self.clock, self.ids)
        self.attached = PrivateNetworks(
            self.networks, self.catalog, self.roles, linger=60, access_points=self.access_points,
            occupied=lambda subnet: self.occupied.get(subnet, set()),
        )  # fmt: skip
        self.functions = Functions(
            self.records,
            self.references,
            self.clock,
            self.ids,
            links,
            self.quota,
            self.objects,
            verification,
            self.encryption,
            self.roles,
            self.attached,
        )
        self.account = Account(self.catalog, self.quota)
        self.concurrency = Concurrency(self.records, self.clock, self.ids)
        publishing = Publishing(self.clock, self.ids, self.quota)
        self.versions = Versions(self.records, publishing, self.ids, self.encryption)
        self.aliases = Aliases(self.records, self.ids)
        layer_records = LayerRecords(self.store, self.catalog.layers)
        self.layers = Layers(
            layer_records, self.references, self.clock, links, self.quota, self.objects, self.signatures
        )
        self.layer_permissions = LayerPermissions(layer_records, self.ids)
        policies = PolicyRecords(self.records, self.ids)
        self.tags = Tags({"function": FunctionTags(self.records), "code-signing-config": CodeSigningTags(signing)})
        self.configs = (
            Permissions(policies),
            ResourcePolicies(policies),
            EventInvokeConfigs(self.records, self.clock),
            FunctionUrls(self.records, self.clock, self.ids),
            RuntimeManagements(self.records),
            Recursions(self.records),
            FunctionScaling(self.records),
            CodeSigningConfigs(signing, self.clock, self.ids),
            FunctionCodeSigning(self.records, signing),
        )

    async def call(self, operation: str, caller: Caller = CALLER, **params: Any) -> dict[str, Any]:
        resources = (
            self.functions,
            self.versions,
            self.aliases,
            self.layers,
            self.layer_permissions,
            self.account,
            self.tags,
            *self.configs,
            self.concurrency,
        )
        handlers = {name: handler for resource in resources for name, handler in resource.handlers().items()}
        return await handlers[operation](caller, params)

    async def create(self, name: str = "F", caller: Caller = CALLER, **params: Any) -> dict[str, Any]:
        """CreateFunction with the least that is needed, and what the test adds. None removes a member."""
        base = {
            "FunctionName": name,
            "Runtime": "python3.12",
            "Handler": "handler.handler",
            "Role": ROLE,
            "Code": {"ZipFile": ZIP},
        }
        merged = {**base, **params}
        return await self.call(
            "CreateFunction", caller, **{key: value for key, value in merged.items() if value is not None}
        )

    @asynccontextmanager
    async def activating(self) -> AsyncIterator[None]:
        async with Activation(self.records, self.references, self.attached, self.ids):
            yield

    async def settle(self, outcome: Prepared | None = None) -> None:
        """Answer the next request for preparation, and let its outcome be committed."""
        request = await asyncio.wait_for(self.catalog.preparations.get(), 5)
        request.outcome.set_result(outcome or Prepared())
        for _ in range(10):
            await asyncio.sleep(0)

    @staticmethod
    async def pause() -> None:
        """Let what is under way go on for a step."""
        await asyncio.sleep(0)

    @asynccontextmanager
    async def active(self, name: str = "F", **params: Any) -> AsyncIterator[dict[str, Any]]:
        """Activation at work and one active function."""
        async with self.activating():
            created = await self.create(name, **params)
            await self.settle()
            yield created


@pytest.fixture
def plane() -> Plane:
    return Plane()


@pytest.fixture
def another_plane() -> Callable[[Plane], Plane]:
    """The same stores under a server that has just started."""

    def start(before: Plane) -> Plane:
        after = Plane(store=before.store, packages=before.packages, ids=before.ids, kms=before.kms)
        for function in before.store.functions.values():
            after.catalog.put(function)
        for layer in before.store.layers.values():
            after.catalog.layers.put(layer)
        for config in before.store.code_signing.values():
            after.catalog.code_signing.put(config)
        return after

    return start
