"""The supervisor's way to the process that makes networks: it starts that, again if it ends, and asks it for links.

What the process is and does is not known here, but how to speak to it: JSON messages on a SOCK_SEQPACKET socket, with
the network namespace of an environment beside the first one.

    {"attach": environment, "network": name, "hurry": bool, "again": bool}
                                                answered by {"attached": environment, "error": text or null}
    {"detach": environment}                     nothing of the environment is left
    {"ending": true}                            from there: the server wants it no more

After it was killed everything it had made is gone. The next one is asked for all links `again`: it makes them as soon
as it has their networks.

Used by `sandbox.supervisor` only. Nothing here waits.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ingle.sandbox.inside import linux

_LONGEST = 4096
_SNDBUFFORCE = 32
#: Seconds that the process gets to clean up.
_END_LIMIT = 3.0
#: Until it is started again, in seconds: at first, and at the most if it ends again and again.
_RESTART_SECONDS, _MOST_RESTART_SECONDS = 0.2, 5.0
#: After which it counts as one that works.
_WORKS_SECONDS = 30.0

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
        self._options = options
        self._waiting: dict[str, Linked] = {}
        #: By environment: its network, and the descriptor of its namespace.
        self._linked: dict[str, tuple[str, int]] = {}
        self._wanted = True
        self._delay = _RESTART_SECONDS
        self._started = time.monotonic()
        #: When to start the process again, if it has ended.
        self.due: float | None = None
        self.channel: socket.socket | None = None
        if options is not None:
            self.channel = _start(options, options.server)
            os.close(options.server)

    def attach(self, environment: str, network: str, namespace: int, done: Linked, *, hurry: bool = False) -> None:
        """Give `namespace` a link to `network`, then call `done`. Raises OSError.

        `hurry`: whatever is to use it takes some milliseconds to start.
        """
        if self._options is None:
            raise OSError("there are no networks here")
        if environment in self._waiting:
            raise OSError("it is being attached")
        self._send({"attach": environment, "network": network, "hurry": hurry, "again": False}, [namespace])
        self._waiting[environment] = done
        self._linked[environment] = network, namespace

    def _send(self, message: dict[str, object], descriptors: Sequence[int] = ()) -> None:
        """What cannot be told to a process that has ended is told to the next one."""
        if self.channel is not None:
            with contextlib.suppress(BrokenPipeError, ConnectionError):
                linux.send_message(self.channel, json.dumps(message).encode(), list(descriptors))

    def hear(self) -> None:
        """The channel has answers. Raises EOFError if the process has ended: see `lost`."""
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
            if "ending" in answer:
                self._wanted = False
                continue
            done = self._waiting.pop(answer["attached"], None)
            if done is not None:
                done(answer["error"])

    def forget(self, environment: str) -> None:
        """Nothing of `environment` is left."""
        done = self._waiting.pop(environment, None)
        if self._linked.pop(environment, None) is not None:
            self._send({"detach": environment})
        if done is not None:
            done("the sandbox ended")

    def lost(self) -> None:
        """The process has ended, and with it every link."""
        if self.channel is not None:
            self.channel.close()
            self.channel = None
        if self._wanted:
            now = time.monotonic()
            works = now - self._started >= _WORKS_SECONDS
            self._delay = _RESTART_SECONDS if works else min(2 * self._delay, _MOST_RESTART_SECONDS)
            self.due = now + self._delay

    def restart(self) -> socket.socket:
        """Start the process again, and ask it for what was linked. The server's end of its channel, which is the
        caller's to pass on and to close. Raises OSError."""
        assert self._options is not None
        self.due, self._started = None, time.monotonic()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with contextlib.ExitStack() as undo, theirs:
            undo.callback(ours.close)
            for end in (ours, theirs):
                end.setsockopt(socket.SOL_SOCKET, _SNDBUFFORCE, 4 << 20)
            self.channel = _start(self._options, theirs.fileno())
            undo.pop_all()
        for environment, (network, namespace) in self._linked.items():
            self._send({"attach": environment, "network": network, "hurry": False, "again": True}, [namespace])
        return ours

    def close(self) -> None:
        """It ends; nothing is attached any more. Returns once it has, so that nothing of it is left."""
        with contextlib.ExitStack() as held:
            if self.channel is None and self.due is not None:
                # What one that was killed left on the machine is taken away by the next one.
                self._linked.clear()
                with contextlib.suppress(OSError):
                    held.enter_context(self.restart())
            if self.channel is not None:
                self.channel.shutdown(socket.SHUT_WR)
                self.channel.settimeout(_END_LIMIT)
                with contextlib.suppress(OSError):
                    while self.channel.recv(4096):
                        pass
                self.channel.close()


def _start(options: Options, server: int) -> socket.socket:
    """`server`: the process's socket to the server."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in (ours, theirs):
        # Room for more than ever waits: a side that has to wait for the other could wait for ever.
        end.setsockopt(socket.SOL_SOCKET, _SNDBUFFORCE, 8 << 20)
    if os.fork() == 0:
        try:
            linux.setns(options.host, linux.CLONE_NEWNET)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for descriptor in (server, theirs.fileno()):
                os.set_inheritable(descriptor, True)
            os.set_inheritable(options.host, False)
            numbers = [str(server), str(theirs.fileno())]
            os.execve(options.command[0], [*options.command, *numbers, options.settings], os.environ)
        finally:
            os._exit(1)
    theirs.close()
    return ours
