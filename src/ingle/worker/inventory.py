"""What there is to say about one environment that is alive. Values; `host` has the environments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ingle.domain.function import Version
from ingle.worker.environment import Environment


class Gauge(Protocol):
    def read(self) -> tuple[int | None, int | None]:
        """Bytes used now, and at the most. Once, in any thread."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Alive:
    """`started` and `last_used` (None: never) are epoch seconds, `initialization` is AWS's name of the type.

    `restored`: from a snapshot. `template`: others are copies of it, and it serves nobody. `gauge` has to be read.
    """

    version: Version
    log_stream: str
    state: str
    initialization: str
    provisioned: bool
    restored: bool
    template: bool
    started: float
    last_used: float | None
    invocations: int
    gauge: Callable[[], Gauge]

    @property
    def id(self) -> str:
        """The digits at the end of the log stream's name, which no two environments share."""
        return self.log_stream.rpartition("]")[2]


def describe(environment: Environment) -> Alive:
    launch = environment.launch
    return Alive(
        version=environment.version, log_stream=environment.log_stream, state=environment.state.value,
        initialization=launch.initialization, provisioned=environment.provisioned, restored=launch.restores,
        template=launch.hold is not None, started=environment.started, last_used=environment.last_used,
        invocations=environment.invocations, gauge=environment.sandbox.gauge,
    )  # fmt: skip
