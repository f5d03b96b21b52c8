"""Every operation that there is, and who answers it: the one list of everything that has handlers.

Part of the composition root: `app` has it made from the parts of a server. The table of operations in the documents is
made from the same list, without a server.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, fields
from typing import Any, Protocol

from ingle.catalog import Catalog
from ingle.catalog.tags import TagIndex
from ingle.control.account import Account
from ingle.control.aliases import Aliases
from ingle.control.code_quota import CodeQuota
from ingle.control.code_signing_configs import CodeSigningConfigs
from ingle.control.code_signing_records import CodeSigningRecords
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
from ingle.control.ports import Links, Objects, Roles, Signatures
from ingle.control.private_networks import PrivateNetworks
from ingle.control.publishing import Publishing
from ingle.control.recursion import Recursions
from ingle.control.resource_policies import ResourcePolicies
from ingle.control.runtime_management import RuntimeManagements
from ingle.control.tags import Tags
from ingle.control.variable_encryption import VariableEncryption
from ingle.control.versions import Versions
from ingle.domain.caller import Caller
from ingle.domain.clock import Clock, Ids
from ingle.domain.sealing import Sealer
from ingle.event_invoke.lanes import Entry
from ingle.frontend.authorization.authorizer import AuthorisedTags, Authorizer
from ingle.frontend.dispatch import Registry
from ingle.invoke.invoker import Invoker
from ingle.invoke.streaming import Streams
from ingle.own.async_events import AsyncEvents
from ingle.own.audit_records import AuditRecords
from ingle.own.concurrency import ConcurrencyPool, InUse
from ingle.own.environments import Environments
from ingle.own.host import HostReport
from ingle.own.test_events import TestEvents
from ingle.storage.logs import LogStore
from ingle.storage.metrics import MetricStore
from ingle.storage.store import TestEventStore
from ingle.supporting.cloudwatch import CloudWatch
from ingle.supporting.ec2.records import NetworkRecords
from ingle.supporting.ec2.service import Ec2
from ingle.supporting.iam import Iam
from ingle.supporting.kms.service import Kms
from ingle.supporting.kms.use import KeyUse
from ingle.supporting.logs import Logs
from ingle.supporting.sts import Sts
from ingle.supporting.tagging import Tagging
from ingle.worker.inventory import Alive


class Resource(Protocol):
    """Something that has operations."""

    def handlers(self) -> dict[str, Callable[[Caller, dict[str, Any]], Awaitable[dict[str, Any]]]]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What handlers are made from, and the few that are made already since others need them, too."""

    clock: Clock
    ids: Ids
    catalog: Catalog
    records: FunctionRecords
    layers: LayerRecords
    policies: PolicyRecords
    signing: CodeSigningRecords
    references: PackageReferences
    links: Links
    quota: CodeQuota
    objects: Objects | None
    signatures: Signatures
    verification: CodeVerification
    encryption: VariableEncryption
    roles: Roles
    authorizer: Authorizer
    logs: LogStore
    metrics: MetricStore
    tagged: TagIndex
    tags: Tags
    invoker: Invoker
    streams: Streams
    kms: Kms
    iam: Iam
    sts: Sts
    networks: NetworkRecords
    attached: PrivateNetworks
    #: The environments of an account and region that are alive.
    alive: Callable[[str, str], list[Alive]]
    running: InUse
    #: The queue of asynchronous events.
    entries: Callable[[], Iterator[Entry]]
    audit_records: AuditRecords
    host_report: HostReport
    test_events: TestEventStore
    sealer: Sealer


def registry(parts: Parts) -> Registry:
    """All operations that have a handler, by service and name."""
    services = {"lambda": _lambda(parts), **_others(parts)}
    return {
        (service, name): handler
        for service, resources in services.items()
        for resource in resources
        for name, handler in resource.handlers().items()
    }


def _lambda(parts: Parts) -> list[Resource]:
    records, clock, ids = parts.records, parts.clock, parts.ids
    return [
        Functions(
            records, parts.references, clock, ids, parts.links, parts.quota, parts.objects, parts.verification,
            parts.encryption, parts.roles, parts.attached,
        ),
        Versions(records, Publishing(clock, ids, parts.quota), ids, parts.encryption),
        Aliases(records, ids),
        Layers(parts.layers, parts.references, clock, parts.links, parts.quota, parts.objects, parts.signatures),
        LayerPermissions(parts.layers, ids),
        Permissions(parts.policies),
        ResourcePolicies(parts.policies),
        EventInvokeConfigs(records, clock),
        FunctionUrls(records, clock, ids),
        RuntimeManagements(records),
        Recursions(records),
        FunctionScaling(records),
        CodeSigningConfigs(parts.signing, clock, ids),
        FunctionCodeSigning(records, parts.signing),
        Account(parts.catalog, parts.quota),
        Concurrency(records, clock, ids),
        parts.tags,
        parts.invoker,
        parts.streams,
    ]  # fmt: skip


def _others(parts: Parts) -> dict[str, list[Resource]]:
    taggable = {"lambda": AuthorisedTags(parts.tags, "lambda", parts.authorizer)}
    return {
        "logs": [Logs(parts.logs, parts.clock)],
        "cloudwatch": [CloudWatch(parts.metrics, parts.clock)],
        "resourcegroupstaggingapi": [Tagging(parts.tagged, taggable, parts.clock)],
        "kms": [parts.kms],
        "iam": [parts.iam],
        "sts": [parts.sts],
        "ec2": [Ec2(parts.networks)],
        "ingle": _own(parts),
    }


def _own(parts: Parts) -> list[Resource]:
    return [
        Environments(parts.alive, parts.catalog, parts.clock),
        ConcurrencyPool(parts.catalog, parts.running),
        AsyncEvents(parts.entries, parts.catalog),
        parts.audit_records,
        parts.host_report,
        TestEvents(parts.records, parts.test_events, parts.sealer, parts.clock),
    ]


def implemented_operations() -> list[tuple[str, str]]:
    """(service, operation) of everything that has a handler, for the generated table; starts nothing."""
    nothing: Any = None
    made: dict[str, Any] = {
        "tags": Tags({}),
        "invoker": Invoker(nothing, nothing, nothing, nothing, nothing, nothing),
        "streams": Streams(nothing, nothing),
        "kms": Kms(KeyUse(nothing, nothing)),
        "iam": Iam(nothing),
        "sts": Sts(nothing, nothing),
        "audit_records": AuditRecords(nothing, recording=False),
        "host_report": HostReport(nothing, nothing, 0.0),
    }
    return sorted(registry(Parts(**{**dict.fromkeys(field.name for field in fields(Parts)), **made})))
