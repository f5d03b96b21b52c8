"""An initialised runtime process as a template, and the clones that are forked from it.

    template                   the process in which the function was initialised; it waits in `Template.wait`
     `- helper                 its child: takes the clone's place in the groups, leaves the template's namespaces
         `- init of the clone  process 1 of the new namespaces; `- the clone, in which `Template.wait` returns

All of it runs as an ordinary user without capabilities. The new user namespace lends the helper and the init what they
need to make the others; both parts of the clone then give that up and load the filter of every environment. Files,
users and sockets that only root can make come from the supervisor, over two SOCK_SEQPACKET channels:

    template -> supervisor   b"ready" | b"refused REASON"                     once
    supervisor -> template   {"uid": n | null, "descriptors": [...]}          for each clone
    helper -> supervisor     b"unshared"       then: b"go", with the mount for /tmp where there is one
    init -> supervisor       b"ready", b"exited STATUS" | b"failed REASON"
    supervisor -> init       b"SIGTERM" (to all) | b"SIGTERM runtime"

The supervisor (`ingle.sandbox.clones`) believes none of them: the function's code was here before.
"""

import contextlib
import gc
import json
import os
import select
import signal
import socket
import sys

import inherited
import linux

#: Where a template keeps its channel: away from the numbers that the function's own descriptors get.
CHANNEL_FD = 1023
_NAMESPACES = (
    linux.CLONE_NEWUSER | linux.CLONE_NEWPID | linux.CLONE_NEWNET | linux.CLONE_NEWIPC | linux.CLONE_NEWNS
)  # fmt: skip
_PROC = linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC


def keep_channel(descriptor):
    """Move the channel from `descriptor` to its place."""
    os.dup2(descriptor, CHANNEL_FD, inheritable=False)
    os.close(descriptor)


class Template:
    """`log_fd`: the number of the log channel. `seccomp`: the filter of clones. `forget()`: called in each clone."""

    def __init__(self, channel, log_fd, tmp_mb, seccomp, forget):
        self._channel = channel
        self._log_fd = log_fd
        self._tmp_mb = tmp_mb
        self._seccomp = seccomp
        self._forget = forget

    def wait(self):
        """Return in every clone, once it has been told its variables. The template itself never returns."""
        gc.collect()
        gc.freeze()
        try:
            inherited.require_lone_process()
            inherited.require_private_memory()
            self._tmp = inherited.walk_tmp()
            self._steps = inherited.survey({0, 1, 2, self._log_fd, self._channel.fileno()})
        except inherited.Uncloneable as reason:
            self._channel.send(b"refused " + str(reason).encode("utf-8", "replace")[:500])
            self._channel.recv(1)
            os._exit(0)
        self._channel.send(b"ready")
        self._directory, self.process_id = os.getcwd(), os.getpid()
        reaction, self._collects = signal.getsignal(signal.SIGCHLD), gc.isenabled()
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # helpers are nobody's concern
        while not self._fork():
            pass
        if reaction is not None:
            signal.signal(signal.SIGCHLD, reaction)

    def _fork(self):
        """True in the clone."""
        data, descriptors = linux.receive_message(self._channel)
        if not data:
            os._exit(0)
        request = json.loads(data)
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            files = dict(zip(request["descriptors"], descriptors))
            joins = [fd for name, fd in zip(request["descriptors"], descriptors) if name == "join"]
            clone = Clone(self, request["uid"], files, joins)
            clone.leave()
            return True
        for descriptor in descriptors:
            os.close(descriptor)
        return False


