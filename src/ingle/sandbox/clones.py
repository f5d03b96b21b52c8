"""The supervisor's part in templates and clones: what only root can give to a clone, and who was forked from whom.

A template is an environment whose initialised runtime waits to be forked (`inside.cloning` has the processes and the
messages). Of a clone the supervisor makes everything that outlasts it or that the server trusts: the claim (user id,
group, image), output pipes, the map of user ids, the listening sockets, the mount for /tmp.

The function's code ran in every process that speaks here, so nothing they say is believed. A message that is not due
ends its sender. Processes are those that the kernel names as senders; the namespaces of a clone must be the template's
own work, which the owner of their user namespace shows. No descriptor is taken from them, and no send waits for them.

Clones live in the PID namespace of their template: its init stays, as the last of the template, while clones run.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import socket
import stat
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from ingle.sandbox.claims import Claim, Claims
from ingle.sandbox.environments import Environment, Message, acquire, hand_over
from ingle.sandbox.inside import linux

_NS_GET_USERNS = 0xB701
_NS_GET_OWNER_UID = 0xB704
#: Bytes of a message from inside, and of the reason in it that is passed on.
_LONGEST = 1024
_REASON = 300


class Stage(StrEnum):
    """How far a clone is. Each message from inside is due in one stage."""

    FORKING = "forking"  # until its helper is in new namespaces
    ENTERED = "entered"  # until its init is ready
    RUNNING = "running"
    ENDED = "ended"  # the runtime process ended; the init waits to be killed


_DUE = {b"unshared": Stage.FORKING, b"ready": Stage.ENTERED, b"exited": Stage.RUNNING}


@dataclass(slots=True, eq=False)
class Clone:
    """`user_namespace`: its inode; `listeners` and `parked`: what the server and the supervisor get of it."""

    environment: Environment
    template: Template
    tmp_mb: int
    parked: socket.socket
    stage: Stage = Stage.FORKING
    user_namespace: int = 0
    listeners: list[socket.socket] = field(default_factory=list)
    #: It has the link that it is to have, and its init runs.
    linked: bool = False
    settled: bool = False

    def close(self) -> None:
        self.parked.close()
        for listener in self.listeners:
            listener.close()


@dataclass(slots=True, eq=False)
class Template:
    """`channel` is None until the runtime was started, and again once the template was destroyed."""

    environment: Environment
    channel: socket.socket | None
    ready: bool = False
    clones: set[Clone] = field(default_factory=set)


class Keeper(Protocol):
    """What the supervisor does for all environments."""

    def tell(self, message: Message, descriptors: list[int] | None = None) -> None: ...
    def watch(self, descriptor: int, environment: Environment, react: Callable[[], None]) -> None: ...
    def unwatch(self, descriptor: int) -> None: ...
    def add(self, environment: Environment) -> None: ...
    def ended(self, environment: Environment) -> None: ...
    def attach(self, environment: Environment, done: Callable[[str | None], None]) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What clones of one supervisor have in common; see `supervisor.Options`."""

    privileged: bool
    api_host: str
    first_user: int
    first_loop: int
    run: Path


