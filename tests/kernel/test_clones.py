"""Clones of an initialised process: what they share with their template, and everything that they must not share."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ingle.sandbox.client import NotCloneable, SandboxError
from ingle.sandbox.launch import Isolation, NetworkProcess
from kernel.cloned import Cloning, Lost, settle
from kernel.sandboxed import ORDINARY_USER, ordinary_python
from kernel.supervised import supervised
from kernel.test_privileges import MOUNT, SYSTEM_CALLS

pytestmark = pytest.mark.kernel


@contextlib.asynccontextmanager
async def cloning_at(isolation: Isolation, network: NetworkProcess | None = None) -> AsyncIterator[Cloning]:
    async with supervised(isolation, network) as place:
        made = Cloning(*place)
        try:
            yield made
        finally:
            made.close()


@pytest.fixture
async def cloning() -> AsyncIterator[Cloning]:
    if os.geteuid() != 0:
        pytest.skip("isolation root needs root; `test_snapstart` clones as an ordinary user")
    async with cloning_at(Isolation.ROOT) as made:
        yield made


async def test_plain_processes_are_not_cloned() -> None:
    async with cloning_at(Isolation.PROCESS) as processes:
        with pytest.raises(NotCloneable, match="namespaces"):
            await processes.template()


def test_an_ordinary_user_clones_too() -> None:
    program, user = (ordinary_python(), ORDINARY_USER) if os.geteuid() == 0 else (sys.executable, None)
    made = subprocess.run(
        [program, "-m", "kernel.cloned"], user=user, group=user, extra_groups=[] if user else None, cwd="/",
        env={"HOME": "/", "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True, check=False, timeout=120,
    )  # fmt: skip
    if b"the sandbox supervisor cannot start" in made.stderr:
        pytest.skip(made.stderr.decode().splitlines()[-1])
    assert made.returncode == 0, made.stderr.decode()
    first, second = json.loads(made.stdout)
    assert first[0] == second[0]
    assert [first[1], second[1]] == ["0", "1"]
    assert first[2:] == second[2:] == [True, "", "2", "EPERM", True, ["lo"]]


# --- what is shared ---------------------------------------------------------------------------------------------------


async def test_what_initialisation_made_is_in_every_clone(cloning: Cloning) -> None:
    template = await cloning.template("made = os.urandom(8).hex()\ncount = [0]\n")
    first, second = await cloning.clone(template), await cloning.clone(template)
    code = "count[0] += 1; result = [made, count[0]]"
    one, two = await first.probe(code), await second.probe(code)
    assert one[0] == two[0]
    assert one[1] == two[1] == 1
    assert (await first.probe(code))[1] == 2


async def test_files_in_tmp_are_copied(cloning: Cloning) -> None:
    template = await cloning.template("""
os.mkdir("/tmp/deep"); os.mkdir("/tmp/deep/er", 0o750)
with open("/tmp/deep/er/file", "w") as file: file.write("content" * 1000)
os.chmod("/tmp/deep/er/file", 0o600)
os.utime("/tmp/deep/er/file", (1, 2))
os.symlink("deep/er/file", "/tmp/link")
reader = open("/tmp/deep/er/file"); reader.read(7)
writer = open("/tmp/log", "a"); writer.write("0"); writer.flush()
""")
    look = """
status = os.stat("/tmp/deep/er/file")
result = [read("/tmp/link") == "content" * 1000, oct(status.st_mode), status.st_mtime, status.st_uid == os.getuid(),
          oct(os.stat("/tmp/deep/er").st_mode)]
"""
    first, second = await cloning.clone(template), await cloning.clone(template)
    for clone in (first, second):
        assert await clone.probe(look) == [True, "0o100600", 2.0, True, "0o40750"]
        assert await clone.probe("result = os.read(reader.fileno(), 7).decode()") is not None
    await first.probe("writer.write('1'); writer.flush(); open('/tmp/own', 'w').close()")
    assert await first.probe("result = read('/tmp/log')") == "01"
    assert await second.probe("result = [read('/tmp/log'), os.path.exists('/tmp/own')]") == ["0", False]
    later = await cloning.clone(template)
    assert await later.probe("result = read('/tmp/log')") == "0"


async def test_open_files_of_the_package_stay_open_at_an_offset_of_their_own(cloning: Cloning) -> None:
    template = await cloning.template("reader = os.open(__file__, os.O_RDONLY); os.lseek(reader, 1, 0)\n")
    clones = [await cloning.clone(template) for _ in range(2)]
    code = "result = [os.lseek(reader, 0, 1), os.lseek(reader, 5, 1)]"
    assert [await clone.probe(code) for clone in clones] == [[1, 6], [1, 6]]


async def test_an_event_loop_made_in_initialisation_works(cloning: Cloning) -> None:
    template = await cloning.template("import asyncio\nloop = asyncio.new_event_loop()\n")
    clones = [await cloning.clone(template) for _ in range(2)]
    code = """
