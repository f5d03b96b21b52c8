"""A runtime that is executed before its function is known.

Beside the parked process there is then one that has given its privileges up already and executed the runtime, which
reads its settings from a pipe before it does anything else. The parked process mounts the function's code, writes the
settings and ends; the runtime becomes the environment's main process. If the function cannot use it, the parked process
kills it and executes the runtime itself. Nothing of the function was near it before.
"""

import json
import os
import signal

#: Where the runtime reads its settings from.
SETTINGS_FD = 4


class Ahead:
    """The started runtime, as init and the parked process know it. `pid` is its process, `status` how it ended."""

    def __init__(self, become):
        """`become(descriptor)` turns a forked process into the runtime, which reads its settings from `descriptor`."""
        reader, self._settings = os.pipe2(os.O_CLOEXEC)
        # A byte here tells init that the settings were handed over.
        self._handed, self._mark = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self.status = None
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._settings)
            become(reader)
        os.close(reader)

    def forget_settings(self):
        """In init, once the parked process has its copy: the runtime must see the end of the pipe if that ends."""
        os.close(self._settings)
        os.close(self._mark)

    def took_over(self):
        """In init, when the parked process has ended: whether the runtime is the main process from now on."""
        try:
            return bool(os.read(self._handed, 1))
        except BlockingIOError:
            return False

    def hand_over(self, settings):
        """In the parked process: give the runtime its settings. False if it has ended."""
        rest = memoryview(json.dumps(settings).encode())
        try:
            while rest:
                rest = rest[os.write(self._settings, rest) :]
        except BrokenPipeError:
            return False
        os.write(self._mark, b"1")
        return True

    def discard(self):
        """In the parked process: the function needs a runtime that is executed with its variables."""
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
