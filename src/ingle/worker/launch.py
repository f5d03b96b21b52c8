"""What an environment is told and given to start things in its sandbox.

`worker.host` decides it, `worker.environment` carries it out.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from ingle.runtime_api.identity import Identity
from ingle.sandbox.client import Sandbox
from ingle.worker.launch_plan import CannotStart
from ingle.worker.platform_log import RuntimeVersion

#: Seconds that initialisation may take before it is repeated inside the invocation, as on AWS.
INIT_LIMIT = 10.0


class Supervision(Protocol):
    """What an environment asks of the supervisor."""

    async def restart(self, sandbox: Sandbox, generation: int) -> None: ...
    async def extend(
        self, sandbox: Sandbox, memory_mb: int, settings: dict[str, Any]
    ) -> tuple[int, dict[str, str]]: ...
    async def make_socket(self, sandbox: Sandbox) -> socket.socket: ...
    def signal(self, sandbox: Sandbox, name: str, *, runtime_only: bool = False) -> None: ...
    def destroy(self, sandbox: Sandbox) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How to start things in this sandbox.

    `start` sends the runtime's settings; `extensions` are the names of the programs to start before it, `extend` makes
    their settings.

    SnapStart: `hold` starts a runtime that is to be cloned, and returns once it waits for that; `not_cloneable` says
    why it cannot be. `restores`: the sandbox is a clone, which `start` resumes. `restorable`: the runtime asks to be
    restored once it is initialised.
    """

    start: Callable[[], None]
    runtime: RuntimeVersion
    identity: Identity
    impossible: CannotStart | None = None
    extensions: tuple[str, ...] = ()
    extend: Callable[[], dict[str, Any]] = dict
    hold: Callable[[], Coroutine[Any, Any, None]] | None = None
    not_cloneable: str | None = None
    restores: bool = False
    restorable: bool = False
    #: Initialisation type, as records name it.
    initialization: str = "on-demand"
    init_limit: float = INIT_LIMIT
    provisioned: bool = False