async def work():
    return await asyncio.get_running_loop().run_in_executor(None, os.getpid)
result = loop.run_until_complete(work()) == os.getpid()
"""
    assert [await clone.probe(code) for clone in clones] == [True, True]


async def test_pipes_and_counters_are_made_anew(cloning: Cloning) -> None:
    template = await cloning.template(
        "ends = os.pipe()\npair = socket.socketpair()\ncounter = os.eventfd(3)\ncopy = os.dup(1)\n"
    )
    first, second = await cloning.clone(template), await cloning.clone(template)
    write = "os.write(ends[1], b'x'); pair[0].send(b'y'); result = os.read(counter, 8)[0]; os.write(copy, b'said\\n')"
    read = "result = [os.read(ends[0], 1).decode(), pair[1].recv(1).decode()]"
    assert await first.probe(write) == 3
    assert await first.probe(read) == ["x", "y"]
    assert await second.probe("import select; result = select.select([ends[0], pair[1]], [], [], 0.05)[0]") == []
    assert await second.probe("result = os.read(counter, 8)[0]") == 3
    await settle(lambda: b"said" in first.output)
    assert b"said" not in second.output


async def test_connections_made_in_initialisation_are_lost(cloning: Cloning) -> None:
    template = await cloning.template("kept = socket.create_connection(('127.0.0.1', 9001))\n")
    clone = await cloning.clone(template)
    assert await clone.probe("result = [kept.recv(1).decode(), attempt(kept.send, b'x')]") == ["", "EPIPE"]


async def test_threads_that_a_library_ends_before_forks_do_no_harm(cloning: Cloning) -> None:
    template = await cloning.template("""
import threading
stop = threading.Event()
thread = threading.Thread(target=stop.wait); thread.start()
os.register_at_fork(before=lambda: (stop.set(), thread.join()))
""")
    assert await (await cloning.clone(template)).probe("result = threading.active_count()") == 1


@pytest.mark.parametrize(("source", "reason"), [
    ("import threading\nthreading.Thread(target=time.sleep, args=(600,), daemon=True).start()", "thread"),
    ("child = subprocess.Popen(['sleep', '600'])", "process"),
    ("import mmap\nkept = mmap.mmap(-1, 4096)", "memory is shared"),
    ("import tempfile\nkept = tempfile.TemporaryFile()", "cannot be copied"),
    ("kept = os.memfd_create('x')", "cannot be copied"),
    ("kept = socket.create_server(('127.0.0.1', 0))", "listens"),
    ("kept = os.pipe(); os.write(kept[1], b'x')", "nobody has read"),
    ("os.mkfifo('/tmp/fifo')", "neither a file"),
    ("for number in range(300): open('/tmp/%d' % number, 'w').close()", "more than 256"),
])  # fmt: skip
async def test_what_cannot_be_copied_is_refused_with_a_reason(cloning: Cloning, source: str, reason: str) -> None:
    with pytest.raises(NotCloneable, match=reason):
        await cloning.template(source + "\n")


async def test_a_failing_initialisation_is_an_error(cloning: Cloning) -> None:
    with pytest.raises(SandboxError):
        await cloning.template("os._exit(3)\n")


# --- what is not shared -----------------------------------------------------------------------------------------------


async def test_clones_have_users_and_processes_of_their_own(cloning: Cloning) -> None:
    template = await cloning.template()
    clones = [await cloning.clone(template) for _ in range(2)]
    for clone in clones:
        pids, own = await clone.probe("result = [[p for p in os.listdir('/proc') if p.isdigit()], os.getpid()]")
        assert set(pids) == {"1", str(own)}
        assert await clone.probe("result = attempt(os.kill, -1, 0)") == "ESRCH"
    members = [cloning.members(sandbox) for sandbox in (template, clones[0].sandbox, clones[1].sandbox)]
    assert all(len(pids) == 2 for pids in members), members
    users = [{_status(pid, "Uid:") for pid in pids[1:]} for pids in members]
    assert all(len(ids) == 1 for ids in users)
    assert len(set.union(*users)) == 3
    assert all(len(set(ids.split())) == 1 for ids in set.union(*users))


def _status(pid: int, name: str) -> str:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line.removeprefix(name).strip() for line in lines if line.startswith(name))


async def test_clones_share_no_randomness(cloning: Cloning) -> None:
    draw = """
