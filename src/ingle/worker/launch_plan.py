"""How one version's runtime is started: which zygote, which program, which variables and limits.

Pure: everything is decided from values. `worker.host` gathers them, `worker.environment` carries the plan out.
Sources: AWS's tables of environment variables, of resource limits and of deployment package layouts.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from ingle.domain.function import Version
from ingle.domain.lifecycle import starts_from_snapshot
from ingle.domain.runtimes import is_provided
from ingle.runtime_api.identity import CREDENTIALS, Identity
from ingle.worker.families import family_of
from ingle.worker.families.family import IN_SANDBOX, READ_BY_ALL, Family, Layout
from ingle.worker.opened import OpenedVersion

TASK_ROOT = "/var/task"
OPT = "/opt"
EXTENSIONS = "/opt/extensions"
PATH = "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin"
LIBRARY_PATH = "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"
#: (soft, hard); -1 is unlimited. As observed on AWS.
LIMITS = {
    "RLIMIT_NOFILE": (1024, 1024),
    "RLIMIT_NPROC": (1024, 1024),
    "RLIMIT_CORE": (10_737_418_240, 10_737_418_240),
    "RLIMIT_MEMLOCK": (65_536, 65_536),
    "RLIMIT_STACK": (8_388_608, -1),
}
#: One processor's worth of memory, in MB, and the length of a scheduling period, in microseconds.
MB_PER_PROCESSOR = 1769
CPU_PERIOD_US = 20_000
_MACHINES = {"x86_64": 62, "aarch64": 183}


class Flavour(StrEnum):
    WARM = "warm"  # the SDK imported ahead, for packages that name it and do not bring their own
    BARE = "bare"  # the standard library only: smaller and faster to fork


class CannotStart(Exception):
    """The version can never start here; `kind` is the error type that invocations get, the text follows "Error: "."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the environment is: the parts of its variables that are not the function's."""

    runtime_api: str
    api: str | None
    log_stream: str
    identity: Identity
    layout: Layout = IN_SANDBOX
    #: Whether the environment is provisioned concurrency.
    provisioned: bool = False


def must_execute(opened: OpenedVersion) -> bool:
    """Whether the runtime has to be executed, because one that runs would ignore some of the function's variables."""
    variables = opened.variables
    read = (*READ_BY_ALL, *_family(opened.version).read_at_start)
    return "AWS_LAMBDA_EXEC_WRAPPER" in variables or any(name.startswith(read) for name in variables)


def _family(version: Version) -> Family:
    """The family of a version that was accepted by `worker.host`."""
    family = family_of(version.configuration.runtime)
    assert family is not None
    return family


