"""The system-call filter, carried out here as the kernel does: what it allows and what it refuses, on both machines."""

from __future__ import annotations

import errno
import struct

import pytest

from ingle.sandbox.seccomp import DENIED, compile_filter

ALLOW, ERRNO, KILL = 0x7FFF0000, 0x00050000, 0x80000000
EPERM, ENOSYS = ERRNO | errno.EPERM, ERRNO | errno.ENOSYS
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
#: (x86-64, AArch64)
CLONE, CLONE3, UNSHARE, SOCKET = (56, 220), (435, 435), (272, 97), (41, 198)
THREAD = 0x003D0F00
SIGCHLD = 17
USER, NET, TIME = 0x10000000, 0x40000000, 0x80


def judge(
    machine: str, number: int, argument: int = 0, architecture: int | None = None, *, cloning: bool = False,
    more: tuple[int, ...] = (),
) -> int:  # fmt: skip
    """The action for one system call with `argument` and `more` of them."""
    program = list(struct.iter_unpack("=HBBI", compile_filter(machine, cloning=cloning)))
    architecture = ARCHITECTURES[machine] if architecture is None else architecture
    arguments = (argument, *more, *([0] * (5 - len(more))))
    data = struct.pack("=IIQQQQQQQ", number, architecture, 0, *arguments)
    position, accumulator = 0, 0
    while True:
        code, if_true, if_false, value = program[position]
        position += 1
        if code == 0x20:
            accumulator = struct.unpack_from("=I", data, value)[0]
        elif code == 0x06:
            return value
        else:
            holds = {0x15: accumulator == value, 0x35: accumulator >= value, 0x45: bool(accumulator & value)}[code]
            position += if_true if holds else if_false


@pytest.fixture(params=["x86_64", "aarch64"])
def machine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def column(machine: str, numbers: tuple[int, int]) -> int:
    return numbers[list(ARCHITECTURES).index(machine)]


@pytest.mark.parametrize("name", sorted(DENIED))
def test_what_is_denied_fails_with_eperm(machine: str, name: str) -> None:
    assert judge(machine, column(machine, DENIED[name])) == EPERM


@pytest.mark.parametrize("numbers", [(0, 63), (1, 64), (59, 221), (231, 94), (202, 98), (288, 242), (101, 117)],
                         ids=["read", "write", "execve", "exit_group", "futex", "accept4", "ptrace"])  # fmt: skip
def test_what_functions_need_is_allowed(machine: str, numbers: tuple[int, int]) -> None:
    assert judge(machine, column(machine, numbers)) == ALLOW


def test_no_call_is_denied_twice_or_by_a_wrong_number(machine: str) -> None:
    numbers = [column(machine, numbers) for numbers in DENIED.values()]
    assert len(set(numbers)) == len(numbers)
    allowed = [number for number in range(600) if judge(machine, number, argument=1) == ALLOW]
    refused = set(range(600)) - set(allowed)
    assert refused == {*numbers, column(machine, CLONE3)}


def test_processes_and_threads_can_be_made(machine: str) -> None:
    assert judge(machine, column(machine, CLONE), SIGCHLD) == ALLOW
    assert judge(machine, column(machine, CLONE), THREAD) == ALLOW


@pytest.mark.parametrize("flag", [USER, NET, 0x20000000, 0x08000000, 0x04000000, 0x02000000, 0x00020000])
def test_new_namespaces_are_refused(machine: str, flag: int) -> None:
    assert judge(machine, column(machine, CLONE), flag | SIGCHLD) == EPERM
    assert judge(machine, column(machine, UNSHARE), flag) == EPERM


def test_a_time_namespace_is_refused(machine: str) -> None:
    assert judge(machine, column(machine, UNSHARE), TIME) == EPERM


def test_clone3_is_as_if_the_kernel_were_older(machine: str) -> None:
    assert judge(machine, column(machine, CLONE3)) == ENOSYS


@pytest.mark.parametrize("family", range(46))
def test_socket_families(machine: str, family: int) -> None:
    expected = ALLOW if family in (1, 2, 10, 16) else EPERM
    assert judge(machine, column(machine, SOCKET), family) == expected


def test_a_template_may_do_what_its_clones_need_and_no_more(machine: str) -> None:
    mount, move = column(machine, DENIED["mount"]), column(machine, DENIED["move_mount"])
    unshare = column(machine, UNSHARE)
    user_pid_net_ipc_mount = 0x78020000
    allowed = [
        judge(machine, unshare, user_pid_net_ipc_mount, cloning=True),
        judge(machine, mount, 1, more=(2, 3, 0xE), cloning=True),
        judge(machine, mount, 1, more=(2, 3, 0x6), cloning=True),
        judge(machine, move, 1, more=(2, 3, 4, 0x4), cloning=True),
    ]
    assert set(allowed) == {ALLOW}
    refused = [
        *(judge(machine, unshare, flag, cloning=True) for flag in (USER, NET, user_pid_net_ipc_mount | TIME)),
        *(judge(machine, mount, 1, more=(2, 3, flags), cloning=True) for flags in (0, 0x1000, 0x2E, 0xF)),
        judge(machine, move, 1, more=(2, 3, 4, 0), cloning=True),
        judge(machine, column(machine, CLONE), USER | SIGCHLD, cloning=True),
        *(judge(machine, column(machine, DENIED[name]), cloning=True) for name in DENIED),
        judge(machine, unshare, user_pid_net_ipc_mount),
        judge(machine, mount, 1, more=(2, 3, 0xE)),
        judge(machine, move, 1, more=(2, 3, 4, 0x4)),
    ]
    assert set(refused) == {EPERM}


def test_another_architecture_is_killed(machine: str) -> None:
    assert judge(machine, 0, architecture=0x40000003) == KILL  # 32-bit x86


def test_x32_calls_do_not_exist() -> None:
    assert judge("x86_64", 0x40000000 | 165) == ENOSYS


def test_an_unknown_machine_is_an_error() -> None:
    with pytest.raises(KeyError):
        compile_filter("riscv64")
