"""The one process that keeps root: it makes sandboxes, and nothing else.

Started by the server before it gives its privileges up, as PID 1 of a PID namespace of its own, so that everything it
started ends with it. It obeys messages on one SOCK_SEQPACKET socket, and ends when that socket closes: the kernel then
stops every environment. It reads no network and never runs function code. Single-threaded; no call blocks for long.

Messages from the server, JSON with descriptors beside them:

    {"zygote": name, "command": [...], "variables": {...}, "root": {...}, "preload": bool}
    {"create": environment, "zygote": name, "tmp_mb": n}
    {"run": environment, "memory_mb": n, "settings": {...}}     settings: see `inside.environment.Parked`
    {"restart": environment, "generation": n}
    {"signal": environment, "name": "SIGSTOP"}
    {"destroy": environment}

Messages to the server:

    {"zygote": name, "ready": {...}} | {"zygote": name, "failed": reason}
    {"prepared": environment, "descriptors": [...], ...}   listeners, output pipes and cgroup files, in that order
    {"parked": environment, "generation": n}
    {"exited": environment, "status": wait status, "generation": n}
    {"gone": environment} | {"failed": environment, "reason": text}
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingle.sandbox.cgroups import Cgroup, CgroupTree, discover
from ingle.sandbox.images import ImageStore
from ingle.sandbox.inside import linux
from ingle.sandbox.root import RootPlan, enter

Message = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Zygote:
    name: str
    channel: socket.socket
    pid: int
    ready: bool = False


@dataclass(slots=True, kw_only=True)
class Environment:
    """The supervisor's side of one environment. `pidfd` is of its init; `parked` takes the settings, once."""

    name: str
    uid: int
    control: socket.socket
    cgroup: Cgroup
    image: str | None
    pidfd: int | None = None
    parked: socket.socket | None = None
    pending: Message | None = None
    descriptors: dict[str, int] = field(default_factory=dict)
    destroyed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How far this machine lets sandboxes go. `users`: first uid and how many are set aside."""

    data_directory: Path
    cgroup_name: str
    namespaces: bool
    privileged: bool
    users: tuple[int, int]
    api_host: str


class Supervisor:
    def __init__(self, options: Options, server: socket.socket) -> None:
        self._options = options
        self._server = server
        self._selector = selectors.DefaultSelector()
        self._zygotes: dict[str, Zygote] = {}
        self._environments: dict[str, Environment] = {}
        self._free_uids = list(range(options.users[0] + options.users[1] - 1, options.users[0] - 1, -1))
        self._dying: list[Environment] = []
        run = options.data_directory / "run"
        run.mkdir(mode=0o700, exist_ok=True)
        self._scratch = run / "root"
        self._scratch.mkdir(mode=0o700, exist_ok=True)
        images = options.privileged and options.namespaces and ImageStore.available()
        self._images = ImageStore(run / "images") if images else None
        self._tree = CgroupTree(discover(), options.cgroup_name)

    # --- the loop ---------------------------------------------------------------------------------------------------

    def serve(self) -> None:
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        self._tree.prepare()
        self._watch(self._server.fileno(), self._obey)
        limits = sorted(self._tree.controllers)
        self._tell({"started": os.getpid(), "controllers": limits, "images": self._images is not None})
        try:
            while True:
                events = self._selector.select(self._patience())
                if not events and not self._idle_work():
                    continue
                for key, _ in events:
                    key.data()
        except EOFError:
            self._end()

    def _patience(self) -> float | None:
        if self._dying:
            return 0.01
        return 0.05 if self._images is not None and self._wants_images else None

    _wants_images = True

    def _idle_work(self) -> bool:
        self._dying = [environment for environment in self._dying if not self._bury(environment)]
        if self._images is not None and not self._dying:
            try:
                self._wants_images = bool(self._zygotes) and self._images.refill()
            except OSError:
                self._wants_images = False
        return True

    def _end(self) -> None:
        """The server is gone: stop what runs and leave nothing behind."""
        for environment in list(self._environments.values()):
            environment.cgroup.thaw()
            if environment.pidfd is not None:
                signal.pidfd_send_signal(environment.pidfd, signal.SIGKILL)
        for zygote in self._zygotes.values():
            zygote.channel.close()
        with selectors.DefaultSelector() as endings:
            waiting = [environment.pidfd for environment in self._environments.values() if environment.pidfd]
            for pidfd in waiting:
                endings.register(pidfd, selectors.EVENT_READ)
            while waiting and (ended := endings.select(5)):
                for key, _ in ended:
                    endings.unregister(key.fd)
                    waiting.remove(key.fd)
        for environment in [*self._environments.values(), *self._dying]:
            for path in environment.cgroup.paths:
                from_tree = path
                if from_tree.exists():
                    _remove_group(from_tree)
            self._release_image(environment)
        self._tree.remove()

    def _watch(self, descriptor: int, react: Callable[[], None]) -> None:
        self._selector.register(descriptor, selectors.EVENT_READ, react)

    def _tell(self, message: Message, descriptors: list[int] | None = None) -> None:
        try:
            linux.send_message(self._server, json.dumps(message).encode(), descriptors or [])
        except OSError as error:
            raise EOFError from error

    # --- from the server --------------------------------------------------------------------------------------------

    def _obey(self) -> None:
        data, descriptors = linux.receive_message(self._server)
        for descriptor in descriptors:
            os.close(descriptor)
        if not data:
            raise EOFError
        message = json.loads(data)
        for verb in ("create", "zygote", "run", "restart", "signal", "destroy"):
            if verb in message:
                break
        if verb == "zygote":
            self._start_zygote(message)
        elif verb == "create":
            self._create(message)
        elif (environment := self._environments.get(message[verb])) is not None:
            getattr(self, f"_{verb}")(environment, message)

    def _start_zygote(self, message: Message) -> None:
        name = message["zygote"]
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        pid = os.fork()
        if pid == 0:
            self._become_zygote(message, theirs)
        theirs.close()
        zygote = Zygote(name=name, channel=ours, pid=pid)
        self._zygotes[name] = zygote
        self._wants_images = True
        self._watch(ours.fileno(), lambda: self._hear_zygote(zygote))

    def _become_zygote(self, message: Message, channel: socket.socket) -> None:
        """In the forked child: enter the root and execute the interpreter."""
        try:
            os.umask(0o022)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.set_inheritable(channel.fileno(), True)
            if self._options.namespaces:
                linux.unshare(linux.CLONE_NEWNS | linux.CLONE_NEWNET | linux.CLONE_NEWIPC | linux.CLONE_NEWUTS)
                plan = message["root"]
                enter(RootPlan(
                    scratch=self._scratch,
                    prefix=Path(plan["prefix"]),
                    guest=tuple(Path(path) for path in plan["guest"]),
                    sdk=Path(plan["sdk"]) if plan["sdk"] else None,
                    packages=self._options.data_directory / "packages",
                    images=self._options.data_directory / "run" / "images" if self._images is not None else None,
                    users=self._options.users,
                    privileged=self._options.privileged,
                ))  # fmt: skip
            else:
                linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
            options = json.dumps({"preload": message["preload"], "namespaces": self._options.namespaces})
            command = [*message["command"], str(channel.fileno()), options]
            os.execve(command[0], command, message["variables"])
        except BaseException as error:  # nothing above this frame can handle it
            linux.send_message(channel, json.dumps({"failed": str(error)}).encode())
        finally:
            os._exit(1)

    def _create(self, message: Message) -> None:
        name = message["create"]
        try:
            zygote = self._zygotes[message["zygote"]]
            self._fork(zygote, name, message["tmp_mb"])
        except (OSError, KeyError, IndexError) as error:
            self._tell({"failed": name, "reason": f"{type(error).__name__}: {error}"})

    def _fork(self, zygote: Zygote, name: str, tmp_mb: int) -> None:
        cgroup = self._tree.create(name)
        image = self._images.acquire(name, tmp_mb) if self._images is not None else None
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        output, output_end = os.pipe2(os.O_CLOEXEC)
        events, events_end = os.pipe2(os.O_CLOEXEC)
        environment = Environment(
            name=name, uid=self._free_uids.pop(), control=ours, cgroup=cgroup, image=image,
            descriptors={"output": output, "events": events},
        )  # fmt: skip
        self._environments[name] = environment
        joins = cgroup.join_descriptors()
        request = {
            "environment": name,
            "uid": environment.uid if self._options.privileged else 993,
            "namespaces": self._options.namespaces,
            "privileged": self._options.privileged,
            "api_host": self._options.api_host,
            "image": image,
            "tmp_mb": tmp_mb,
            "descriptors": ["control", "output", "events", *("join" for _ in joins)],
        }
        given = [theirs.fileno(), output_end, events_end, *joins]
        linux.send_message(zygote.channel, json.dumps(request).encode(), given)
        theirs.close()
        for descriptor in given[1:]:
            os.close(descriptor)
        self._watch(ours.fileno(), lambda: self._hear_environment(environment))

    def _run(self, environment: Environment, message: Message) -> None:
        environment.cgroup.limit_memory(message["memory_mb"])
        message["settings"]["uid"] = environment.uid
        if environment.parked is not None:
            linux.send_message(environment.parked, json.dumps(message["settings"]).encode())
            environment.parked.close()
            environment.parked = None

    def _restart(self, environment: Environment, message: Message) -> None:
        environment.cgroup.thaw()
        self._send(environment, {"restart": message["generation"]})

    def _signal(self, environment: Environment, message: Message) -> None:
        self._send(environment, {"signal": message["name"]})

    @staticmethod
    def _send(environment: Environment, message: Message) -> None:
        try:
            linux.send_message(environment.control, json.dumps(message).encode())
        except OSError:
            return  # its init has ended: the pidfd says so next

    def _destroy(self, environment: Environment, _message: Message) -> None:
        environment.destroyed = True
        environment.cgroup.thaw()
        if environment.pidfd is not None:
            signal.pidfd_send_signal(environment.pidfd, signal.SIGKILL)

    # --- from inside ------------------------------------------------------------------------------------------------

    def _hear_zygote(self, zygote: Zygote) -> None:
        data, _ = linux.receive_message(zygote.channel)
        message = json.loads(data) if data else {"failed": "the zygote ended"}
        if "ready" in message:
            zygote.ready = True
            self._tell({"zygote": zygote.name, "ready": {"modules": message["modules"], "pid": zygote.pid}})
        elif "failed" in message:
            self._selector.unregister(zygote.channel)
            zygote.channel.close()
            del self._zygotes[zygote.name]
            self._tell({"zygote": zygote.name, "failed": message["failed"]})
        elif (environment := self._environments.get(message["environment"])) is not None:
            self._forked(environment, message)

    def _forked(self, environment: Environment, message: Message) -> None:
        try:
            environment.pidfd = os.pidfd_open(message["pid"])
        except (KeyError, OSError) as error:
            self._tell({"failed": environment.name, "reason": message.get("error", str(error))})
            self._ended(environment)
            return
        self._watch(environment.pidfd, lambda: self._ended(environment))
        if environment.destroyed:
            self._destroy(environment, {})

    def _hear_environment(self, environment: Environment) -> None:
        data, descriptors = linux.receive_message(environment.control)
        if not data:
            self._selector.unregister(environment.control)
            return
        message = json.loads(data)
        if "prepared" in message:
            environment.parked = socket.socket(fileno=descriptors[2])
            self._hand_over(environment, message, descriptors[:2])
        elif "parked" in message:
            environment.parked = socket.socket(fileno=descriptors[0])
            self._tell({"parked": environment.name, "generation": message["parked"]})
        elif "exited" in message:
            status = {"status": message["exited"], "generation": message["generation"]}
            self._tell({"exited": environment.name, **status})

    def _hand_over(self, environment: Environment, message: Message, listeners: list[int]) -> None:
        """Give the server what it needs for this environment, as open files."""
        environment.cgroup.prepare_quota()
        descriptors = {"runtime_api": listeners[0], "api": listeners[1], **environment.descriptors}
        for handle in environment.cgroup.handles():
            flags = os.O_WRONLY if handle.writable else os.O_RDONLY
            descriptors[handle.purpose] = os.open(handle.path, flags | os.O_CLOEXEC)
            if handle.path.name == "freezer.state":
                message["freeze_words"] = ["FROZEN", "THAWED"]
            if handle.path.name == "cpu.max":
                message["quota_suffix"] = " 20000"
        told = {**message, "prepared": environment.name, "descriptors": list(descriptors)}
        self._tell(told, list(descriptors.values()))
        for descriptor in descriptors.values():
            os.close(descriptor)
        environment.descriptors.clear()

    def _ended(self, environment: Environment) -> None:
        """The init process is gone, and with it every process of the environment."""
        if environment.pidfd is not None:
            self._selector.unregister(environment.pidfd)
            os.close(environment.pidfd)
        if environment.control.fileno() in self._selector.get_map():
            self._selector.unregister(environment.control)
        environment.control.close()
        if environment.parked is not None:
            environment.parked.close()
        for descriptor in environment.descriptors.values():
            os.close(descriptor)
        self._release_image(environment)
        del self._environments[environment.name]
        if not self._bury(environment):
            self._dying.append(environment)

    def _bury(self, environment: Environment) -> bool:
        """Remove the group, then let the user id be used again; False: some process is still on its way out."""
        if not environment.cgroup.remove():
            return False
        self._free_uids.append(environment.uid)
        self._tell({"gone": environment.name})
        return True

    def _release_image(self, environment: Environment) -> None:
        if self._images is not None and environment.image is not None:
            self._images.release(environment.image)


def _remove_group(path: Path) -> None:
    from ingle.sandbox.cgroups import remove

    remove(path)


def main() -> None:
    server = socket.socket(fileno=int(sys.argv[1]))
    given = json.loads(sys.argv[2])
    options = Options(
        data_directory=Path(given["data_directory"]),
        cgroup_name=given["cgroup_name"],
        namespaces=given["namespaces"],
        privileged=given["privileged"],
        users=(given["users"][0], given["users"][1]),
        api_host=given["api_host"],
    )
    # Ctrl-C in a terminal reaches the whole group; stopping is the server's decision.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    Supervisor(options, server).serve()


if __name__ == "__main__":
    main()
