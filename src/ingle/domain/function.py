"""What a function is: its identity, one configuration of it, and its states.

Pure values. `control` makes them, `storage` keeps them, `catalog` holds the current ones in memory, `placement` and
`worker` run them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ingle.domain.alias import Alias
from ingle.domain.attached import FileSystem, Vpc
from ingle.domain.attachments import Attachments
from ingle.domain.concurrency import Provisioned
from ingle.domain.sealed import SealedVariables

LATEST = "$LATEST"
#: The value of `Configuration.snap_start` that asks for snapshots of published versions.
PUBLISHED_VERSIONS = "PublishedVersions"


class State(StrEnum):
    PENDING = "Pending"
    ACTIVE = "Active"
    INACTIVE = "Inactive"
    FAILED = "Failed"


class UpdateStatus(StrEnum):
    SUCCESSFUL = "Successful"
    FAILED = "Failed"
    IN_PROGRESS = "InProgress"


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionKey:
    """Identity of a function: names are unique within an account and a region."""

    account: str
    region: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Who has signed a package: ARNs of a version of a signing profile, and of the signing job."""

    profile_version_arn: str
    job_arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A deployment package, or a layer's content. `digest` is the lower-case hex SHA-256 of the zip and names its blob.

    `unzipped` is how many bytes the files have; None where that is not recorded. `signature` is what was known of its
    signature when it came; None without one.
    """

    digest: str
    size: int  # bytes of the zip
    unzipped: int | None = field(default=None, compare=False)
    signature: Signature | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerReference:
    """What a function has of a layer version: enough to run with it after the layer version was deleted."""

    arn: str
    package: Package


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggingConfig:
    format: str = "Text"  # Text | JSON
    group: str = ""
    application_level: str | None = None
    system_level: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """Everything of a function that is frozen when it is published: one code and its settings.

    Units: `timeout` seconds, `memory` and `ephemeral_storage` MB.
    """

    runtime: str
    handler: str
    role: str
    package: Package
    description: str = ""
    timeout: int = 3
    memory: int = 128
    ephemeral_storage: int = 512
    architecture: str = "x86_64"
    #: None: the caller never gave an Environment, and answers have no such member.
    environment: SealedVariables | None = None
    #: The key that encrypts `environment`; None: the one that is managed for the account.
    kms_key_arn: str | None = None
    tracing_mode: str = "PassThrough"
    logging: LoggingConfig = field(default_factory=LoggingConfig)
    snap_start: str = "None"  # None | PublishedVersions
    #: The ARN of the queue or topic that gets events which could not be processed.
    dead_letter_target: str | None = None
    #: In the order in which they are laid over each other: what comes later wins.
    layers: tuple[LayerReference, ...] = ()
    #: None: the function was never attached to a VPC, and answers have no such member.
    vpc: Vpc | None = None
    file_systems: tuple[FileSystem, ...] = ()
    #: "PER_TENANT": no two tenants share an execution environment. None: there are no tenants.
    tenant_isolation: str | None = None

    @property
    def attached_vpc(self) -> Vpc | None:
        """None also for a function that is no longer attached."""
        return self.vpc if self.vpc is not None and self.vpc.attached else None

    @property
    def layer_tree(self) -> Package | None:
        """What is at `/opt`: the only layer's content, or one that is merged from several and has no zip."""
        if len(self.layers) < 2:
            return self.layers[0].package if self.layers else None
        digests = "\n".join(layer.package.digest for layer in self.layers)
        return Package(digest=hashlib.sha256(f"layers\n{digests}".encode()).hexdigest(), size=0)

    @property
    def packages(self) -> set[Package]:
        """Everything that running this needs."""
        tree = {self.layer_tree} if self.layer_tree else set()
        return {self.package, *(layer.package for layer in self.layers), *tree}


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of a function: `$LATEST` or a number, with its configuration and lifecycle state.

    `revision_id` is a UUID that changes with every accepted change and when a change has taken effect.
    `serial` counts the changes to code or configuration; execution environments belong to one serial.
    `last_modified` is epoch milliseconds. `latest_description`, of a published version, is the description that
    `$LATEST` had when it was published; its own may have been given by the publisher.
    """

    key: FunctionKey
    version: str
    configuration: Configuration
    revision_id: str
    serial: int
    last_modified: int
    state: State
    state_reason: str | None = None
    state_reason_code: str | None = None
    update_status: UpdateStatus | None = None
    update_status_reason: str | None = None
    update_status_reason_code: str | None = None
    latest_description: str | None = None

    @property
    def number(self) -> int:
        """What versions are sorted by: 0 for `$LATEST`."""
        return 0 if self.version == LATEST else int(self.version)


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function as it is stored and served.

    `latest` is what the API shows for `$LATEST`. `serving` is what invocations of `$LATEST` run: the same, except
    while an update is in progress or has failed, when it is the configuration from before. None: never active.
    `versions` are the published ones by number, ascending. `next_version` is the number that the next one gets; it only
    grows, whatever is deleted. `aliases` are by name, and name versions that exist. `attachments` are those of the
    function, of its versions and of its aliases; none is about a qualifier that does not exist. `tags` is None for a
    function that never had any; one that lost its last tag is still among those that a search without filters finds.
    `reserved`: concurrency of all versions together, None without a reserve. `provisioned` is by qualifier: numbers of
    versions and names of aliases that exist.
    """

    key: FunctionKey
    latest: Version
    serving: Version | None = None
    versions: Mapping[str, Version] = field(default_factory=dict)
    next_version: int = 1
    aliases: Mapping[str, Alias] = field(default_factory=dict)
    tags: Mapping[str, str] | None = None
    attachments: Attachments = field(default_factory=Attachments)
    reserved: int | None = None
    provisioned: Mapping[str, Provisioned] = field(default_factory=dict)

    def version(self, version: str) -> Version | None:
        """The version `$LATEST` or of a number."""
        return self.latest if version == LATEST else self.versions.get(version)

    def qualified(self, qualifier: str) -> Version | None:
        """The version that a qualifier means: itself, or the main one of an alias."""
        alias = self.aliases.get(qualifier)
        return self.version(qualifier if alias is None else alias.version)

    @property
    def every_version(self) -> tuple[Version, ...]:
        """`$LATEST`, then the published ones by number."""
        return (self.latest, *self.versions.values())