def draw():
    return [random.random(), str(uuid.uuid4()), str(uuid.uuid1()), secrets.token_hex(), os.urandom(8).hex(),
            next(tempfile._get_candidate_names()), bytes(multiprocessing.process.current_process().authkey).hex(),
            ssl.RAND_bytes(8).hex()]
"""
    imports = "import multiprocessing.process, random, secrets, ssl, tempfile, uuid\n"
    template = await cloning.template(imports + draw + "drawn = draw()\n")
    clones = [await cloning.clone(template) for _ in range(3)]
    drawn = [await clone.probe("result = draw()") for clone in clones]
    drawn.append(await clones[0].probe("result = drawn"))
    for column in zip(*drawn, strict=True):
        assert len(set(column)) == len(column), column


async def test_a_clone_has_another_process_id_than_its_template(cloning: Cloning) -> None:
    """Libraries notice a fork by it: OpenSSL draws new randomness, pools drop their connections."""
    template = await cloning.template("own = os.getpid()\n")
    assert await (await cloning.clone(template)).probe("result = own != os.getpid()")


async def test_variables_are_those_of_the_clone(cloning: Cloning) -> None:
    template = await cloning.template("os.environ['SECRET'] = 'of the template'\n")
    clone = await cloning.clone(template, WHO="me", AWS_ACCESS_KEY_ID="mine")
    seen = await clone.probe("result = [dict(os.environ), read('/proc/self/environ')]")
    assert (seen[0]["WHO"], seen[0]["AWS_ACCESS_KEY_ID"]) == ("me", "mine")
    assert "SECRET" not in seen[0]
    assert "of the template" not in seen[1]


async def test_a_clone_has_no_privileges(cloning: Cloning) -> None:
    clone = await cloning.clone(await cloning.template())
    assert set((await clone.probe(MOUNT)).values()) == {"EPERM"}
    assert set((await clone.probe(SYSTEM_CALLS)).values()) == {"EPERM"}
    calls = """
result = [call("unshare", 0x78020000), call("mount", b"proc", b"/proc", b"proc", 0xE, None),
          call("mount", b"tmpfs", b"/tmp", b"tmpfs", 6, None), call("syscall", 429, -1, b"", -100, b"/tmp", 4),
          call("setuid", 0), call("setuid", 1), attempt(os.chown, "/tmp", 0, 0),
          attempt(os.mknod, "/tmp/n", 0o20666, 259)]
"""
    assert set(await clone.probe(calls)) <= {"EPERM", "EINVAL"}
    status = await clone.probe("result = dict(line.split(':\\t') for line in read('/proc/self/status').splitlines())")
    assert {int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")


async def test_the_init_of_a_clone_is_out_of_its_reach(cloning: Cloning) -> None:
    clone = await cloning.clone(await cloning.template("signal_handler = __import__('signal').signal(15, print)\n"))
    code = """
result = [attempt(read, "/proc/1/environ"), attempt(os.listdir, "/proc/1/fd"), attempt(os.readlink, "/proc/1/root"),
          call("ptrace", 16, 1, 0, 0), attempt(os.kill, 1, 9), attempt(os.kill, 1, 15)]
