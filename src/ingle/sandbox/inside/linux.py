"""System calls that the standard library does not have, for code that runs on the way into a sandbox.

Runs under every supported guest interpreter (Python 3.9 and later) and imports nothing of Ingle. Numbers and flags are
those of the kernel's headers; each function raises OSError with the name of the call.
"""

import array
import ctypes
import fcntl
import os
import platform
import socket
import struct

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_REMOUNT = 0x20
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 1 << 18
MNT_DETACH = 0x2

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_NAME = 15
PR_SET_SECCOMP = 22
PR_CAPBSET_DROP = 24
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4
SECCOMP_MODE_FILTER = 2

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result, call):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, "%s: %s" % (call, os.strerror(number)))


def unshare(flags):
    _check(_libc.unshare(ctypes.c_int(flags)), "unshare")


def setns(fd, kind):
    _check(_libc.setns(ctypes.c_int(fd), ctypes.c_int(kind)), "setns")


def mount(source, target, kind, flags, data=""):
    result = _libc.mount(
        source.encode(), target.encode(), kind.encode() if kind else None, ctypes.c_ulong(flags), data.encode()
    )
    _check(result, "mount %s" % target)


def bind(source, target, flags=MS_RDONLY | MS_NOSUID | MS_NODEV):
    """Bind `source` at `target` and restrict it: a bind mount takes its flags only from a second call."""
    mount(source, target, "", MS_BIND | MS_REC)
    if flags and not _restrict_all(target, flags):
        mount("", target, "", MS_REMOUNT | MS_BIND | flags | locked_flags(target))


def _restrict_all(target, flags):
    """Restrict the mount at `target` and all below it; False where the kernel cannot (before Linux 5.12)."""
    attributes = struct.pack("=QQQQ", flags & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC), 0, 0, 0)
    result = _libc.syscall(
        ctypes.c_long(442), ctypes.c_int(-100), target.encode(), ctypes.c_uint(0x8000),  # AT_FDCWD, AT_RECURSIVE
        ctypes.c_char_p(attributes), ctypes.c_size_t(len(attributes)),
    )  # fmt: skip
    return result == 0


def locked_flags(target):
    """Flags that a mount made by a more privileged user namespace forbids to drop."""
    found = os.statvfs(target).f_flag
    flags = found & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)
    for bit, flag in ((0x400, 1 << 10), (0x800, 1 << 11), (0x1000, 1 << 21)):  # noatime, nodiratime, relatime
        if found & bit:
            flags |= flag
    return flags


def umount(target, flags=MNT_DETACH):
    _check(_libc.umount2(target.encode(), ctypes.c_int(flags)), "umount %s" % target)


def pivot_root(root):
    """Make `root` (a mount point) the root directory and detach the old one."""
    os.chdir(root)
    number = {"x86_64": 155, "aarch64": 41}[platform.machine()]
    _check(_libc.syscall(ctypes.c_long(number), b".", b"."), "pivot_root")
    umount(".")
    os.chdir("/")


def prctl(option, *arguments):
    values = [ctypes.c_ulong(value) for value in arguments + (0,) * (4 - len(arguments))]
    _check(_libc.prctl(ctypes.c_int(option), *values), "prctl %d" % option)


def sethostname(name):
    _check(_libc.sethostname(name.encode(), ctypes.c_size_t(len(name))), "sethostname")


def drop_bounding_set():
    """Let no program regain a capability. Needs CAP_SETPCAP, which a change of user takes away; nothing without it."""
    for capability in range(64):
        if _libc.prctl(PR_CAPBSET_DROP, ctypes.c_ulong(capability), 0, 0, 0) != 0:
            break


def drop_capabilities():
    """Empty every capability set, the bounding set included if that is still allowed."""
    drop_bounding_set()
    _libc.prctl(PR_CAP_AMBIENT, ctypes.c_ulong(PR_CAP_AMBIENT_CLEAR_ALL), 0, 0, 0)
    header = ctypes.create_string_buffer(struct.pack("Ii", 0x20080522, 0))
    data = ctypes.create_string_buffer(struct.pack("IIIIII", 0, 0, 0, 0, 0, 0))
    _check(_libc.capset(header, data), "capset")


