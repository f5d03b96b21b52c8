"""Firewalls of others, run for real where a test's server runs: in its network, with files and processes of their own.

Nothing of the machine is touched: `/etc` is an overlay, `/run`, `/var/lib` and `/var/log` are empty, and every daemon
ends with the namespace of processes that it is in.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ingle.network import namespaces
from kernel.networks import World

_PLACES = """
set -e
mount -t tmpfs tmpfs "$0"
mkdir "$0/etc" "$0/work" "$0/docker"
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$0/etc,workdir=$0/work" /etc
for place in /run /var/lib /var/log; do mount -t tmpfs tmpfs $place; done
mkdir -p /run/dbus /run/lock
echo ready
exec sleep infinity
"""
_SECONDS = 60.0


class Beside:
    """Where another firewall runs beside Ingle in `world.machine`."""

    def __init__(self, world: World, stack: contextlib.ExitStack, *programs: str) -> None:
        """`programs`: see `require`."""
        self.require(*programs)
        self._stack = stack
        self._machine = world.machine
        self.scratch = tempfile.mkdtemp(prefix="ingle-kernel-beside-")
        stack.callback(shutil.rmtree, self.scratch, ignore_errors=True)
        with namespaces.inside(world.machine):
            self._holder = subprocess.Popen(
                ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", _PLACES,
                 self.scratch],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )  # fmt: skip
        stack.callback(self._end)
        assert self._holder.stdout is not None
        if self._holder.stdout.readline() != b"ready\n":
            pytest.skip(f"there are no files of their own here: {self._holder.communicate()[1].decode()}")
        self._inner = Path(f"/proc/{self._holder.pid}/task/{self._holder.pid}/children").read_text().split()[0]

    @staticmethod
    def require(*programs: str) -> None:
        """Skip the test where one of `programs` is not installed, each "program: package"."""
        for program, package in (each.split(": ") for each in programs):
            if shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin") is None:
                pytest.skip(f"there is no {program}: apt-get install {package}")

    def _end(self) -> None:
        self._holder.kill()
        self._holder.communicate()

    def _command(self, *words: str) -> list[str]:
        return ["nsenter", "--target", self._inner, "--mount", "--pid", "--", *words]

    def run(self, *words: str, **environment: str) -> str:
        """What a program prints. Fails the test if it fails."""
        with namespaces.inside(self._machine):
            done = subprocess.run(
                self._command(*words), capture_output=True, text=True, env=_environment(environment), timeout=_SECONDS,
                check=False,
            )  # fmt: skip
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def shell(self, script: str) -> str:
        """The same for lines of a shell."""
        return self.run("sh", "-ec", script)

    def start(self, *words: str, **environment: str) -> subprocess.Popen[bytes]:
        """A daemon, which is ended with everything else."""
        with namespaces.inside(self._machine):
            started = subprocess.Popen(
                self._command(*words), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                env=_environment(environment),
            )  # fmt: skip
        self._stack.callback(_stop, started)
        return started

    def rules(self) -> str:
        """Every rule of every table that is not Ingle's, without counters."""
        text = self.run("nft", "--stateless", "list", "ruleset")
        kept, skipping = [], False
        for line in text.splitlines():
            if line.startswith("table "):
                skipping = line.split()[2].startswith("ingle-")
            if not skipping:
                kept.append(line)
        return "\n".join(kept)

    def wait(self, what: Callable[[], object]) -> None:
        until = time.monotonic() + _SECONDS
        while True:
            with contextlib.suppress(AssertionError):
                what()
                return
            assert time.monotonic() < until, "a daemon is not there"
            time.sleep(0.1)


def _environment(more: dict[str, str]) -> dict[str, str]:
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/root", **more}


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait(20)


class Ufw:
    NAME = "ufw"
    PROGRAMS = ("ufw: ufw",)

    def __init__(self, beside: Beside) -> None:
        self._beside = beside
        beside.run("ufw", "--force", "enable")

    def reload(self) -> None:
        self._beside.run("ufw", "reload")

    def restart(self) -> None:
        self._beside.run("ufw", "disable")
        self._beside.run("ufw", "--force", "enable")


class Firewalld:
    NAME = "firewalld"
    PROGRAMS = ("firewalld: firewalld", "dbus-daemon: dbus")

    def __init__(self, beside: Beside) -> None:
        self._beside = beside
        beside.start("dbus-daemon", "--system", "--nofork", "--nopidfile")
        beside.wait(lambda: beside.run("test", "-S", "/run/dbus/system_bus_socket"))
        self._start()

    def _start(self) -> None:
        self._daemon = self._beside.start("firewalld", "--nofork", "--nopid")
        self._beside.wait(lambda: self._beside.run("firewall-cmd", "--state"))

    def reload(self) -> None:
        self._beside.run("firewall-cmd", "--reload")

    def restart(self) -> None:
        # What it was told for good is what it starts with; the rest was told to what runs.
        self._beside.shell("firewall-cmd --runtime-to-permanent; pkill -TERM -x firewalld")
        self._daemon.wait(_SECONDS)
        self._start()


class Docker:
    NAME = "Docker"
    PROGRAMS = ("dockerd: docker.io", "iptables: iptables")

    def __init__(self, beside: Beside) -> None:
        self._beside = beside
        self._start()

    def _start(self) -> None:
        self._daemon = self._beside.start("dockerd", "--storage-driver=vfs")
        self._beside.wait(lambda: self._beside.run("docker", "info"))

    def reload(self) -> None:
        self._beside.run("pkill", "-HUP", "-x", "dockerd")

    def restart(self) -> None:
        self._beside.run("pkill", "-TERM", "-x", "dockerd")
        self._daemon.wait(_SECONDS)
        self._start()


FIREWALLS = (Ufw, Firewalld, Docker)