"""
    assert await clone.probe(code) == ["EACCES", "EACCES", "EACCES", "EPERM", None, None]
    assert await clone.probe("result = 'still there'") == "still there"
    assert _status(cloning.members(clone.sandbox)[0], "CapEff:") == "0" * 16


async def test_mounts_are_those_of_the_clone(cloning: Cloning) -> None:
    clone = await cloning.clone(await cloning.template())
    lines = (await clone.probe("result = read('/proc/self/mountinfo')")).splitlines()
    kinds = {line.split()[4]: line.partition(" - ")[2].split()[0] for line in lines}
    assert kinds["/tmp"] == ("ext4" if cloning.client.images else "tmpfs")
    assert not [place for place in kinds if place.startswith("/run")]
    size = await clone.probe("s = os.statvfs('/tmp'); result = s.f_blocks * s.f_frsize")
    assert 400 << 20 < size <= 512 << 20
    assert await clone.probe("result = sorted(os.listdir('/proc/self/fd'))") == ["0", "1", "2", "3", "4", "5"]


async def test_a_clone_reaches_no_runtime_api_but_its_own(cloning: Cloning) -> None:
    template = await cloning.template()
    first, second = await cloning.clone(template), await cloning.clone(template)
    inodes = "result = [os.readlink('/proc/self/ns/' + kind) for kind in ('net', 'mnt', 'ipc', 'pid', 'user')]"
    one, two = await first.probe(inodes), await second.probe(inodes)
    assert not set(one) & set(two)
    assert await first.probe("result = [name for _, name in socket.if_nameindex()]") == ["lo"]
    assert await first.probe("result = socket.gethostname()") == "ingle"


async def test_memory_of_one_clone_is_not_memory_of_the_others(cloning: Cloning) -> None:
    if "memory" not in cloning.client.controllers:
        pytest.skip("nothing limits memory here")
    template = await cloning.template()
    greedy, modest = await cloning.clone(template), await cloning.clone(template)
    with pytest.raises(Lost):
        await greedy.probe("result = len(bytearray(os.urandom(1) * (400 << 20)))")
    assert await asyncio.wait_for(greedy.ended, 10) == signal.SIGKILL
    assert greedy.sandbox.ran_out_of_memory()
    assert not modest.sandbox.ran_out_of_memory()
    assert await modest.probe("result = 1") == 1
    assert await (await cloning.clone(template)).probe("result = 1") == 1


# --- endings ----------------------------------------------------------------------------------------------------------


async def test_the_end_of_a_clone_is_told_with_its_status(cloning: Cloning) -> None:
    template = await cloning.template()
    ended, killed, stopped = [await cloning.clone(template) for _ in range(3)]
    with pytest.raises(Lost):
        await ended.probe("os._exit(3)")
    assert os.waitstatus_to_exitcode(await asyncio.wait_for(ended.ended, 10)) == 3
    with pytest.raises(Lost):
        await killed.probe("os.kill(os.getpid(), 11)")
    assert os.waitstatus_to_exitcode(await asyncio.wait_for(killed.ended, 10)) == -signal.SIGSEGV
    await stopped.probe("result = 1")
    cloning.client.signal(stopped.sandbox, "SIGTERM")
    assert os.waitstatus_to_exitcode(await asyncio.wait_for(stopped.ended, 10)) == -signal.SIGTERM
    with pytest.raises(SandboxError, match="clone"):
        await cloning.client.restart(stopped.sandbox, 1)


async def test_clones_outlive_their_template(cloning: Cloning) -> None:
    template = await cloning.template()
    clone = await cloning.clone(template)
    cloning.client.destroy(template)
    await settle(lambda: len(cloning.members(template)) == 1)  # its init, for their sake
    assert await clone.probe("result = 'alive'") == "alive"
    with pytest.raises(SandboxError, match="no such template"):
        await cloning.client.clone(template, 512, 256)
    cloning.client.destroy(clone.sandbox)
    await asyncio.wait_for(clone.gone.wait(), 10)
    await settle(lambda: template.released)
    await settle(lambda: len(cloning.processes()) == 1 and not cloning.groups() and not cloning.images())


async def test_a_template_that_is_killed_leaves_its_clones_running(cloning: Cloning) -> None:
    template = await cloning.template()
    clone = await cloning.clone(template)
    os.kill(cloning.members(template)[1], signal.SIGKILL)
    assert await clone.probe("result = 'alive'") == "alive"
    with pytest.raises(SandboxError):
        await cloning.client.clone(template, 512, 256)
    os.kill(cloning.members(template)[0], signal.SIGKILL)  # its init: the kernel ends all that lived below it
    await asyncio.wait_for(clone.gone.wait(), 10)
    await settle(lambda: len(cloning.processes()) == 1 and not cloning.groups() and not cloning.images())


async def test_a_clone_given_up_before_it_has_its_network_harms_nobody() -> None:
    if os.geteuid() != 0:
        pytest.skip("networks take root")
    silent = "import socket, sys\nchannel = socket.socket(fileno=int(sys.argv[2]))\nwhile channel.recv(65536): pass\n"
    networks = NetworkProcess(command=(sys.executable, "-c", silent), settings="", resolver=None)
    async with cloning_at(Isolation.ROOT, networks) as cloning:
        template = await cloning.template("made = 17\n")
        neighbour = await cloning.clone(template)
        assert await neighbour.probe("result = made") == 17  # it runs: nothing of it is on its way any more
        groups, held = cloning.groups(), cloning.held
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(cloning.client.clone(template, 512, 256, "a network"), 1)
        await settle(lambda: cloning.groups() == groups and cloning.held == held)
        assert await neighbour.probe("result = made") == 17
        assert await (await cloning.clone(template)).probe("result = made") == 17


async def test_nothing_outlives_the_supervisor(cloning: Cloning) -> None:
    template = await cloning.template()
    clone = await cloning.clone(template)
    await clone.probe("subprocess.Popen(['sleep', '600'])")
    pids = cloning.processes()
    assert len(pids) >= 6
    os.kill(cloning.pid, signal.SIGKILL)
    await asyncio.wait_for(clone.gone.wait(), 10)
    await settle(lambda: not [pid for pid in pids if _runs(pid)])


def _runs(pid: int) -> bool:
    try:
        return _status(pid, "State:")[0] != "Z"
    except OSError:
        return False


async def test_many_clones_leave_nothing_open(cloning: Cloning) -> None:
    template = await cloning.template("open('/tmp/file', 'w').close()\n")
    held, own = cloning.held, len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        made = await asyncio.gather(*(cloning.client.clone(template, 512, 256) for _ in range(8)))
        for sandbox in made:
            cloning.client.destroy(sandbox)
        await settle(lambda: len(cloning.client._sandboxes) == 1)
    assert cloning.held == held
    assert len(os.listdir("/proc/self/fd")) == own
    assert len(cloning.images()) <= 1


# --- templates that do not keep to the rules --------------------------------------------------------------------------

#: Runs in the initialisation of a function and replaces what a clone does first.
HOSTILE = """
frame = sys._getframe()
while "cloning" not in frame.f_globals:
    frame = frame.f_back