def load_seccomp(program):
    """Load a compiled BPF `program` (bytes of struct sock_filter) for this process and all that it will start."""

    class SockFprog(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]

    fprog = SockFprog(len(program) // 8, program)
    result = _libc.prctl(
        ctypes.c_int(PR_SET_SECCOMP), ctypes.c_ulong(SECCOMP_MODE_FILTER), ctypes.byref(fprog), ctypes.c_ulong(0)
    )
    _check(result, "prctl PR_SET_SECCOMP")


def mount_image(image, target, devices, number):
    """Mount the ext4 file system in the file `image` at `target`; the loop device frees itself when it is unmounted.

    `devices` is a directory with the node `loop-control`, where nodes of loop devices are made as they are needed.
    `number` is the device to try first: callers that ask the kernel for a free one at the same time all get the same.
    """

    def use(device):
        mount(device, target, "ext4", MS_NOSUID | MS_NODEV, "noinit_itable")
        return True

    _with_loop(image, devices, number, use)


def detached_image(image, devices, number):
    """The same, but mounted nowhere: a descriptor for `attach`, in whichever namespaces its holder is."""
    return _with_loop(image, devices, number, _detached_ext4)


def _detached_ext4(device):
    context = _descriptor(_libc.syscall(ctypes.c_long(430), b"ext4", ctypes.c_uint(1)), "fsopen")
    try:
        for command, key, value in ((1, b"source", device.encode()), (0, b"noinit_itable", None), (6, None, None)):
            result = _libc.syscall(
                ctypes.c_long(431), ctypes.c_int(context), ctypes.c_uint(command), key, value, ctypes.c_int(0)
            )
            _check(result, "fsconfig %s" % (key or b"create").decode())
        attributes = MS_NOSUID | MS_NODEV
        made = _libc.syscall(ctypes.c_long(432), ctypes.c_int(context), ctypes.c_uint(1), ctypes.c_uint(attributes))
        return _descriptor(made, "fsmount")
    finally:
        os.close(context)


def attach(detached, target):
    """Mount what `detached_image` made at `target`, which may not be a symbolic link."""
    empty_path = 4
    result = _libc.syscall(
        ctypes.c_long(429), ctypes.c_int(detached), b"", ctypes.c_int(-100), target.encode(), ctypes.c_uint(empty_path)
    )
    _check(result, "move_mount %s" % target)


def open_beneath(directory, path):
    """A directory below `directory` (a descriptor), reached over no symbolic link; for `clone_tree` only."""
    how = struct.pack("=QQQ", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC, 0, 0x04 | 0x08)  # NO_SYMLINKS | BENEATH
    result = _libc.syscall(
        ctypes.c_long(437), ctypes.c_int(directory), path.encode(), ctypes.c_char_p(how), ctypes.c_size_t(len(how))
    )
    return _descriptor(result, "open %s" % path)


def clone_tree(directory):
    """A mount of `directory` (a descriptor) without what is mounted below it, at no place: see `attach`."""
    clone, empty_path = 1, 0x1000
    flags = clone | empty_path | os.O_CLOEXEC
    return _descriptor(
        _libc.syscall(ctypes.c_long(428), ctypes.c_int(directory), b"", ctypes.c_uint(flags)), "open_tree"
    )


def restrict_and_map(detached, flags, namespace):
    """Give a mount at no place `flags`, and the ids of a user namespace. Not every file system has such mounts.

    A file whose owner has an id inside the namespace is seen with the id outside that it stands for.
    """
    mapped, empty_path = 0x100000, 0x1000
    attributes = struct.pack("=QQQQ", flags | mapped, 0, 0, namespace)
    result = _libc.syscall(
        ctypes.c_long(442), ctypes.c_int(detached), b"", ctypes.c_uint(empty_path), ctypes.c_char_p(attributes),
        ctypes.c_size_t(len(attributes)),
    )  # fmt: skip
    _check(result, "mount_setattr (id-mapped mounts)")


def _descriptor(result, call):
    if result < 0:
        _check(result, call)
    return result


def _with_loop(image, devices, number, use):
    """What `use(device)` returns for a loop device that is backed by `image`."""
    with open(devices + "/loop-control", "rb+", buffering=0) as control:
        backing = os.open(image, os.O_RDWR | os.O_CLOEXEC)
        try:
            try:
                fcntl.ioctl(control, 0x4C80, number)  # LOOP_CTL_ADD
            except FileExistsError:
                pass
            while True:
                result = _try_loop(backing, "%s/loop%d" % (devices, number), number, use)
                if result is not None:
                    return result
                number = fcntl.ioctl(control, 0x4C82)  # LOOP_CTL_GET_FREE
        finally:
            os.close(backing)


def _try_loop(backing, device, number, use):
    """None if the device is in use."""
    try:
        os.mknod(device, 0o600 | 0o060000, os.makedev(7, number))
    except FileExistsError:
        pass
    loop = os.open(device, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.ioctl(loop, 0x4C0A, _loop_config(backing))  # LOOP_CONFIGURE
    except OSError as error:
        if error.errno != 16:  # EBUSY
            raise
        return None
    else:
        return use(device)
    finally:
        os.close(loop)


def _loop_config(backing):
    autoclear = 4
    info = struct.pack("=QQQQQIIII64s64s32sQQ", 0, 0, 0, 0, 0, 0, 0, 0, autoclear, b"", b"", b"", 0, 0)
    return bytearray(struct.pack("=II", backing, 4096) + info + bytes(64))


def configure_loopback(address):
    """Bring `lo` up in this network namespace and give it `address` beside 127.0.0.1."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        up_and_running = 0x1 | 0x40
        fcntl.ioctl(control, 0x8914, struct.pack("16sH14s", b"lo", up_and_running, b""))
        second = struct.pack("16sH2s4s8s", b"lo:1", socket.AF_INET, b"", socket.inet_aton(address), b"")
        fcntl.ioctl(control, 0x8916, second)
        # The address alone: the rest of its network is not this environment's.
        mask = struct.pack("16sH2s4s8s", b"lo:1", socket.AF_INET, b"", b"\xff\xff\xff\xff", b"")
        fcntl.ioctl(control, 0x891C, mask)


def ended_children():
    """Reap the children that have ended: the process id and wait status of each. Does not wait."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        yield pid, status


def send_message(channel, data, descriptors=()):
    """Send one datagram of bytes and open descriptors over a SOCK_SEQPACKET socket."""
    ancillary = []
    if descriptors:
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]
    channel.sendmsg([data], ancillary)


def receive_message(channel, size=1 << 18):
    """Receive one datagram: (bytes, descriptors). Empty bytes: the other side is gone."""
    room = socket.CMSG_SPACE(32 * array.array("i").itemsize)
    data, ancillary, _flags, _address = channel.recvmsg(size, room, socket.MSG_CMSG_CLOEXEC)
    descriptors = array.array("i")
    for level, kind, content in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            usable = len(content) - len(content) % descriptors.itemsize
            descriptors.frombytes(content[:usable])
    return data, list(descriptors)
