"""The one process that keeps root: it makes sandboxes, and nothing else.

Started by the server before it gives its privileges up, as PID 1 of a PID namespace of its own, so that everything it
started ends with it. It obeys messages on one SOCK_SEQPACKET socket, and ends when that socket closes: the kernel then
stops every environment. It reads no network and never runs function code. Single-threaded; no call blocks for long.

Messages from the server, JSON with descriptors beside them:

    {"zygote": name, "command": [...], "variables": {...}, "root": {...}, "preload": bool}
    {"create": environment, "zygote": name, "tmp_mb": n, "ahead": {...} | null, "network": name | null}
                                                                ahead: see `inside.ahead`
    {"attach": environment, "network": name}                    see `links`; what is to run waits for it
    {"mount": environment, "shares": [[name, place], ...]}      see `shares`; before anything runs there
    {"run": environment, "memory_mb": n, "settings": {...}}     settings: see `inside.environment.Parked`
    {"extend": environment, "memory_mb": n, "settings": {...}}  settings: see `inside.extensions.start_all`
    {"sockets": environment, "wanted": [...]}                   wanted: see `inside.environment.make_sockets`
    {"restart": environment, "generation": n}
    {"signal": environment, "name": "SIGSTOP", "runtime_only": bool}
    {"destroy": environment}
    {"clone": environment, "template": environment, "tmp_mb": n, "memory_mb": n, "network": name | null}
                                                                see `clones`

Messages to the server:

    {"zygote": name, "ready": {...}} | {"zygote": name, "failed": reason}     the latter also when one ends later
    {"prepared": environment, "descriptors": [...], ...}   listeners, output pipes and cgroup files, in that order
    {"parked": environment, "generation": n}
    {"mounted": environment, "error": text or null}
    {"template": environment, "ready": true} | {"template": environment, "refused": reason}     then, perhaps:
    {"template": environment, "ended": true}
    {"extended": environment, "errors": {name: text}}      with the end of a pipe, what the extensions write
    {"sockets": environment, "error": text or null}        with the sockets
    {"exited": environment, "status": wait status, "generation": n, "extension": name or null}
    {"gone": environment} | {"failed": environment, "reason": text}
    {"networks": true}                                     with a socket to the process that makes networks, a new one
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ingle.sandbox import shares, zygotes
from ingle.sandbox.claims import Claims
from ingle.sandbox.clones import Clones, Place
from ingle.sandbox.environments import Environment, Message, acquire, hand_over
from ingle.sandbox.images import ImageStore
from ingle.sandbox.inside import linux
from ingle.sandbox.links import Links
from ingle.sandbox.links import Options as NetworkOptions
from ingle.sandbox.shares import Share, shares_of
from ingle.sandbox.zygotes import USER_INSIDE, Zygote, ZygotePlace

#: Seconds between looks at groups whose last processes are on their way out, and before an image is copied ahead.
_BURIAL_PAUSE = 0.01
_IDLE_PAUSE = 0.05
#: Seconds that everything gets to end once the server is gone.
_END_LIMIT = 5.0
#: Loop devices that environments try first are numbered from here, one for each user id.
FIRST_LOOP = 64
#: What waits for a link that is being made.
_HELD = ("run", "extend")
_VERBS = ("create", "zygote", "clone", "attach", "mount", "run", "extend", "sockets", "restart", "signal", "destroy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How far this machine lets sandboxes go. `users`: first uid and how many are set aside."""

    data_directory: Path
    cgroup_name: str
    namespaces: bool
    privileged: bool
    users: tuple[int, int]
    api_host: str
    network: NetworkOptions | None = None
    shares: Mapping[str, Share] = field(default_factory=dict)