class Clones:
    """All templates and clones of one supervisor."""

    def __init__(self, place: Place, claims: Claims, keeper: Keeper) -> None:
        self._place = place
        self._claims = claims
        self._keeper = keeper
        self._templates: dict[str, Template] = {}
        self._clones: dict[str, Clone] = {}
        self._devices: Path | None = None

    # --- templates --------------------------------------------------------------------------------------------------

    def adopt(self, environment: Environment, channel: socket.socket) -> None:
        """`environment` was told to initialise and to wait: hear from it on `channel`, which now belongs here."""
        channel.setblocking(False)
        template = Template(environment, channel)
        self._templates[environment.name] = template
        self._keeper.watch(channel.fileno(), environment, lambda: self._hear_template(template, channel))

    def _hear_template(self, template: Template, channel: socket.socket) -> None:
        data = _receive(channel)[0]
        name = template.environment.name
        if not data:
            self._drop_channel(template)
            self._keeper.tell({"template": name, "ended": True})
        elif template.ready:
            raise ValueError("a template spoke unasked")
        elif data == b"ready":
            template.ready = True
            self._keeper.tell({"template": name, "ready": True})
        elif data.startswith(b"refused "):
            self._drop_channel(template)
            self._keeper.tell({"template": name, "refused": _text(data[len(b"refused ") :])})
        else:
            raise ValueError("a template sent what is not a message")

    def _drop_channel(self, template: Template) -> None:
        channel, template.channel = template.channel, None
        if channel is not None:
            self._keeper.unwatch(channel.fileno())
            channel.close()

    def kill(self, environment: Environment) -> None:
        """End an environment of any kind. Of a template with clones its init stays until the last of them has ended."""
        template = self._templates.get(environment.name)
        if template is None:
            self._kill_clone_or_other(environment)
            return
        self._drop_channel(template)
        if template.clones:
            _kill_all_but_init(environment)
        else:
            environment.kill()

    def _kill_clone_or_other(self, environment: Environment) -> None:
        environment.kill()
        if environment.name in self._clones:
            environment.claim.cgroup.kill()
            if environment.pidfd is None:
                # Its processes see that the channel is closed; its group is not given up before they are gone.
                self._keeper.ended(environment)

    def forget(self, environment: Environment) -> None:
        """Nothing of `environment` runs any more."""
        template = self._templates.pop(environment.name, None)
        if template is not None:
            self._drop_channel(template)
        clone = self._clones.pop(environment.name, None)
        if clone is not None:
            clone.close()
            environment.claim.cgroup.kill()
            clone.template.clones.discard(clone)
            head = clone.template.environment
            if head.destroyed and not clone.template.clones and head.pidfd is not None:
                head.kill()

    # --- clones -----------------------------------------------------------------------------------------------------

    def start(self, message: Message) -> None:
        """Ask the template for a clone. Raises OSError, and then holds nothing for it."""
        template = self._templates.get(message["template"])
        if template is None or template.channel is None or not template.ready:
            raise OSError("there is no such template")
        claim = self._claims.take(message["clone"], message["tmp_mb"])
        with contextlib.ExitStack() as undo:
            undo.callback(self._claims.give_back, claim)
            claim.cgroup.limit_memory(message["memory_mb"])
            environment, offer = acquire(claim, None, namespaces=True)
            undo.callback(environment.close)
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            undo.callback(ours.close)
            environment.control.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            environment.control.setblocking(False)
            uid = template.environment.claim.uid if self._place.privileged else None
            with contextlib.closing(offer), theirs:
                request = {"uid": uid, "descriptors": [*offer.names, "parked"]}
                files = [*offer.files, theirs.fileno()]
                linux.send_message(template.channel, json.dumps(request).encode(), files)
            undo.pop_all()
        environment.wanted_network = message["network"]
        clone = Clone(environment, template, message["tmp_mb"], ours)
        self._clones[environment.name] = clone
        template.clones.add(clone)
        self._keeper.add(environment)
        self._keeper.watch(environment.control.fileno(), environment, lambda: self._hear(clone))

    def _hear(self, clone: Clone) -> None:
        environment = clone.environment
        data, pid = _receive(environment.control)
        if not data:
            self._keeper.unwatch(environment.control.fileno())
            if environment.pidfd is None:
                self._failed(clone, "its process ended")
            return
        word, _, rest = data.partition(b" ")
        if word == b"failed" and clone.stage in (Stage.FORKING, Stage.ENTERED):
            self._failed(clone, _text(rest))
            return
        if _DUE.get(word) is not clone.stage:
            raise ValueError("a clone sent what is not due")
        if clone.stage is Stage.FORKING:
            self._enter(clone, pid)
            clone.stage = Stage.ENTERED
        elif clone.stage is Stage.ENTERED:
            self._settle(clone, pid)
            clone.stage = Stage.RUNNING
        else:
            clone.stage = Stage.ENDED
            self._keeper.tell({"exited": environment.name, "status": int(rest) & 0xFFFF, "generation": 0})

    def _failed(self, clone: Clone, reason: str) -> None:
        self._keeper.tell({"failed": clone.environment.name, "reason": reason})
        self._kill_clone_or_other(clone.environment)

    def _enter(self, clone: Clone, pid: int) -> None:
        """Its helper is in the new namespaces: give it what only root can."""
        claim = clone.environment.claim
        with _process(pid) as process:
            clone.user_namespace = self._user_namespace(clone, process)
            if self._place.privileged:
                inside = clone.template.environment.claim.uid
                for name, text in (("setgroups", "deny"), ("gid_map", f"{inside} {claim.uid} 1"),
                                   ("uid_map", f"{inside} {claim.uid} 1")):  # fmt: skip
                    _write(process, name, text)
            clone.listeners = self._listen(process)
            environment = clone.environment
            environment.network = self._network(clone, process)
        if environment.wanted_network is None:
            clone.linked = True
        else:
            self._keeper.attach(environment, lambda error: self._linked(clone, error))
        mount = self._tmp(claim)
        try:
            linux.send_message(clone.environment.control, b"go", [] if mount is None else [mount])
        finally:
            if mount is not None:
                os.close(mount)

    def _linked(self, clone: Clone, error: str | None) -> None:
        if clone.environment.name not in self._clones:
            return
        if error is not None:
            self._failed(clone, error)
            return
        clone.linked = True
        self._offer(clone)

    def _network(self, clone: Clone, process: int) -> int:
        """Its network namespace, which must be of the clone's own user namespace: it has no link of another's."""
        namespace = os.open("ns/net", os.O_RDONLY | os.O_CLOEXEC, dir_fd=process)
        try:
            owner = fcntl.ioctl(namespace, _NS_GET_USERNS)
            try:
                if os.fstat(owner).st_ino != clone.user_namespace:
                    raise ValueError("a clone is in a network of others")
            finally:
                os.close(owner)
        except BaseException:
            os.close(namespace)
            raise
        return namespace

    def _user_namespace(self, clone: Clone, process: int) -> int:
        """The inode of the process's user namespace, which must be one that the template made."""
        namespace = os.open("ns/user", os.O_RDONLY | os.O_CLOEXEC, dir_fd=process)
        try:
            owner = struct.unpack("=I", fcntl.ioctl(namespace, _NS_GET_OWNER_UID, bytes(4)))[0]
            expected = clone.template.environment.claim.uid if self._place.privileged else os.geteuid()
            if owner != expected:
                raise ValueError("a clone is in namespaces of others")
            return os.fstat(namespace).st_ino
        finally:
            os.close(namespace)

    def _listen(self, process: int) -> list[socket.socket]:
        """Listening sockets in the network namespace of `process`; nobody inside holds them too."""
        with contextlib.ExitStack() as made:
            with _network_of(process):
                linux.configure_loopback(self._place.api_host)
                addresses = (("127.0.0.1", 9001), (self._place.api_host, 4566))
                listeners = [made.enter_context(_listener(address)) for address in addresses]
            made.pop_all()
        return listeners

    def _tmp(self, claim: Claim) -> int | None:
        """A mount for /tmp that is nowhere yet; None where the clone makes a tmpfs."""
        if claim.image is None:
            return None
        number = self._place.first_loop + claim.uid - self._place.first_user
        image = self._place.run / "images" / claim.image
        mount: int = linux.detached_image(str(image), str(self._loop_devices()), number)
        try:
            os.chmod(".", 0o1777, dir_fd=mount)
        except OSError:
            os.close(mount)
            raise
        return mount

    def _loop_devices(self) -> Path:
        """A directory for the nodes of loop devices, which the machine's own need not have."""
        if self._devices is None:
            directory = self._place.run / "devices"
            directory.mkdir(mode=0o700, exist_ok=True)
            linux.mount("tmpfs", str(directory), "tmpfs", linux.MS_NOSUID, "size=1m,mode=700")
            os.mknod(directory / "loop-control", stat.S_IFCHR | 0o600, os.makedev(10, 237))
            self._devices = directory
        return self._devices

    def _settle(self, clone: Clone, pid: int) -> None:
        """Its init runs: keep hold of that, and hand the clone to the server."""
        environment = clone.environment
        with _process(pid) as process:
            if self._user_namespace(clone, process) != clone.user_namespace or _ids(process)[-1] != 1:
                raise ValueError("a clone's init is not its own")
            environment.pidfd = os.pidfd_open(pid)
            # Both are of one process: it lived before the second was opened, and lives still.
            os.stat("ns/user", dir_fd=process)
            _write(process, "oom_score_adj", "0")
        self._keeper.watch(environment.pidfd, environment, lambda: self._keeper.ended(environment))
        clone.settled = True
        self._offer(clone)

    def _offer(self, clone: Clone) -> None:
        """Hand it to the server, once it is whole."""
        if not clone.linked or not clone.settled:
            return
        environment = clone.environment
        runtime_api, api = clone.listeners
        told = {"prepared": True, "runtime_api": _address(runtime_api), "api": _address(api)}
        clone.listeners = []
        message, files = hand_over(environment, told, [runtime_api.detach(), api.detach(), clone.parked.detach()])
        try:
            self._keeper.tell(message, list(files.values()))
        finally:
            for descriptor in files.values():
                os.close(descriptor)

    # --- for running clones -----------------------------------------------------------------------------------------

    def signal(self, environment: Environment, name: str, *, runtime_only: bool) -> bool:
        """Pass a signal to a clone's processes; False if `environment` is none."""
        if environment.name not in self._clones:
            return False
        environment.control.send(f"{name} runtime".encode() if runtime_only else name.encode())
        return True

    def make_sockets(self, environment: Environment, wanted: list[tuple[str, list[Any] | None]]) -> bool:
        """Send the server sockets of a clone's network, see `inside.environment.make_sockets`; False as above."""
        if environment.name not in self._clones or environment.pidfd is None:
            return False
        with contextlib.ExitStack() as made:
            error, sockets = None, []
            try:
                with _process(_pid(environment.pidfd)) as process, _network_of(process):
                    for kind, address in wanted:
                        sockets.append(made.enter_context(_socket(kind)))
                        if address:
                            sockets[-1].bind(tuple(address))
            except OSError as problem:
                error, sockets = str(problem), []
            self._keeper.tell({"sockets": environment.name, "error": error}, [item.fileno() for item in sockets])
        return True


