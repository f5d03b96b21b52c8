"""The supervisor's way to the process that makes networks: it starts that, and asks it for links.

What the process is and does is not known here, but how to speak to it: JSON messages on a SOCK_SEQPACKET socket, with
the network namespace of an environment beside the first one.

    {"attach": environment, "network": name, "hurry": bool}
                                                answered by {"attached": environment, "error": text or null}
    {"detach": environment}                     nothing of the environment is left

Used by `sandbox.supervisor` only. Nothing here waits.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ingle.sandbox.inside import linux

_LONGEST = 4096
_SNDBUFFORCE = 32
#: Seconds that the process gets to clean up.
_END_LIMIT = 3.0

#: Told None, or why there is no link.
Linked = Callable[[str | None], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`command`: the program, to which the numbers of the server's socket and of ours are appended, and `settings`.

    `resolver`: the name server of environments, None if there is none.
    `host` and `server` are descriptors: the network namespace in which it is to run, and its socket to the server.
    """

    command: Sequence[str]
    settings: str
    host: int
    server: int
    resolver: str | None


class Links:
    """`options` None: there are no networks."""

    def __init__(self, options: Options | None) -> None:
        """Raises OSError."""
        self._waiting: dict[str, Linked] = {}
        self._linked: set[str] = set()
        self.channel: socket.socket | None = None
        if options is not None:
            self.channel = _start(options)

    def attach(self, environment: str, network: str, namespace: int, done: Linked, *, hurry: bool = False) -> None:
        """Give `namespace` a link to `network`, then call `done`. Raises OSError.

        `hurry`: whatever is to use it takes some milliseconds to start.
        """
        if self.channel is None:
            raise OSError("there are no networks here")
        if environment in self._waiting:
            raise OSError("it is being attached")
        message = {"attach": environment, "network": network, "hurry": hurry}
        linux.send_message(self.channel, json.dumps(message).encode(), [namespace])
        self._waiting[environment] = done
        self._linked.add(environment)

    def hear(self) -> None:
        """The channel has answers. Raises EOFError if the process has ended."""
        assert self.channel is not None
        while True:
            try:
                data = self.channel.recv(_LONGEST, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            except ConnectionError:
                data = b""
            if not data:
                raise EOFError("the process that makes networks ended")
            answer = json.loads(data)
            done = self._waiting.pop(answer["attached"], None)
            if done is not None:
                done(answer["error"])

    def forget(self, environment: str) -> None:
        """Nothing of `environment` is left."""
        done = self._waiting.pop(environment, None)
        if environment in self._linked:
            self._linked.discard(environment)
            assert self.channel is not None
            linux.send_message(self.channel, json.dumps({"detach": environment}).encode())
        if done is not None:
            done("the sandbox ended")

    def close(self) -> None:
        """It ends; nothing is attached any more. Returns once it has, so that nothing of it is left."""
        if self.channel is not None:
            self.channel.shutdown(socket.SHUT_WR)
            self.channel.settimeout(_END_LIMIT)
            try:
                while self.channel.recv(4096):
                    pass
            except OSError:
                pass
            self.channel.close()


def _start(options: Options) -> socket.socket:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in (ours, theirs):
        # Room for more than ever waits: a side that has to wait for the other could wait for ever.
        end.setsockopt(socket.SOL_SOCKET, _SNDBUFFORCE, 8 << 20)
    if os.fork() == 0:
        try:
            linux.setns(options.host, linux.CLONE_NEWNET)
            for descriptor in (options.server, theirs.fileno()):
                os.set_inheritable(descriptor, True)
            os.set_inheritable(options.host, False)
            numbers = [str(options.server), str(theirs.fileno())]
            os.execve(options.command[0], [*options.command, *numbers, options.settings], os.environ)
        finally:
            os._exit(1)
    theirs.close()
    os.close(options.server)
    os.close(options.host)
    return ours