cloning = frame.f_globals["cloning"]
def leave(self):
    control = self._control
    {}
    time.sleep(600)
cloning.Clone.leave = leave
"""


@pytest.mark.parametrize("act", [
    "control.send(b'exited 1')",
    "control.send(b'unshared')",
    "control.send(b'\\xff' * 100000)",
    "control.send(b'failed ' + b'\\xff' * 100)",
    "call('unshare', 0x78020000); control.send(b'unshared'); control.recv(10); control.send(b'ready')",
    "call('unshare', 0x78020000); control.send(b'unshared'); control.recv(10); control.send(b'unshared')",
    "control.close()",
])  # fmt: skip
async def test_a_hostile_template_harms_itself_only(cloning: Cloning, act: str) -> None:
    honest = await cloning.template()
    hostile = await cloning.template(HOSTILE.format(act))
    with pytest.raises(SandboxError):
        await asyncio.wait_for(cloning.client.clone(hostile, 512, 256), 10)
    assert await (await cloning.clone(honest)).probe("result = 1") == 1
    cloning.client.destroy(hostile)
    await settle(lambda: hostile.released)


async def test_a_template_that_never_answers_can_be_given_up(cloning: Cloning) -> None:
    hostile = await cloning.template(HOSTILE.format("pass"))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(cloning.client.clone(hostile, 512, 256), 0.5)
    await settle(lambda: not cloning.client._creating)
    cloning.client.destroy(hostile)
    await settle(lambda: len(cloning.processes()) == 1 and not cloning.groups() and not cloning.images())


async def test_a_template_that_speaks_unasked_is_ended(cloning: Cloning) -> None:
    for message in ("ready", "nonsense"):
        source = f"channel = socket.socket(fileno=os.dup(1023)); channel.send(b'{message}')\n"
        try:
            template = await cloning.template(source)
        except SandboxError:
            template = cloning.last
        await settle(lambda template=template: template.released)
    assert await (await cloning.clone(await cloning.template())).probe("result = 1") == 1
