"""The zygote: a warmed interpreter that does nothing but fork execution environments.

Started by the sandbox supervisor inside the root file system that its children will see, it imports what the runtime
ships, then answers each request on its channel with a forked process. Single-threaded for its whole life: a fork of a
process with threads would copy locks that nobody releases. Handler code never runs here.
"""

import gc
import json
import os
import signal
import socket
import sys
import traceback

import bootstrap
import environment
import linux
import warm_sdk

OWN_MODULES = ("ahead", "bootstrap", "cloning", "confinement", "environment", "extensions", "inherited", "linux",
               "warm_sdk", "zygote")  # fmt: skip


def preload_site():
    """What `site` would define, without the interpreter's own site-packages, which functions must not see."""
    import site

    site.setquit()
    site.setcopyright()
    site.sethelper()


def hidden_modules():
    """Top-level names that an import would find loaded: a package with one of these needs another start."""
    return sorted({name.partition(".")[0] for name in sys.modules} - set(OWN_MODULES))


class Zygote:
    def __init__(self, channel, namespaces):
        self._channel = channel
        self._own_pid_namespace = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC) if namespaces else None

    def serve(self):
        # Children are watched by the supervisor, through pidfds; nobody waits for them here.
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        while True:
            data, descriptors = linux.receive_message(self._channel)
            if not data:
                return
            self._fork(json.loads(data), descriptors)
            for descriptor in descriptors:
                os.close(descriptor)

    def _fork(self, request, descriptors):
        try:
            if self._own_pid_namespace is not None:
                linux.unshare(linux.CLONE_NEWPID)
            try:
                pid = os.fork()
                if pid == 0:
                    self._become_environment(request, descriptors)
            finally:
                if self._own_pid_namespace is not None:
                    linux.setns(self._own_pid_namespace, linux.CLONE_NEWPID)
            answer = {"environment": request["environment"], "pid": pid}
        except OSError as error:
            answer = {"environment": request["environment"], "error": str(error)}
        linux.send_message(self._channel, json.dumps(answer).encode())

    def _become_environment(self, request, descriptors):
        status = 70
        try:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._channel.close()
            if self._own_pid_namespace is not None:
                os.close(self._own_pid_namespace)
            environment.Init(request, descriptors).run()
            status = 0
        except BaseException:  # the process must end here, whatever happened
            environment.complain("environment set-up: %s" % traceback.format_exc())
        finally:
            os._exit(status)


def main():
    channel = socket.socket(fileno=int(sys.argv[1]))
    channel.set_inheritable(False)
    options = json.loads(sys.argv[2])
    preload_site()
    if options["preload"]:
        warm_sdk.preload()
    environment.warm_up()
    modules = hidden_modules()
    for name in OWN_MODULES:
        sys.modules.pop(name, None)
    sys.argv[:] = [bootstrap.__file__]
    sys.path[:] = [entry for entry in sys.path if entry != os.path.dirname(bootstrap.__file__)]
    sys.path.append("/var/runtime")
    gc.collect()
    gc.freeze()
    linux.send_message(channel, json.dumps({"ready": os.getpid(), "modules": modules}).encode())
    Zygote(channel, options["namespaces"]).serve()


if __name__ == "__main__":
    main()
