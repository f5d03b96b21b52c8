"""Attempts to see or change what is not the function's: each must fail."""

from __future__ import annotations

import os
import socket
import uuid
from pathlib import Path

import pytest

import ingle
from kernel.sandboxed import PROBE, Sandboxed

pytestmark = pytest.mark.kernel


def test_the_data_directory_is_not_there(walled: Sandboxed) -> None:
    code = "result = [attempt(os.listdir, path) for path in event['paths']]"
    data = walled.server.data_dir
    paths = [str(data), str(data / "packages"), str(data.parent), "/run/packages", "/run/images"]
    assert set(walled.probe(code, paths=paths)) == {"ENOENT"}


def test_the_machines_files_are_not_there(walled: Sandboxed) -> None:
    code = "result = {path: attempt(os.listdir, path) for path in event['paths']}"
    paths = ["/root", "/home", "/srv", "/boot", "/mnt", "/run", str(Path(ingle.__file__).parent)]
    found = walled.probe(code, paths=paths)
    assert all(entries in ([], "ENOENT", "EACCES") for entries in found.values()), found
    assert walled.probe("result = attempt(read, '/etc/shadow')") in ("ENOENT", "EACCES")
    assert "ingle" not in walled.probe("result = os.listdir('/')")


def test_no_mount_leads_to_the_machine(walled: Sandboxed) -> None:
    lines = [line.split() for line in walled.probe("result = read('/proc/self/mountinfo')").splitlines()]
    mounted = {line[4]: line[5].split(",") for line in lines}
    assert not [place for place in mounted if place.startswith("/run")]
    writable = {place for place, options in mounted.items() if "rw" in options}
    assert {place for place in writable if not place.startswith("/dev/")} <= {"/tmp", "/proc"}
    assert all("nosuid" in options for place, options in mounted.items() if not place.startswith("/dev/"))


def test_only_its_own_processes_are_visible(walled: Sandboxed) -> None:
    found, own = walled.probe("result = [[pid for pid in os.listdir('/proc') if pid.isdigit()], os.getpid()]")
    assert set(found) == {"1", str(own)}


def test_no_process_shows_the_servers_variables(sandboxed: Sandboxed) -> None:
    code = """
result = ""
for pid in os.listdir("/proc"):
    if pid.isdigit():
        text = attempt(read, "/proc/%s/environ" % pid)
        result += text
result += json.dumps(dict(os.environ))
"""
    if sandboxed.isolation == "process":
        code = "result = read('/proc/self/environ') + json.dumps(dict(os.environ))"
    seen = sandboxed.probe(code)
    assert "INGLE_" not in seen
    assert str(sandboxed.server.data_dir) not in seen or sandboxed.isolation == "process"
    assert str(Path.home()) not in seen or sandboxed.isolation == "process"


@pytest.mark.parametrize("place", ["/", "/var/task", "/opt", "/etc", "/usr", "/var/runtime", "/var/lang", "/dev",
                                   "/proc", "/sys", "/var", "/dev/shm", "/var/tmp", "/run", "/home"])  # fmt: skip
def test_nothing_can_be_written_outside_tmp(walled: Sandboxed, place: str) -> None:
    outcome = walled.probe("result = attempt(write, event['path'])", path=f"{place}/attempt")
    assert outcome in ("EROFS", "EACCES", "ENOENT")


def test_tmp_can_be_written(walled: Sandboxed) -> None:
    assert walled.probe("result = write('/tmp/mine')") == "written"


def test_kernel_settings_cannot_be_written(walled: Sandboxed) -> None:
    paths = ["/proc/sys/kernel/hostname", "/proc/sysrq-trigger", "/proc/sys/vm/drop_caches", "/proc/self/uid_map",
             "/proc/sys/net/ipv4/ip_forward"]  # fmt: skip
    results = walled.probe("result = [attempt(write, path) for path in event['paths']]", paths=paths)
    assert set(results) <= {"EROFS", "EACCES", "EPERM", "ENOENT"}, results


def test_functions_share_no_files_and_no_processes(walled: Sandboxed) -> None:
    first, second = (walled.create(PROBE, MemorySize=256) for _ in range(2))
    secret = uuid.uuid4().hex
    hide = "kept['secret'] = event['secret']; open('/tmp/' + event['secret'], 'w').close(); result = os.listdir('/tmp')"
    assert secret in walled.probe(hide, function=first, secret=secret)
    look = "result = [os.listdir('/tmp'), [pid for pid in os.listdir('/proc') if pid.isdigit()]]"
    files, processes = walled.probe(look, function=second)
    assert secret not in files
    assert len(processes) == 2