class Supervisor:
    """Trouble with one environment ends that environment; only the loss of the server ends the supervisor."""

    def __init__(self, options: Options, server: socket.socket) -> None:
        self._options = options
        self._server = server
        self._selector = selectors.DefaultSelector()
        self._zygotes: dict[str, Zygote] = {}
        self._environments: dict[str, Environment] = {}
        run = options.data_directory / "run"
        scratch, images = run / "root", run / "images"
        for directory in (run, scratch):
            directory.mkdir(mode=0o700, exist_ok=True)
        has_images = options.privileged and options.namespaces and ImageStore.available()
        self._claims = Claims(options.cgroup_name, options.users, images if has_images else None)
        self._place = ZygotePlace(
            namespaces=options.namespaces, privileged=options.privileged, scratch=scratch, users=options.users,
            packages=options.data_directory / "packages", images=images if has_images else None,
            resolver=None if options.network is None else options.network.resolver,
        )  # fmt: skip
        place = Place(
            privileged=options.privileged, api_host=options.api_host, first_user=options.users[0],
            first_loop=FIRST_LOOP, run=run,
        )  # fmt: skip
        self._links = Links(options.network)
        self._clones = Clones(place, self._claims, _CloneKeeper(self))

    # --- the loop ---------------------------------------------------------------------------------------------------

    def serve(self) -> None:
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        self._claims.prepare()
        self._watch(self._server.fileno(), self._obey)
        self._watch_links()
        try:
            limits, images = self._claims.controllers, self._claims.has_images
            self._tell({"started": os.getpid(), "controllers": limits, "images": images})
            while True:
                self._turn()
        except EOFError:
            self._end()

    def _turn(self) -> None:
        claims, due = self._claims, self._links.due
        patience = _BURIAL_PAUSE if claims.dying else _IDLE_PAUSE if claims.wants_images else None
        if due is not None:
            until = max(0.0, due - time.monotonic())
            patience = until if patience is None else min(patience, until)
        events = self._selector.select(patience)
        if due is not None and time.monotonic() >= due:
            self._restart_networks()
        for key, _ in events:
            # An earlier event of this turn may have closed the descriptor, or put another one in its place.
            if self._selector.get_map().get(key.fd) is key:
                key.data()
        for claim in claims.bury():
            self._tell({"gone": claim.name})
        if not events and claims.wants_images:
            claims.copy_image()

    def _watch_links(self) -> None:
        if self._links.channel is not None:
            descriptor = self._links.channel.fileno()
            self._watch(descriptor, lambda: self._hear_links(descriptor))

    def _hear_links(self, descriptor: int) -> None:
        try:
            self._links.hear()
        except EOFError:
            self._unwatch(descriptor)
            self._links.lost()

    def _restart_networks(self) -> None:
        try:
            with self._links.restart() as server:
                self._watch_links()
                self._tell({"networks": True}, [server.fileno()])
        except OSError:
            self._links.lost()  # it is tried again later

    def _end(self) -> None:
        """The server is gone: stop what runs and leave nothing behind."""
        until = time.monotonic() + _END_LIMIT
        for environment in self._environments.values():
            environment.kill()
        for zygote in self._zygotes.values():
            zygote.channel.close()
        with selectors.DefaultSelector() as endings:
            for environment in self._environments.values():
                if environment.pidfd is not None:
                    endings.register(environment.pidfd, selectors.EVENT_READ)
            while endings.get_map() and time.monotonic() < until:
                for key, _ in endings.select(until - time.monotonic()):
                    endings.unregister(key.fd)
        self._links.close()
        running = [environment.claim for environment in self._environments.values()]
        self._claims.end(running, max(0.1, until - time.monotonic()))

    def _watch(self, descriptor: int, react: Callable[[], None]) -> None:
        self._selector.register(descriptor, selectors.EVENT_READ, react)

    def _watch_environment(self, descriptor: int, environment: Environment, react: Callable[[], None]) -> None:
        self._watch(descriptor, lambda: self._guarded(environment, react))

    def _unwatch(self, descriptor: int) -> None:
        if descriptor in self._selector.get_map():
            self._selector.unregister(descriptor)

    def _guarded(self, environment: Environment, react: Callable[[], None]) -> None:
        try:
            react()
        except (OSError, ValueError, LookupError) as error:
            self._fail(environment, f"{type(error).__name__}: {error}")

    def _fail(self, environment: Environment, reason: str) -> None:
        self._tell({"failed": environment.name, "reason": reason})
        environment.destroyed = True
        self._clones.kill(environment)

    def _tell(self, message: Message, descriptors: list[int] | None = None) -> None:
        try:
            linux.send_message(self._server, json.dumps(message).encode(), descriptors or [])
        except (BrokenPipeError, ConnectionError) as error:
            raise EOFError from error

    # --- from the server --------------------------------------------------------------------------------------------

    def _obey(self) -> None:
        data, descriptors = linux.receive_message(self._server)
        for descriptor in descriptors:
            os.close(descriptor)
        if not data:
            raise EOFError
        message = json.loads(data)
        verb = next(verb for verb in _VERBS if verb in message)
        if verb == "zygote":
            self._start_zygote(message)
        elif verb == "create":
            self._create(message)
        elif verb == "clone":
            self._clone(message)
        elif (environment := self._environments.get(message[verb])) is not None:
            self._act(verb, environment, message)

    def _act(self, verb: str, environment: Environment, message: Message) -> None:
        def act() -> None:
            getattr(self, f"_{verb}")(environment, message)

        if environment.held is not None and verb in _HELD:
            environment.held.append(act)
        else:
            self._guarded(environment, act)

    def _start_zygote(self, message: Message) -> None:
        try:
            zygote = zygotes.start(message, self._place)
        except OSError as error:
            self._tell({"zygote": message["zygote"], "failed": str(error)})
            return
        self._zygotes[zygote.name] = zygote
        self._claims.want_images()
        self._watch(zygote.channel.fileno(), lambda: self._hear_zygote(zygote))

    def _create(self, message: Message) -> None:
        name, zygote = message["create"], self._zygotes.get(message["zygote"])
        if zygote is None:
            self._tell({"failed": name, "reason": f"there is no zygote {message['zygote']}"})
        else:
            try:
                self._fork(zygote, name, message)
            except OSError as error:
                self._tell({"failed": name, "reason": str(error)})

    def _fork(self, zygote: Zygote, name: str, message: Message) -> None:
        """Raises OSError, and then holds nothing for the environment."""
        options, tmp_mb = self._options, message["tmp_mb"]
        claim = self._claims.take(name, tmp_mb)
        with contextlib.ExitStack() as undo:
            undo.callback(self._claims.give_back, claim)
            environment, offer = acquire(claim, zygote.name, namespaces=options.namespaces)
            environment.wanted_network = message["network"]
            undo.callback(environment.close)
            request = {
                "environment": name,
                "uid": claim.uid if options.privileged else USER_INSIDE,
                "namespaces": options.namespaces,
                "privileged": options.privileged,
                "api_host": options.api_host,
                "image": claim.image,
                "loop": FIRST_LOOP + claim.uid - options.users[0],
                "tmp_mb": tmp_mb,
                "ahead": message["ahead"],
                "measure": not claim.cgroup.counts_memory,
                "descriptors": offer.names,
            }
            with contextlib.closing(offer):
                linux.send_message(zygote.channel, json.dumps(request).encode(), offer.files)
            undo.pop_all()
        self._environments[name] = environment
        control = environment.control.fileno()
        self._watch_environment(control, environment, lambda: self._hear_environment(environment))

    def _run(self, environment: Environment, message: Message) -> None:
        environment.claim.cgroup.limit_memory(message["memory_mb"])
        if environment.parked is not None:
            parked, environment.parked = environment.parked, None
            with contextlib.ExitStack() as stack:
                stack.enter_context(parked)
                linux.send_message(parked, json.dumps(message["settings"]).encode())
                if "template" in message["settings"]:
                    stack.pop_all()
                    self._clones.adopt(environment, parked)

    def _attach(self, environment: Environment, message: Message) -> None:
        def linked(error: str | None) -> None:
            held, environment.held = environment.held or [], None
            if environment.name not in self._environments:
                return
            if error is not None:
                self._fail(environment, f"OSError: {error}")
                return
            for act in held:
                self._guarded(environment, act)

        if environment.network is None:
            raise OSError("it has no network of its own")
        environment.held = []
        self._links.attach(environment.name, message["network"], environment.network, linked, hurry=True)

    def _mount(self, environment: Environment, message: Message) -> None:
        def tell(error: str | None) -> None:
            self._tell({"mounted": environment.name, "error": error})

        wanted = [(self._options.shares.get(name), place) for name, place in message["shares"]]
        found = [(share, place) for share, place in wanted if share is not None]
        if not self._options.privileged or environment.pidfd is None or len(found) < len(wanted):
            tell("there is no such share" if self._options.privileged else "it takes root")
            return
        outcome = shares.mount(found, environment.pidfd, environment.claim.uid)

        def hear() -> None:
            text = os.read(outcome, 4096)
            self._unwatch(outcome)
            os.close(outcome)
            tell(None if text == shares.DONE else text.decode("utf-8", "replace") or "it was killed")

        self._watch(outcome, hear)

    def _link_clone(self, environment: Environment, done: Callable[[str | None], None]) -> None:
        assert environment.network is not None
        assert environment.wanted_network is not None

        def linked(error: str | None) -> None:
            self._guarded(environment, lambda: done(error))

        self._links.attach(environment.name, environment.wanted_network, environment.network, linked)

    def _clone(self, message: Message) -> None:
        try:
            self._clones.start(message)
        except OSError as error:
            self._tell({"failed": message["clone"], "reason": str(error)})

    def _extend(self, environment: Environment, message: Message) -> None:
        environment.claim.cgroup.limit_memory(message["memory_mb"])
        linux.send_message(environment.control, json.dumps({"extend": message["settings"]}).encode())

    def _sockets(self, environment: Environment, message: Message) -> None:
        if self._clones.make_sockets(environment, message["wanted"]):
            return
        linux.send_message(environment.control, json.dumps({"sockets": message["wanted"]}).encode())

    def _restart(self, environment: Environment, message: Message) -> None:
        environment.claim.cgroup.thaw()
        linux.send_message(environment.control, json.dumps({"restart": message["generation"]}).encode())

    def _signal(self, environment: Environment, message: Message) -> None:
        if not self._clones.signal(environment, message["name"], runtime_only=message["runtime_only"]):
            request = {"signal": message["name"], "runtime_only": message["runtime_only"]}
            linux.send_message(environment.control, json.dumps(request).encode())

    def _destroy(self, environment: Environment, _message: Message) -> None:
        environment.destroyed = True
        if environment.pidfd is not None or environment.zygote is None:
            self._clones.kill(environment)  # otherwise once its process is known

    # --- from inside ------------------------------------------------------------------------------------------------

    def _hear_zygote(self, zygote: Zygote) -> None:
        try:
            data, _ = linux.receive_message(zygote.channel)
        except OSError:
            data = b""
        message = json.loads(data) if data else {"failed": "the zygote ended"}
        if "ready" in message:
            self._tell({"zygote": zygote.name, "ready": {"modules": message["modules"], "pid": zygote.pid}})
        elif "failed" in message:
            self._zygote_ended(zygote, message["failed"])
        elif (environment := self._environments.get(message["environment"])) is not None:
            self._guarded(environment, lambda: self._forked(environment, message))

    def _zygote_ended(self, zygote: Zygote, reason: str) -> None:
        self._selector.unregister(zygote.channel)
        zygote.channel.close()
        del self._zygotes[zygote.name]
        self._tell({"zygote": zygote.name, "failed": reason})
        for environment in list(self._environments.values()):
            if environment.zygote == zygote.name and environment.pidfd is None:
                self._never_forked(environment, reason)

    def _forked(self, environment: Environment, message: Message) -> None:
        try:
            environment.pidfd = os.pidfd_open(message["pid"])
        except (KeyError, OSError) as error:
            self._never_forked(environment, message.get("error", f"its first process ended at once ({error})"))
            return
        self._watch_environment(environment.pidfd, environment, lambda: self._ended(environment))
        if environment.destroyed:
            environment.kill()

    def _never_forked(self, environment: Environment, reason: str) -> None:
        self._tell({"failed": environment.name, "reason": reason})
        self._ended(environment)

    def _hear_environment(self, environment: Environment) -> None:
        try:
            data, descriptors = linux.receive_message(environment.control)
        except ConnectionError:
            data, descriptors = b"", []
        if not data:
            self._unwatch(environment.control.fileno())  # its init is ending: the pidfd says so
            return
        message = json.loads(data)
        if "prepared" in message:
            self._prepared(environment, message, descriptors)
        elif "parked" in message:
            environment.parked = socket.socket(fileno=descriptors.pop(0))
            self._pass_on(environment, "parked", {**message, "generation": message["parked"]}, descriptors)
        elif "exited" in message:
            self._tell({**message, "exited": environment.name, "status": message["exited"]})
        else:
            verb = "extended" if "extended" in message else "sockets"
            self._pass_on(environment, verb, message, descriptors)

    def _pass_on(self, environment: Environment, verb: str, message: Message, descriptors: list[int]) -> None:
        """An answer with open files, for the server as it is."""
        try:
            self._tell({**message, verb: environment.name}, descriptors)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def _prepared(self, environment: Environment, message: Message, descriptors: list[int]) -> None:
        if self._options.namespaces:
            environment.network = descriptors.pop(0)
        if environment.wanted_network is None or environment.network is None:
            self._offer(environment, message, descriptors)
            return

        def linked(error: str | None) -> None:
            if error is None:
                self._guarded(environment, lambda: self._offer(environment, message, descriptors))
                return
            for descriptor in descriptors:
                os.close(descriptor)
            if environment.name in self._environments:
                self._fail(environment, f"OSError: {error}")

        self._links.attach(environment.name, environment.wanted_network, environment.network, linked)

    def _offer(self, environment: Environment, message: Message, descriptors: list[int]) -> None:
        told, files = hand_over(environment, message, descriptors)
        try:
            self._tell(told, list(files.values()))
        finally:
            for descriptor in files.values():
                os.close(descriptor)

    def _ended(self, environment: Environment) -> None:
        """The init process is gone, and with it every process of the environment."""
        for descriptor in (environment.pidfd, environment.control.fileno()):
            if descriptor is not None:
                self._unwatch(descriptor)
        environment.close()
        del self._environments[environment.name]
        self._clones.forget(environment)
        # Last: what waits for the link asks whether the environment is still there.
        self._links.forget(environment.name)
        self._claims.give_back(environment.claim)


class _CloneKeeper:
    """The supervisor as `clones` sees it."""

    def __init__(self, supervisor: Supervisor) -> None:
        self.tell = supervisor._tell
        self.watch = supervisor._watch_environment
        self.unwatch = supervisor._unwatch
        self.ended = supervisor._ended
        self.attach = supervisor._link_clone
        self._environments = supervisor._environments

    def add(self, environment: Environment) -> None:
        self._environments[environment.name] = environment


def main() -> None:
    server = socket.socket(fileno=int(sys.argv[1]))
    # Nothing started from here may hold it: its end tells the server that the supervisor is gone.
    server.set_inheritable(False)
    given = json.loads(sys.argv[2])
    options = Options(
        data_directory=Path(given["data_directory"]),
        cgroup_name=given["cgroup_name"],
        namespaces=given["namespaces"],
        privileged=given["privileged"],
        users=(given["users"][0], given["users"][1]),
        api_host=given["api_host"],
        network=None if given["network"] is None else NetworkOptions(**given["network"]),
        shares=shares_of(given["shares"]),
    )
    # Ctrl-C in a terminal reaches the whole group; stopping is the server's decision.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    Supervisor(options, server).serve()


if __name__ == "__main__":
    main()
