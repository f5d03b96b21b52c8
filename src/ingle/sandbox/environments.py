"""The supervisor's record of one execution environment: what the kernel holds for it, taken and given back as one.

Used by `sandbox.supervisor` only. Nothing here waits.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ingle.sandbox.claims import Claim

Message = dict[str, Any]


@dataclass(slots=True, kw_only=True, eq=False)
class Environment:
    """`pidfd` is of its init, None until that is known; `parked` takes the settings, once. A clone has no `zygote`."""

    name: str
    zygote: str | None
    claim: Claim
    namespaces: bool
    control: socket.socket
    pidfd: int | None = None
    #: Its network namespace, once it has one of its own.
    network: int | None = None
    #: The name of the network that it is attached to before the server gets it.
    wanted_network: str | None = None
    #: What waits until it is attached to a network; None: nothing has to wait.
    held: list[Callable[[], None]] | None = None
    parked: socket.socket | None = None
    #: Ends of pipes that the server has not been given yet.
    descriptors: dict[str, int] = field(default_factory=dict)
    destroyed: bool = False

    def kill(self) -> None:
        """SIGKILL to its init, and with it to everything in its PID namespace. Harmless once it has ended."""
        cgroup = self.claim.cgroup
        cgroup.thaw()
        # Init ends when it sees this. Without a PID namespace it ends its descendants first.
        with contextlib.suppress(OSError):
            self.control.shutdown(socket.SHUT_RDWR)
        if not self.namespaces:
            cgroup.kill()
        elif self.pidfd is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)

    def close(self) -> None:
        """Close all descriptors. Idempotent."""
        self.control.close()
        if self.parked is not None:
            self.parked.close()
        held = [descriptor for descriptor in (self.pidfd, self.network) if descriptor is not None]
        for descriptor in [*self.descriptors.values(), *held]:
            os.close(descriptor)
        self.descriptors.clear()
        self.pidfd = self.network = None


@dataclass(slots=True, kw_only=True, eq=False)
class Offer:
    """The ends that the process to be forked gets, in the order in which it expects them: `names` beside `files`."""

    control: socket.socket
    output: int
    events: int
    joins: list[int]

    @property
    def names(self) -> list[str]:
        return ["control", "output", "events", *("join" for _ in self.joins)]

    @property
    def files(self) -> list[int]:
        return [self.control.fileno(), self.output, self.events, *self.joins]

    def close(self) -> None:
        self.control.close()
        for descriptor in (self.output, self.events, *self.joins):
            os.close(descriptor)


def acquire(claim: Claim, zygote: str | None, *, namespaces: bool) -> tuple[Environment, Offer]:
    """Channels and pipes for one environment. Raises OSError and then holds nothing."""
    with contextlib.ExitStack() as undo:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        undo.callback(ours.close)
        undo.callback(theirs.close)
        ends = []
        for _ in range(2):
            pair = os.pipe2(os.O_CLOEXEC)
            ends.append(pair)
            for end in pair:
                undo.callback(os.close, end)
        joins = claim.cgroup.join_descriptors()
        undo.pop_all()
    (output, output_end), (events, events_end) = ends
    environment = Environment(
        name=claim.name, zygote=zygote, claim=claim, namespaces=namespaces, control=ours,
        descriptors={"output": output, "events": events},
    )  # fmt: skip
    return environment, Offer(control=theirs, output=output_end, events=events_end, joins=joins)


def hand_over(environment: Environment, told: Message, descriptors: list[int]) -> tuple[Message, dict[str, int]]:
    """What the server gets of a prepared environment: the message and the open files it names.

    `descriptors` are those that came with `told`: two listeners, the runtime's status where no group counts memory, and
    the channel that stays here. The caller closes the files. Raises OSError and LookupError, and then has closed them.
    """
    files: dict[str, int] = {}
    try:
        environment.parked = socket.socket(fileno=descriptors.pop())
        files |= dict(zip(("runtime_api", "api", "status"), descriptors, strict=False)) | environment.descriptors
        environment.descriptors.clear()
        environment.claim.cgroup.prepare_quota()
        message = {**told, "prepared": environment.name}
        for handle in environment.claim.cgroup.handles():
            flags = os.O_WRONLY if handle.writable else os.O_RDONLY
            files[handle.purpose] = os.open(handle.path, flags | os.O_CLOEXEC)
            if handle.path.name == "freezer.state":
                message["freeze_words"] = ["FROZEN", "THAWED"]
            if handle.path.name == "cpu.max":
                message["quota_suffix"] = " 20000"
    except BaseException:
        for descriptor in {*files.values(), *descriptors}:
            os.close(descriptor)
        raise
    return {**message, "descriptors": list(files)}, files