def cpu_quota(memory_mb: int) -> int:
    """Microseconds of CPU time in each period, over all processors; at least the kernel's minimum of 1 ms."""
    return max(1_000, memory_mb * CPU_PERIOD_US // MB_PER_PROCESSOR)


def defaults(version: Version, layout: Layout) -> dict[str, str]:
    """Variables that a function may override, and that are the same for all functions of a runtime."""
    return {
        "LANG": "en_US.UTF-8",
        "PATH": layout.here_each(PATH),
        "LD_LIBRARY_PATH": layout.here_each(LIBRARY_PATH),
        "TZ": ":UTC",
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": "169.254.100.1:2000",
        **_family(version).defaults(version.configuration.runtime, layout),
    }


def initialization(version: Version, provisioned: bool) -> str:
    """The initialisation type, as variables and records name it."""
    if provisioned:
        return "provisioned-concurrency"
    return "snap-start" if starts_from_snapshot(version) else "on-demand"


def variables(opened: OpenedVersion, place: Place) -> dict[str, str]:
    """The process environment: defaults that a function may override, its own variables, then the reserved ones."""
    version = opened.version
    configuration, key = version.configuration, version.key
    given = defaults(version, place.layout)
    if place.api is not None:
        given["AWS_ENDPOINT_URL"] = f"http://{place.api}"
    if configuration.logging.format == "JSON":
        level = configuration.logging.application_level or "INFO"
        given |= {"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": level}
    reserved = {
        "_HANDLER": configuration.handler,
        "_AWS_XRAY_DAEMON_ADDRESS": "169.254.100.1",
        "_AWS_XRAY_DAEMON_PORT": "2000",
        "AWS_REGION": key.region,
        "AWS_DEFAULT_REGION": key.region,
        "AWS_LAMBDA_FUNCTION_NAME": key.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(configuration.memory),
        "AWS_LAMBDA_FUNCTION_VERSION": version.version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": initialization(version, place.provisioned),
        "AWS_LAMBDA_LOG_GROUP_NAME": configuration.logging.group,
        "AWS_LAMBDA_LOG_STREAM_NAME": place.log_stream,
        **_credentials(version, place),
        "AWS_LAMBDA_RUNTIME_API": place.runtime_api,
        "AWS_LAMBDA_METADATA_API": place.runtime_api,
        "AWS_LAMBDA_METADATA_TOKEN": place.identity.metadata_token,
        "LAMBDA_TASK_ROOT": place.layout.task,
        "LAMBDA_RUNTIME_DIR": place.layout.guest,
    }
    if place.layout.layers != OPT:
        reserved["_LAMBDA_LAYERS_ROOT"] = place.layout.layers
    if not is_provided(configuration.runtime):
        reserved["AWS_EXECUTION_ENV"] = f"AWS_Lambda_{configuration.runtime}"
    if starts_from_snapshot(version):
        # Environments that are restored from one snapshot do not share a stream.
        del reserved["AWS_LAMBDA_LOG_GROUP_NAME"], reserved["AWS_LAMBDA_LOG_STREAM_NAME"]
    return {**given, **opened.variables, **reserved}


def _credentials(version: Version, place: Place) -> dict[str, str]:
    """How SDKs find the role's credentials. What is in a snapshot outlives them: there they are fetched when needed."""
    if starts_from_snapshot(version):
        return {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://{place.runtime_api}{CREDENTIALS.decode()}",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": place.identity.credentials_token,
        }
    found = place.identity.credentials()
    return {
        "AWS_ACCESS_KEY_ID": found.access_key_id,
        "AWS_SECRET_ACCESS_KEY": found.secret_access_key,
        "AWS_SESSION_TOKEN": found.session_token,
    }


#: Variables of the runtime that extensions do not get; the others that begin with an underscore neither.
_NOT_FOR_EXTENSIONS = frozenset(
    ("AWS_EXECUTION_ENV", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_XRAY_CONTEXT_MISSING",
     "AWS_XRAY_DAEMON_ADDRESS", "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT")
)  # fmt: skip


def extension_variables(opened: OpenedVersion, place: Place) -> dict[str, str]:
    """The process environment of an external extension."""
    return {
        name: value
        for name, value in variables(opened, place).items()
        if name not in _NOT_FOR_EXTENSIONS and not name.startswith("_")
    }


def command(opened: OpenedVersion, layout: Layout, forked: bool) -> list[list[str]] | None:
    """Programs to execute, the first that exists; None: the forked process serves itself."""
    return None if forked else _family(opened.version).programs(opened, layout)


def check_bootstrap(places: Sequence[Path], machine: str) -> None:
    """Raise CannotStart unless the first of `places` that has a bootstrap has one that this machine can execute.

    `places` are the package and, if the function has layers, what they make together.
    """
    candidates = [(place / "bootstrap", usual) for place, usual in zip(places, (TASK_ROOT, OPT), strict=False)]
    found = [(candidate, usual) for candidate, usual in candidates if candidate.is_symlink() or candidate.is_file()]
    if not found:
        text = "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"
        raise CannotStart("Runtime.InvalidEntrypoint", text)
    candidate, usual = found[0]
    if candidate.is_symlink():
        return  # it may point to anything inside the environment, which only the environment can follow
    if not candidate.stat().st_mode & 0o111:
        raise CannotStart("Runtime.InvalidEntrypoint", f"fork/exec {usual}/bootstrap: permission denied")
    try:
        with candidate.open("rb") as file:
            head = file.read(20)
    except PermissionError:
        return  # executable, but not for this process to read
    if head[:4] == b"\x7fELF" and len(head) == 20 and struct.unpack_from("<H", head, 18)[0] != _MACHINES.get(machine):
        text = f"fork/exec {usual}/bootstrap: exec format error (the program is not made for {machine})"
        raise CannotStart("Runtime.InvalidEntrypoint", text)


def settings(opened: OpenedVersion, place: Place, programs: list[list[str]] | None, seccomp: bytes) -> dict[str, Any]:
    """The message that turns a parked process into this version's runtime, see `sandbox.inside.environment`.

    `programs`: what to execute, the first that exists; None: the forked process serves itself.
    """
    return {
        **_code(opened.version),
        "directory": place.layout.task,
        "limits": LIMITS,
        "seccomp": seccomp.hex(),
        "variables": variables(opened, place),
        "command": programs,
        "log_fd": _family(opened.version).frames_log,
        "ahead": starts_ahead(opened),
    }


def starts_ahead(opened: OpenedVersion) -> bool:
    """Whether a runtime can serve this version that was executed without knowing it."""
    return _family(opened.version).starts_ahead and not must_execute(opened)


def ahead(opened: OpenedVersion, layout: Layout, seccomp: bytes) -> dict[str, Any] | None:
    """What to execute ahead of time for versions like this one; the same for all of one runtime and memory size."""
    if not starts_ahead(opened):
        return None
    return {
        "command": command(opened, layout, forked=False),
        "variables": defaults(opened.version, layout),
        "limits": LIMITS,
        "seccomp": seccomp.hex(),
        "log_fd": True,
    }


def extension_settings(opened: OpenedVersion, place: Place, names: tuple[str, ...], seccomp: bytes) -> dict[str, Any]:
    """The message that starts the extensions, see `sandbox.inside.extensions`."""
    return {
        **_code(opened.version),
        "limits": LIMITS,
        "seccomp": seccomp.hex(),
        "variables": extension_variables(opened, place),
        "extensions": [[name, place.layout.here(f"{EXTENSIONS}/{name}")] for name in names],
    }


def _code(version: Version) -> dict[str, Any]:
    """What is mounted at /var/task and /opt, see `sandbox.inside.confinement`."""
    configuration = version.configuration
    tree = configuration.layer_tree
    return {"package": configuration.package.digest, "layers": tree.digest if tree else None}
