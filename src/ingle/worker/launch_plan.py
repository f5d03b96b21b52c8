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
from ingle.domain.runtimes import is_provided, is_python, python_minor

TASK_ROOT = "/var/task"
OPT = "/opt"
RUNTIME = "/var/runtime"
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
#: Variables that a program reads when it is executed; a fork would ignore them.
_READ_AT_EXEC = ("LD_", "PYTHON", "GLIBC_TUNABLES", "MALLOC_", "LANG", "LC_")
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
    directory: str = TASK_ROOT
    layers: str = OPT
    runtime: str = RUNTIME
    libraries: str = RUNTIME  # what the runtime comes with, for PYTHONPATH

    def here(self, path: str) -> str:
        """`path` as it is where package, layers and runtime are not at their usual places."""
        for usual, actual in ((TASK_ROOT, self.directory), (OPT, self.layers), (RUNTIME, self.runtime)):
            if path == usual or path.startswith(f"{usual}/"):
                return actual + path.removeprefix(usual)
        return path

    def here_each(self, paths: str) -> str:
        """The same for a list of paths with colons between them."""
        return ":".join(self.here(path) for path in paths.split(":"))


def must_execute(version: Version) -> bool:
    """Whether the interpreter has to be executed, because a fork would ignore some of the function's variables."""
    variables = version.configuration.environment or {}
    return "AWS_LAMBDA_EXEC_WRAPPER" in variables or any(name.startswith(_READ_AT_EXEC) for name in variables)


def cpu_quota(memory_mb: int) -> int:
    """Microseconds of CPU time in each period, over all processors; at least the kernel's minimum of 1 ms."""
    return max(1_000, memory_mb * CPU_PERIOD_US // MB_PER_PROCESSOR)


def variables(version: Version, place: Place) -> dict[str, str]:
    """The process environment: defaults that a function may override, its own variables, then the reserved ones."""
    configuration, key = version.configuration, version.key
    defaults = {
        "LANG": "en_US.UTF-8",
        "PATH": place.here_each("/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin"),
        "LD_LIBRARY_PATH": place.here_each(LIBRARY_PATH),
        "TZ": ":UTC",
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": "169.254.100.1:2000",
    }
    if is_python(configuration.runtime):
        defaults |= {"LC_CTYPE": "C.UTF-8", "PYTHONPATH": place.libraries, "PWD": place.directory, "SHLVL": "0"}
    if configuration.runtime.startswith("nodejs"):
        defaults["NODE_PATH"] = place.here_each(_node_path(configuration.runtime))
    if place.api is not None:
        defaults["AWS_ENDPOINT_URL"] = f"http://{place.api}"
    reserved = {
        "_HANDLER": configuration.handler,
        "_AWS_XRAY_DAEMON_ADDRESS": "169.254.100.1",
        "_AWS_XRAY_DAEMON_PORT": "2000",
        "AWS_REGION": key.region,
        "AWS_DEFAULT_REGION": key.region,
        "AWS_LAMBDA_FUNCTION_NAME": key.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(configuration.memory),
        "AWS_LAMBDA_FUNCTION_VERSION": version.version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": configuration.logging.group,
        "AWS_LAMBDA_LOG_STREAM_NAME": place.log_stream,
        # Until execution roles issue credentials, the access key names the account and nothing else.
        "AWS_ACCESS_KEY_ID": key.account,
        "AWS_SECRET_ACCESS_KEY": "ingle",
        "AWS_SESSION_TOKEN": "ingle",
        "AWS_LAMBDA_RUNTIME_API": place.runtime_api,
        "LAMBDA_TASK_ROOT": place.directory,
        "LAMBDA_RUNTIME_DIR": place.runtime,
    }
    if place.layers != OPT:
        reserved["_LAMBDA_LAYERS_ROOT"] = place.layers
    if not is_provided(configuration.runtime):
        reserved["AWS_EXECUTION_ENV"] = f"AWS_Lambda_{configuration.runtime}"
    return {**defaults, **(configuration.environment or {}), **reserved}


def _node_path(runtime: str) -> str:
    major = runtime.removeprefix("nodejs").partition(".")[0]
    layers = f"/opt/nodejs/node{major}/node_modules:/opt/nodejs/node_modules"
    return f"{layers}:/var/runtime/node_modules:/var/runtime:{TASK_ROOT}"


def command(version: Version, interpreter: str, forked: bool) -> list[list[str]] | None:
    """Programs to execute, the first that exists; None: the forked process serves itself."""
    if is_provided(version.configuration.runtime):
        return [["/var/task/bootstrap"], ["/opt/bootstrap"]]
    if forked:
        return None
    wrapper = (version.configuration.environment or {}).get("AWS_LAMBDA_EXEC_WRAPPER")
    start = [interpreter, "-S", "/var/runtime/bootstrap.py"]
    return [[wrapper, *start]] if wrapper else [start]


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


def settings(
    version: Version, place: Place, programs: list[list[str]] | None, seccomp: bytes, *, mount: bool
) -> dict[str, Any]:
    """The message that turns a parked process into this version's runtime, see `sandbox.inside.environment`."""
    tree = version.configuration.layer_tree
    return {
        "mount": mount,
        "package": version.configuration.package.digest,
        "layers": tree.digest if tree else None,
        "directory": place.directory,
        "limits": LIMITS,
        "seccomp": seccomp.hex(),
        "variables": variables(version, place),
        "command": programs,
        "log_fd": is_python(version.configuration.runtime),
    }


def runtime_label(runtime: str) -> str:
    """The runtime as the INIT_START line names it ("python:3.12")."""
    if is_python(runtime):
        return f"python:3.{python_minor(runtime)}"
    family, _, rest = runtime.partition(".")
    return f"{family}:{rest}"
