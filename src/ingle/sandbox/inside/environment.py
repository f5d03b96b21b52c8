"""From a forked zygote to an execution environment: the init process and the runtime process below it.

The init process (PID 1 of the environment) makes the namespaces, mounts and listening sockets, keeps a runtime process
parked, and reports how processes end. It never runs function code and keeps the privileges it needs to start the
runtime again after a crash. The parked process takes the function's settings in one message, gives every privilege up
and becomes the runtime. The supervisor (`ingle.sandbox.supervisor`) documents the messages.
"""

import contextlib
import json
import os
import random
import select
import signal
import socket
import sys
import time

import ahead
import bootstrap
import cloning
import confinement
import extensions
import linux
from confinement import HIDDEN

LOG_FD = 3


def complain(text):
    """The last resort for faults inside: the supervisor's standard error."""
    os.write(2, ("ingle sandbox: %s\n" % text).encode())


def warm_up():
    """Touch what a parked process needs later, so that forks share it."""
    json.loads('{"a": ["b", 1, null, true, 1.5]}')
    json.dumps({"a": ["b", 1, None, True, 1.5]})
    random.random()
    time.tzset()


class Init:
    """PID 1. `request` describes the environment; `descriptors` come in the order of `request["descriptors"]`."""

    def __init__(self, request, descriptors):
        self._request = request
        self._names = dict(zip(request["descriptors"], descriptors))
        self._joins = [fd for name, fd in zip(request["descriptors"], descriptors) if name == "join"]
        self._control = socket.socket(fileno=self._names["control"])
        self._main = None
        self._ahead = None
        self._generation = 0
        self._extensions = {}  # process id to name

    def run(self):
        if not self._request["namespaces"]:
            # With namespaces everything ends with init. Without, it must know its descendants to end them.
            linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)
        os.setsid()
        for descriptor in self._joins:
            os.write(descriptor, b"0")
            os.close(descriptor)
        listeners = self._isolate()
        if self._request["ahead"]:
            parked_process = Parked(self._request, self._names, None)
            self._ahead = ahead.Ahead(lambda descriptor: self._guarded(parked_process.start_ahead, descriptor))
        parked = self._park()
        if self._ahead:
            self._ahead.forget_settings()
        address = "%s:%d" % listeners[0].getsockname()
        api_address = "%s:%d" % listeners[1].getsockname()
        ready = {"prepared": True, "runtime_api": address, "api": api_address}
        status = self._open_status()
        network = self._open_network()
        files = [*network, *(item.fileno() for item in listeners), *status, parked.fileno()]
        linux.send_message(self._control, json.dumps(ready).encode(), files)
        for item in [*listeners, parked]:
            item.close()
        for descriptor in [*network, *status]:
            os.close(descriptor)
        self._serve()
        if not self._request["namespaces"]:
            self._end_descendants()

    def _isolate(self):
        request = self._request
        if request["namespaces"]:
            flags = linux.CLONE_NEWNS | linux.CLONE_NEWIPC | linux.CLONE_NEWUTS | linux.CLONE_NEWNET
            linux.unshare(flags)
            linux.mount("", "/", "", linux.MS_REC | linux.MS_PRIVATE)
            linux.mount("proc", "/proc", "proc", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC)
            if request["image"]:
                image = "%s/images/%s" % (HIDDEN, request["image"])
                linux.mount_image(image, "/tmp", HIDDEN + "/dev", request["loop"])
                os.chmod("/tmp", 0o1777)
            else:
                size = "size=%dm,mode=1777" % request["tmp_mb"]
                linux.mount("tmpfs", "/tmp", "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, size)
            linux.sethostname("ingle")
            linux.configure_loopback(request["api_host"])
            addresses = [("127.0.0.1", 9001), (request["api_host"], 4566)]
        else:
            addresses = [("127.0.0.1", 0), ("127.0.0.1", 0)]
        return [_listen(address) for address in addresses]

    def _park(self):
        """Fork a process that waits for the function's settings on the socket whose other end is returned."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        pid = os.fork()
        if pid == 0:
            ours.close()
            self._guarded(Parked(self._request, self._names, theirs, self._ahead).run)
        theirs.close()
        self._main = pid
        return ours

    def _open_network(self):
        """The namespace, for the supervisor to have a link made that leads out of it."""
        return [os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)] if self._request["namespaces"] else []

    def _open_status(self):
        """What tells of the memory of the process that is to be the runtime, where no control group does."""
        if not self._request["measure"]:
            return []
        pid = self._ahead.pid if self._ahead else self._main
        return [os.open("/proc/%d/status" % pid, os.O_RDONLY | os.O_CLOEXEC)]

    def _guarded(self, work, *arguments):
        """In a forked child: do `work`, which does not return, and never go on as init."""
        try:
            self._control.close()
            work(*arguments)
        except SystemExit as stop:
            _exit_like_python(stop)
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(1)

    def _serve(self):
        reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        waiting = select.poll()
        waiting.register(self._control.fileno(), select.POLLIN)
        waiting.register(reader, select.POLLIN)
        while True:
            for descriptor, _events in waiting.poll():
                if descriptor == reader:
                    os.read(reader, 512)
                    self._reap()
                elif not self._obey():
                    return

    def _obey(self):
        try:
            data, _ = linux.receive_message(self._control)
        except ConnectionError:
            return False
        if not data:
            return False
        message = json.loads(data)
        if "signal" in message:
            self._signal(message["signal"], message["runtime_only"])
        elif "restart" in message:
            self._restart(message["restart"])
        elif "extend" in message:
            self._extend(message["extend"])
        elif "sockets" in message:
            self._make_sockets(message["sockets"])
        return True

    def _extend(self, settings):
        """Start the extensions; what they write comes out of the pipe whose end goes to the server."""
        reader, writer = os.pipe2(os.O_CLOEXEC)
        self._extensions, errors = extensions.start_all(self._request, settings, writer)
        os.close(writer)
        linux.send_message(self._control, json.dumps({"extended": True, "errors": errors}).encode(), [reader])
        os.close(reader)

    def _make_sockets(self, wanted):
        made, error = [], None
        try:
            make_sockets(wanted, made)
        except OSError as problem:
            error = str(problem)
        linux.send_message(
            self._control, json.dumps({"sockets": True, "error": error}).encode(), [item.fileno() for item in made]
        )
        for item in made:
            item.close()

    def _restart(self, generation):
        """A new parked process in the same sandbox, once nothing of the old runtime is left."""
        self._extensions = {}
        self._end_descendants()
        self._ahead = None
        self._generation = generation
        parked = self._park()
        status = self._open_status()
        linux.send_message(self._control, json.dumps({"parked": generation}).encode(), [parked.fileno(), *status])
        parked.close()
        for descriptor in status:
            os.close(descriptor)

    def _end_descendants(self):
        """Kill and reap everything below this process: orphans become its children, so that none is missed."""
        while True:
            self._signal("SIGKILL")
            try:
                pid, status = os.waitpid(-1, 0)
            except ChildProcessError:
                return
            self._ended(pid, status)
            self._reap()  # a thousand that end together are not worth a signal to all for each

    def _signal(self, name, runtime_only=False):
        """To every process of the environment but this one, or to the runtime and what is in its process group."""
        number = getattr(signal, name)
        if runtime_only:
            if self._main is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._main, number)
            return
        for pid in [-1] if self._request["namespaces"] else _descendants():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _reap(self):
        for pid, status in linux.ended_children():
            self._ended(pid, status)

    def _ended(self, pid, status):
        early = self._ahead
        if early and pid == early.pid:
            early.status = status
        if early and pid == self._main != early.pid and early.took_over():
            self._main, pid, status = early.pid, early.pid, early.status
            if status is None:
                return
        name = self._extensions.pop(pid, None)
        if pid == self._main or name is not None:
            if name is None:
                self._main = None
            message = {"exited": status, "generation": self._generation, "extension": name}
            with contextlib.suppress(ConnectionError):  # the end of the supervisor is seen in `_obey`
                linux.send_message(self._control, json.dumps(message).encode())


class Parked:
    """The process that becomes the runtime, once it is told which, or hands over to one that was started ahead."""

    def __init__(self, request, names, channel, early=None):
        self._request = request
        self._names = names
        self._channel = channel
        self._ahead = early

    def start_ahead(self, descriptor):
        """Execute the runtime now; it reads its settings from `descriptor`."""
        given = self._request["ahead"]
        self._leave_init()
        self._attach_output(descriptor)
        self._restrict(given)
        given["variables"]["_INGLE_SETTINGS_FD"] = str(ahead.SETTINGS_FD)
        self._execute(given, given["variables"])

    def run(self):
        self._leave_init()
        data, _ = linux.receive_message(self._channel)
        if not data:
            os._exit(0)
        settings = json.loads(data)
        if self._request["namespaces"]:
            confinement.mount(settings)
        if self._ahead and self._hand_over(settings):
            os._exit(0)
        if "template" in settings:
            self._attach_output(self._channel.fileno())
            cloning.keep_channel(LOG_FD + 1)
        else:
            self._attach_output()
        self._restrict(settings)
        os.chdir(settings["directory"])
        self._become(settings)

    def _leave_init(self):
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setpgid(0, 0)

    def _hand_over(self, settings):
        """Whether the runtime that was started ahead is the function's now."""
        if not settings["ahead"]:
            self._ahead.discard()
            return False
        variables = dict(settings["variables"], _LAMBDA_TELEMETRY_LOG_FD=str(LOG_FD))
        return self._ahead.hand_over({"variables": variables, "directory": settings["directory"]})

    def _restrict(self, settings):
        # Of the processes of an environment the kernel shall kill the function's, not init.
        confinement.write("/proc/self/oom_score_adj", "500")
        confinement.limit(settings["limits"])
        confinement.give_up_privileges(self._request, settings)

    def _attach_output(self, *more):
        """Standard streams, the log channel, and `more` descriptors in the numbers behind them; no others."""
        null = os.open("/dev/null", os.O_RDONLY)
        os.dup2(null, 0)
        os.dup2(self._names["output"], 1)
        os.dup2(self._names["output"], 2)
        kept = [os.dup(descriptor) for descriptor in (self._names["events"], *more)]
        for number, descriptor in enumerate(kept, LOG_FD):
            os.dup2(descriptor, number, inheritable=True)
            os.set_inheritable(number, True)
        os.closerange(LOG_FD + len(kept), 1024)

    def _become(self, settings):
        variables = settings["variables"]
        command = settings["command"]
        if command:
            variables["_LAMBDA_TELEMETRY_LOG_FD"] = str(LOG_FD)
            self._execute(settings, variables)
        os.set_inheritable(LOG_FD, False)
        os.environ.clear()
        os.environ.update(variables)
        os.environ["_LAMBDA_TELEMETRY_LOG_FD"] = str(LOG_FD)
        _forget_what_siblings_know()
        sys.modules["__main__"] = bootstrap
        bootstrap.run(self._template(settings["template"]).wait if "template" in settings else None)

    def _template(self, given):
        channel, seccomp = socket.socket(fileno=cloning.CHANNEL_FD), bytes.fromhex(given["seccomp"])
        return cloning.Template(channel, LOG_FD, self._request["tmp_mb"], seccomp, _forget_what_siblings_know)

    def _execute(self, settings, variables):
        """Execute the first program of `command` candidates that is there; 127 tells that none is, as in a shell."""
        for arguments in settings["command"]:
            if os.access(arguments[0], os.X_OK):
                if not settings["log_fd"]:
                    os.set_inheritable(LOG_FD, False)
                    variables.pop("_LAMBDA_TELEMETRY_LOG_FD")
                for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD):
                    signal.signal(number, signal.SIG_DFL)
                try:
                    os.execve(arguments[0], arguments, variables)
                except OSError as error:
                    os.write(2, ("%s: %s\n" % (arguments[0], error.strerror)).encode())
                    os._exit(126)
        os._exit(127)