class Clone:
    """The steps from the fork to the running clone, in the helper, in the init and in the clone itself."""

    def __init__(self, template, uid, files, joins):
        self._template = template
        self._uid = uid
        self._files = files
        self._joins = joins
        self._control = socket.socket(fileno=files["control"])

    def leave(self):
        """Return in the clone only."""
        try:
            self._leave()
        except BaseException as error:  # these processes are the platform's: the function shall not see their errors
            with contextlib.suppress(OSError):
                reason = "%s: %s" % (type(error).__name__, error)
                self._control.send(b"failed " + reason.encode("utf-8", "replace")[:500])
            os._exit(70)

    def _leave(self):
        gc.disable()
        for descriptor in self._joins:
            os.write(descriptor, b"0")
            os.close(descriptor)
        opened = inherited.open_tmp(self._template._tmp)
        outside = os.geteuid(), os.getegid()
        linux.unshare(_NAMESPACES)
        if self._uid is None:
            _map_to_oneself(*outside)
        self._control.send(b"unshared")
        data, mounts = linux.receive_message(self._control)
        if data != b"go":
            os._exit(0)
        if self._uid is not None:
            # The same number as in the template, but another user outside.
            os.setresgid(self._uid, self._uid, self._uid)
            os.setresuid(self._uid, self._uid, self._uid)
        if os.fork():
            os._exit(0)
        self._become_init(opened, mounts)

    def _become_init(self, opened, mounts):
        os.setsid()
        linux.mount("proc", "/proc", "proc", _PROC)
        if mounts:
            linux.attach(mounts[0], "/tmp")
            os.close(mounts[0])
        else:
            size = "size=%dm,mode=1777" % self._template._tmp_mb
            linux.mount("tmpfs", "/tmp", "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, size)
        inherited.fill_tmp(opened)
        _skip_process_id(self._template.process_id)
        linux.drop_capabilities()
        if self._template._seccomp:
            linux.load_seccomp(self._template._seccomp)
        pid = os.fork()
        if pid:
            CloneInit(self._control, pid).run()
        self._become_runtime()

    def _become_runtime(self):
        """The clone: everything that it holds becomes its own."""
        os.setpgid(0, 0)
        linux.prctl(linux.PR_SET_DUMPABLE, 1)
        template, files = self._template, self._files
        os.dup2(files["output"], 1)
        os.dup2(files["output"], 2)
        os.dup2(files["events"], template._log_fd, inheritable=False)
        os.dup2(files["parked"], CHANNEL_FD, inheritable=False)
        self._control.detach()
        for name in ("output", "events", "parked", "control"):
            os.close(files[name])
        os.chdir(template._directory)
        inherited.renew(template._steps)
        data, _ = linux.receive_message(template._channel)
        if not data:
            os._exit(0)
        template._channel.close()
        os.environ.clear()
        os.environ.update(json.loads(data)["variables"])
        os.environ["_LAMBDA_TELEMETRY_LOG_FD"] = str(template._log_fd)
        template._forget()
        _reseed_libraries()
        if template._collects:
            gc.enable()


class CloneInit:
    """Process 1 of a clone: it reaps, passes signals on and reports how the runtime ended. No function code runs here.

    The function's user cannot trace or signal it.
    """

    def __init__(self, control, main):
        self._control = control
        self._main = main

    def run(self):
        """Never returns."""
        linux.prctl(linux.PR_SET_DUMPABLE, 0)
        for number in set(signal.valid_signals()) - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD}:
            with contextlib.suppress(OSError, ValueError):
                signal.signal(number, signal.SIG_DFL)
        control = self._control.fileno()
        os.dup2(control, 3)
        os.closerange(4, 1024)
        null = os.open("/dev/null", os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        self._control.detach()
        self._control = socket.socket(fileno=3)
        reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._control.send(b"ready")
        waiting = select.poll()
        waiting.register(3, select.POLLIN)
        waiting.register(reader, select.POLLIN)
        self._reap()
        while True:
            for descriptor, _events in waiting.poll():
                if descriptor == reader:
                    os.read(reader, 512)
                    self._reap()
                else:
                    self._obey()

    def _obey(self):
        data = self._control.recv(64)
        if not data:
            os._exit(0)
        name, _, runtime_only = data.decode().partition(" ")
        with contextlib.suppress(ProcessLookupError):
            # The runtime leads a process group of its own.
            os.kill(-self._main if runtime_only else -1, getattr(signal, name))

    def _reap(self):
        for pid, status in linux.ended_children():
            if pid == self._main:
                self._control.send(b"exited %d" % status)


def _map_to_oneself(uid, gid):
    """Where there is one user for all: the same id in the new namespace as in the one around it."""
    for name, text in (("setgroups", "deny"), ("uid_map", "%d %d 1" % (uid, uid)), ("gid_map", "%d %d 1" % (gid, gid))):
        with open("/proc/self/" + name, "w") as file:
            file.write(text)


def _skip_process_id(number):
    """Let no process here have the id `number`, by which libraries (OpenSSL for one) see that they were forked."""
    try:
        with open("/proc/sys/kernel/ns_last_pid", "w") as file:
            file.write(str(number))
    except OSError:  # a kernel without that setting
        while True:
            pid = os.fork()
            if pid == 0:
                os._exit(0)
            os.waitpid(pid, 0)
            if pid >= number:
                return


def _reseed_libraries():
    """Random generators of libraries that the function imported. Generators that it made itself are its own concern."""
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()