@contextlib.contextmanager
def _process(pid: int) -> Iterator[int]:
    """A descriptor of the process's directory in /proc: it stays that process's, also when the number is used again."""
    descriptor = os.open(f"/proc/{pid}", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _network_of(process: int) -> Iterator[None]:
    """Be in the network namespace of `process`. A supervisor that cannot come back ends."""
    own = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        theirs = os.open("ns/net", os.O_RDONLY | os.O_CLOEXEC, dir_fd=process)
        try:
            linux.setns(theirs, linux.CLONE_NEWNET)
        finally:
            os.close(theirs)
        try:
            yield
        finally:
            try:
                linux.setns(own, linux.CLONE_NEWNET)
            except OSError as error:
                raise SystemExit(f"the supervisor is lost in a clone's network: {error}") from error
    finally:
        os.close(own)


def _socket(kind: str) -> socket.socket:
    return socket.socket(socket.AF_INET, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)


def _ids(process: int) -> list[int]:
    """The process's ids in all PID namespaces that it is in, the innermost last."""
    descriptor = os.open("status", os.O_RDONLY | os.O_CLOEXEC, dir_fd=process)
    with os.fdopen(descriptor) as status:
        line = next(line for line in status if line.startswith("NSpid:"))
    return [int(number) for number in line.split()[1:]]


def _write(process: int, name: str, text: str) -> None:
    descriptor = os.open(name, os.O_WRONLY | os.O_CLOEXEC, dir_fd=process)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def _receive(channel: socket.socket) -> tuple[bytes, int]:
    """One message and the id of its sender, 0 where that was not asked for. Descriptors are closed."""
    room = socket.CMSG_SPACE(12) + socket.CMSG_SPACE(4 * 253)
    try:
        data, ancillary, _flags, _address = channel.recvmsg(_LONGEST, room, socket.MSG_CMSG_CLOEXEC)
    except ConnectionError:
        return b"", 0
    sender = 0
    for level, kind, content in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS:
            sender = struct.unpack_from("=i", content)[0]
        elif level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            for (descriptor,) in struct.iter_unpack("=i", content[: len(content) & ~3]):
                os.close(descriptor)
    return data, sender


def _listener(address: tuple[str, int]) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    listener.setblocking(False)
    return listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()
    return f"{host}:{port}"


def _kill_all_but_init(environment: Environment) -> None:
    cgroup = environment.claim.cgroup
    cgroup.thaw()
    init = _pid(environment.pidfd) if environment.pidfd is not None else 0
    for pid in cgroup.processes() - {init}:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _pid(pidfd: int) -> int:
    lines = Path(f"/proc/self/fdinfo/{pidfd}").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("Pid:")))


def _text(data: bytes) -> str:
    """A reason from inside as one printable line."""
    text = data.decode(errors="replace")[:_REASON]
    return "".join(character if character.isprintable() else " " for character in text)
