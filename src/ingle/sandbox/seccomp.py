"""The system-call filter of an execution environment, compiled to the kernel's classic BPF.

Denied calls fail with EPERM, as they do for an unprivileged user of a kernel without the feature; `clone3` fails with
ENOSYS so that C libraries fall back to `clone`, whose flags a filter can see. Numbers are those of the kernel's
system-call tables for x86-64 and AArch64.
"""

from __future__ import annotations

import errno
import platform
import struct

_ALLOW = 0x7FFF0000
_ERRNO = 0x00050000
_KILL = 0x80000000

_LOAD = 0x20  # BPF_LD | BPF_W | BPF_ABS
_EQUAL = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_AT_LEAST = 0x35  # BPF_JMP | BPF_JGE | BPF_K
_ANY_BIT = 0x45  # BPF_JMP | BPF_JSET | BPF_K
_RETURN = 0x06

_NUMBER, _ARCHITECTURE, _ARGUMENT_0, _ARGUMENT_3, _ARGUMENT_4 = 0, 4, 16, 40, 48
_NEW_NAMESPACES = 0x7E020000 | 0x02000000 | 0x80  # user, pid, net, ipc, uts, mount, cgroup, time

#: Calls that no function needs and that have widened attackers' reach before: (x86-64, AArch64) numbers.
DENIED = {
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "bpf": (321, 280), "userfaultfd": (323, 282), "perf_event_open": (298, 241),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51),
    "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431),
    "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442),
    "setns": (308, 268), "open_by_handle_at": (304, 265), "name_to_handle_at": (303, 264),
    "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106),
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "reboot": (169, 142),
    "swapon": (167, 224), "swapoff": (168, 225), "acct": (163, 89), "quotactl": (179, 60),
    "settimeofday": (164, 170), "clock_settime": (227, 112), "clock_adjtime": (305, 266), "adjtimex": (159, 171),
    "syslog": (103, 116), "vhangup": (153, 58), "lookup_dcookie": (212, 18), "nfsservctl": (180, 42),
}  # fmt: skip
_SPECIAL = {"clone": (56, 220), "unshare": (272, 97), "clone3": (435, 435), "socket": (41, 198)}
_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
#: What a template's clones need on their way into namespaces of their own, and nothing near it:
#: (call, offset of the argument that is looked at, its values). `inside.cloning` makes these calls.
CLONING = (
    ("unshare", _ARGUMENT_0, (0x78020000,)),  # user, pid, net, ipc and mount together
    ("mount", _ARGUMENT_3, (0xE, 0x6)),  # nosuid and nodev, with or without noexec
    ("move_mount", _ARGUMENT_4, (0x4,)),  # of a descriptor
)
#: UNIX, INET, INET6, NETLINK.
_SOCKET_FAMILIES = (1, 2, 10, 16)


def compile_filter(machine: str | None = None, *, cloning: bool = False) -> bytes:
    """The filter for `machine` (as `platform.machine()` names it): bytes of struct sock_filter.

    With `cloning`, that of a template, which allows the calls of `CLONING`. Raises KeyError for a machine whose numbers
    are not known; the caller then runs without a filter and says so.
    """
    column, architecture = _ARCHITECTURES[machine or platform.machine()]
    deny = _return(_ERRNO | errno.EPERM)
    program = [_load(_ARCHITECTURE), _jump(_EQUAL, architecture, 1, 0), _return(_KILL), _load(_NUMBER)]
    if column == 0:
        # The x32 interface reaches the same calls under other numbers.
        program += [_jump(_AT_LEAST, 0x40000000, 0, 1), _return(_ERRNO | errno.ENOSYS)]
    if cloning:
        numbers_of = {**DENIED, **_SPECIAL}
        for name, offset, values in CLONING:
            program += _allow(numbers_of[name][column], offset, values)
    for numbers in DENIED.values():
        program += [_jump(_EQUAL, numbers[column], 0, 1), deny]
    program += [_jump(_EQUAL, _SPECIAL["clone3"][column], 0, 1), _return(_ERRNO | errno.ENOSYS)]
    for name in ("clone", "unshare"):
        program += [
            _jump(_EQUAL, _SPECIAL[name][column], 0, 4),
            _load(_ARGUMENT_0),
            # CLONE_NEWTIME shares its bit with the exit signal of clone, where it means nothing.
            _jump(_ANY_BIT, _NEW_NAMESPACES & (~0xFF if name == "clone" else ~0), 0, 1),
            deny,
            _return(_ALLOW),
        ]
    program += [_jump(_EQUAL, _SPECIAL["socket"][column], 0, len(_SOCKET_FAMILIES) + 2), _load(_ARGUMENT_0)]
    for index, family in enumerate(_SOCKET_FAMILIES):
        program.append(_jump(_EQUAL, family, len(_SOCKET_FAMILIES) - index, 0))
    program += [deny, _return(_ALLOW)]
    return b"".join(program)


def _allow(number: int, offset: int, values: tuple[int, ...]) -> list[bytes]:
    """Allow the call `number` with these values of an argument, and go on with the number of the call otherwise."""
    program = [_jump(_EQUAL, number, 0, 2 * len(values) + 2), _load(offset)]
    for value in values:
        program += [_jump(_EQUAL, value, 0, 1), _return(_ALLOW)]
    return [*program, _load(_NUMBER)]


def _load(offset: int) -> bytes:
    return struct.pack("=HBBI", _LOAD, 0, 0, offset)


def _jump(test: int, value: int, if_true: int, if_false: int) -> bytes:
    return struct.pack("=HBBI", test, if_true, if_false, value)


def _return(action: int) -> bytes:
    return struct.pack("=HBBI", _RETURN, 0, 0, action)