def _forget_what_siblings_know():
    """Modules draw secrets when they are imported; those of the zygote's are the same in every fork."""
    random.seed()
    if "_ssl" in sys.modules:
        # OpenSSL notices a fork by the process id, which is the same in many environments.
        sys.modules["_ssl"].RAND_add(os.urandom(32), 32.0)
    if "multiprocessing.process" in sys.modules:
        sys.modules["multiprocessing.process"].current_process().authkey = os.urandom(32)
    if "tempfile" in sys.modules:
        sys.modules["tempfile"]._name_sequence = None
    if "uuid" in sys.modules:
        sys.modules["uuid"]._node = sys.modules["uuid"]._last_timestamp = None


def _exit_like_python(stop):
    """What the interpreter does with an uncaught SystemExit."""
    sys.stdout.flush()
    if isinstance(stop.code, int):
        os._exit(stop.code & 0xFF)
    if stop.code is None:
        os._exit(0)
    os.write(2, ("%s\n" % (stop.code,)).encode())
    os._exit(1)


def _descendants():
    """Ids of the processes below this one, parents first."""
    children = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open("/proc/%s/stat" % name, "rb") as file:
                    parent = int(file.read().rpartition(b")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(name))
    found = list(children.get(os.getpid(), ()))
    for pid in found:
        found.extend(children.get(pid, ()))
    return found


def make_sockets(wanted, made):
    """Append to `made` a socket of this network for each of `wanted`: [kind, address], with no address unbound."""
    for kind, address in wanted:
        item = socket.socket(socket.AF_INET, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
        made.append(item)
        if address:
            item.bind(tuple(address))


def _listen(address):
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(address)
    listener.listen(128)
    listener.setblocking(False)
    return listener
