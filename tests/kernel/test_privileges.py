"""Attempts to gain a privilege or to use what the kernel offers to the privileged: each must fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from kernel.sandboxed import PROBE, Sandboxed

pytestmark = pytest.mark.kernel

MOUNT = """
result = {
    "mount": call("mount", b"tmpfs", b"/tmp", b"tmpfs", 0, None),
    "bind": call("mount", b"/usr", b"/tmp", None, 0x1000, None),
    "remount": call("mount", None, b"/", None, 0x20 | 0x1000, None),
    "umount2": call("umount2", b"/proc", 2),
    "chroot": call("chroot", b"/tmp"),
    "pivot_root": call("syscall", 155, b"/tmp", b"/tmp"),
    "unshare user": call("unshare", 0x10000000),
    "unshare net": call("unshare", 0x40000000),
    "unshare mount": call("unshare", 0x00020000),
    "setns": call("setns", os.open("/proc/self/ns/net", os.O_RDONLY), 0),
}
"""
SYSTEM_CALLS = """
# x86-64 numbers
numbers = {"bpf": 321, "io_uring_setup": 425, "keyctl": 250, "add_key": 248, "userfaultfd": 323, "perf_event_open": 298,
           "kexec_load": 246, "init_module": 175, "reboot": 169, "open_by_handle_at": 304, "fsopen": 430, "swapon": 167,
           "settimeofday": 164}
result = {name: call("syscall", number, 0, 0, 0, 0, 0, 0) for name, number in numbers.items()}
"""


def test_mounts_and_namespaces_are_out_of_reach(sandboxed: Sandboxed) -> None:
    assert set(sandboxed.probe(MOUNT).values()) == {"EPERM"}


def test_dangerous_system_calls_are_refused(sandboxed: Sandboxed) -> None:
    assert set(sandboxed.probe(SYSTEM_CALLS).values()) == {"EPERM"}


def test_new_namespaces_cannot_be_had_through_clone3(sandboxed: Sandboxed) -> None:
    assert sandboxed.probe("result = call('syscall', 435, None, 0)") == "ENOSYS"


def test_there_is_no_capability_and_none_can_be_gained(sandboxed: Sandboxed) -> None:
    lines = sandboxed.probe("result = dict(line.split(':\\t', 1) for line in read('/proc/self/status').splitlines())")
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(lines[name], 16) == 0, name
    if sandboxed.isolation != "process":
        assert int(lines["CapBnd"], 16) == 0
    assert lines["NoNewPrivs"].strip() == "1"
    assert lines["Seccomp"].strip() == "2"


def test_setuid_programs_give_nothing(sandboxed: Sandboxed) -> None:
    code = """
shell = [path for path in ("/usr/bin/su", "/bin/su", "/usr/bin/mount", "/usr/bin/passwd") if os.path.exists(path)]
show = ["/bin/sh", "-c", "grep -h -E 'Uid|CapEff' /proc/self/status"]
status = subprocess.run(show, capture_output=True, text=True).stdout
attempts = [subprocess.run([path, "--version"], capture_output=True).returncode for path in shell]
result = [status.split(), os.getuid(), attempts]
"""
    words, user, _ = sandboxed.probe(code)
    assert words[1:5] == [str(user)] * 4
    assert int(words[-1], 16) == 0


@pytest.mark.parametrize("change", ["os.setuid(0)", "os.setgid(0)", "os.setgroups([0])", "os.chown('/tmp/f', 0, 0)"])
def test_the_user_cannot_be_changed(walled: Sandboxed, change: str) -> None:
    code = "open('/tmp/f', 'w').close(); result = attempt(lambda: eval(event['change']))"
    assert walled.probe(code, change=change) in ("EPERM", "EINVAL")


@pytest.mark.parametrize("family", ["AF_PACKET", "AF_VSOCK", "AF_ALG", "AF_KEY", "AF_BLUETOOTH"])
def test_socket_families_besides_the_usual_are_refused(sandboxed: Sandboxed, family: str) -> None:
    numbers = {"AF_PACKET": 17, "AF_VSOCK": 40, "AF_ALG": 38, "AF_KEY": 15, "AF_BLUETOOTH": 31}
    assert sandboxed.probe("result = call('socket', event['family'], 3, 0)", family=numbers[family]) == "EPERM"


def test_raw_sockets_are_refused(sandboxed: Sandboxed) -> None:
    code = "result = [attempt(socket.socket, family, socket.SOCK_RAW, 1) for family in (2, 10)]"
    assert sandboxed.probe(code) == ["EPERM", "EPERM"]


def test_the_network_cannot_be_configured(walled: Sandboxed) -> None:
    code = """
import fcntl, struct
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
result = attempt(fcntl.ioctl, s, 0x8914, struct.pack("16sH14s", b"lo", 0, b""))
"""
    assert walled.probe(code) == "EPERM"


def test_the_init_process_cannot_be_touched(walled: Sandboxed) -> None:
    function = walled.create(PROBE)
    code = """
import signal
class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]
buffer = ctypes.create_string_buffer(8)
local, remote = Vector(ctypes.addressof(buffer), 8), Vector(4096, 8)
result = [
    call("ptrace", 16, 1, None, None),
    call("process_vm_readv", 1, ctypes.byref(local), 1, ctypes.byref(remote), 1, 0),
    attempt(open, "/proc/1/mem"), attempt(os.readlink, "/proc/1/root"), attempt(read, "/proc/1/environ"),
    attempt(os.readlink, "/proc/1/fd/0"),
]
for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM):
    attempt(os.kill, 1, number)
"""
    assert set(walled.probe(code, function=function)) <= {"EPERM", "EACCES"}
    # It still does its work: the runtime's end is noticed and a new one started.
    with pytest.raises(AssertionError, match=r"Runtime\.ExitError"):
        walled.probe("os._exit(3)", function=function)
    assert walled.probe("result = 'again'", function=function) == "again"


def test_device_nodes_cannot_be_made(walled: Sandboxed) -> None:
    code = "import stat; result = attempt(os.mknod, '/tmp/disk', stat.S_IFBLK | 0o666, os.makedev(7, 0))"
    assert walled.probe(code) == "EPERM"


def test_the_server_itself_holds_no_privilege(sandboxed: Sandboxed) -> None:
    status = Path(f"/proc/{sandboxed.server.process.pid}/status").read_text()
    lines = dict(line.split(":\t", 1) for line in status.splitlines())
    assert [int(lines[name], 16) for name in ("CapEff", "CapPrm", "CapInh", "CapAmb")] == [0, 0, 0, 0]
    assert lines["NoNewPrivs"] == "1"