def test_neither_the_machine_nor_what_is_near_it_is_reached(walled: Sandboxed) -> None:
    """What lies beyond is in `test_outward`, in networks of the test's own."""
    with socket.create_server(("127.0.0.1", 0)) as host:
        code = """
def connect(host, port):
    with socket.create_connection((host, port), timeout=2):
        return "connected"
result = [attempt(connect, *address) for address in event["addresses"]]
"""
        loopback, server = host.getsockname()[1], int(walled.server.url.rsplit(":", 1)[1])
        addresses = [["127.0.0.1", loopback], ["127.0.0.1", server], ["169.254.169.254", 80], ["169.254.1.1", 80]]
        results = walled.probe(code, addresses=addresses)
    assert results[:2] == ["ECONNREFUSED", "ECONNREFUSED"]
    assert set(results[2:]) <= {"ENETUNREACH", "EHOSTUNREACH"}
    devices = ["lo", "eth0"] if walled.isolation == "root" else ["lo"]
    assert walled.probe("result = [name for _, name in socket.if_nameindex()]") == devices


def test_unix_sockets_of_the_machine_cannot_be_reached(walled: Sandboxed) -> None:
    name = f"ingle-test-{uuid.uuid4().hex}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as host:
        host.bind(b"\0" + name.encode())
        host.listen()
        code = "s = socket.socket(socket.AF_UNIX); result = attempt(s.connect, b'\\0' + event['name'].encode())"
        assert walled.probe(code, name=name) == "ECONNREFUSED"


def test_only_three_streams_and_the_log_channel_are_open(sandboxed: Sandboxed) -> None:
    code = "result = {fd: attempt(os.readlink, '/proc/self/fd/' + fd) for fd in os.listdir('/proc/self/fd')}"
    name = sandboxed.create(PROBE)  # of its own: others leave files open
    found = {
        int(number): target for number, target in sandboxed.probe(code, function=name).items() if target != "ENOENT"
    }
    own = {number for number in found if number > 3}
    assert set(found) >= {0, 1, 2, 3}
    # The connection to the Runtime API.
    assert [found[number].split(":")[0] for number in own] == ["socket"], found


def test_the_host_name_is_not_the_machines(walled: Sandboxed) -> None:
    assert walled.probe("result = socket.gethostname()") == "ingle" != os.uname().nodename


def test_links_in_a_package_lead_to_the_sandbox_only(walled: Sandboxed) -> None:
    name = walled.create({}, zipped=_with_links({
        "shadow": "/etc/shadow", "up": "../../../../../etc/passwd", "data": str(walled.server.data_dir),
    }))  # fmt: skip
    code = "result = [attempt(read, '/var/task/shadow'), read('/var/task/up'), attempt(os.listdir, '/var/task/data')]"
    shadow, passwd, data = walled.probe(code, function=name)
    assert (shadow, data) == ("ENOENT", "ENOENT")
    assert "sbx_user" in passwd


def _with_links(links: dict[str, str]) -> bytes:
    import io
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", PROBE)
        for name, target in links.items():
            info = zipfile.ZipInfo(name)
            info.create_system = 3
            info.external_attr = 0o120777 << 16
            archive.writestr(info, target)
    return buffer.getvalue()


def test_siblings_share_no_randomness(sandboxed: Sandboxed) -> None:
    code = """
import random, secrets, tempfile, uuid
result = [random.random(), str(uuid.uuid4()), str(uuid.uuid1()), secrets.token_hex(), os.urandom(8).hex(),
          next(tempfile._get_candidate_names())]
if "multiprocessing.process" in sys.modules:
    result.append(bytes(sys.modules["multiprocessing.process"].current_process().authkey).hex())
"""
    names = [sandboxed.create(PROBE, MemorySize=256) for _ in range(2)]
    first, second = (sandboxed.probe(code, function=name) for name in names)
    assert not set(first) & set(second)


def test_siblings_share_no_randomness_of_openssl(sandboxed: Sandboxed) -> None:
    sandboxed.require_sdk("python3.11")
    names = [sandboxed.create(PROBE + "import boto3, ssl\n", MemorySize=256) for _ in range(2)]
    first, second = (sandboxed.probe("result = ssl.RAND_bytes(16).hex()", function=name) for name in names)
    assert first != second


def test_environments_have_users_of_their_own(sandboxed: Sandboxed) -> None:
    sandboxed.require("root", because="all functions run as the server's user")
    names = [sandboxed.create(PROBE, MemorySize=256) for _ in range(2)]
    users = [sandboxed.probe("result = os.getresuid() + os.getresgid()", function=name) for name in names]
    assert all(len(set(ids)) == 1 and ids[0] > 1_000_000_000 for ids in users)
    assert users[0] != users[1]
    assert sandboxed.probe("result = os.getgroups()") == []
