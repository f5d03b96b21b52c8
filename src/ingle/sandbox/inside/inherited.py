"""What an initialised process holds that a fork would share, and how a clone gets its own of each.

`survey` runs once in the template. It raises Uncloneable for what cannot be copied: memory shared with others, files
without a name, other threads, child processes. What it returns tells every clone, which applies it with `renew`:

    a file or directory that has a name    opened again there, at the same offset: offsets are shared too
    both ends of a pipe or a socket pair   made anew, empty
    eventfd and epoll                      made anew, with the same counter and the same members
    a datagram socket                      made anew, bound and connected to the same addresses
    any other socket, one end of a pipe    replaced by one whose other end is closed: its owner sees a lost connection

Numbers of descriptors stay what they were, since objects of the function know them. `/tmp` is copied: `walk_tmp` and
`open_tmp` in the template's file system, `fill_tmp` in the clone's.
"""

import array
import errno
import fcntl
import os
import select
import socket
import stat
import struct
import termios

#: More files than this in /tmp are not copied: a clone holds all of them open for a moment.
MOST_FILES = 256
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_READ_ONLY = 1  # ST_RDONLY


class Uncloneable(Exception):
    """The process cannot be copied; the text says why, in words for the function's author."""


# --- threads, children, memory ----------------------------------------------------------------------------------------


def require_lone_process():
    """Raise Uncloneable if there is another thread or another process beside init."""
    if _threads() > 1:
        # Some libraries end their threads before a fork and start them again when they are needed.
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitpid(pid, 0)
    if _threads() > 1:
        raise Uncloneable("%d other threads are running" % (_threads() - 1))
    others = {name for name in os.listdir("/proc") if name.isdigit()} - {"1", str(os.getpid())}
    if others:
        raise Uncloneable("%d other processes are running" % len(others))


def _threads():
    return len(os.listdir("/proc/self/task"))


def require_private_memory():
    """Raise Uncloneable if memory is shared that anybody could write to."""
    with open("/proc/self/maps") as maps:
        for line in maps:
            fields = line.split(None, 5)
            if fields[1][3] != "s":
                continue
            place = fields[5].strip() if len(fields) > 5 else ""
            if "w" in fields[1] or not _is_read_only(place):
                raise Uncloneable("memory is shared (%s)" % (place or "anonymous"))


def _is_read_only(path):
    try:
        return bool(os.statvfs(path).f_flag & _READ_ONLY)
    except OSError:
        return False


# --- descriptors ------------------------------------------------------------------------------------------------------


class Descriptor:
    """One open descriptor of the template: its number, what it is (the link in /proc), flags, offset, further lines."""

    def __init__(self, number):
        self.number = number
        self.target = os.readlink("/proc/self/fd/%d" % number)
        with open("/proc/self/fdinfo/%d" % number) as info:
            self.info = [line.split() for line in info]
        values = {line[0]: line[1] for line in self.info if len(line) > 1}
        self.flags = int(values["flags:"], 8)
        self.offset = int(values["pos:"])
        self.values = values
        self.inheritable = os.get_inheritable(number)

    @property
    def kind(self):
        return self.target.partition(":")[0]


def survey(own):
    """The steps that give a clone descriptors of its own. `own`: the numbers that the platform takes care of."""
    numbers = sorted(int(name) for name in os.listdir("/proc/self/fd"))
    found = []
    for number in numbers:
        if number not in own:
            try:
                found.append(Descriptor(number))
            except FileNotFoundError:
                continue  # of the listing itself
    streams = {os.readlink("/proc/self/fd/%d" % number): number for number in own}
    pairs = _pairs(found)
    steps = []
    for item in found:
        if item.kind == "pipe" and item.target in streams:
            steps.append((_copy_of, item, streams[item.target]))
        elif item.number not in pairs:
            steps.append(_step(item))
        elif item.number < pairs[item.number]:
            steps.append((_pair, item, pairs[item.number]))
    # Event polls name other descriptors, which must be the new ones by then.
    return sorted(steps, key=lambda step: step[0] is _epoll)


def renew(steps):
    """In a clone: carry the steps of `survey` out. Raises OSError."""
    for act, item, value in steps:
        act(item, value)


def _step(item):
    """(action, descriptor, what the action needs) for one that stands alone."""
    if item.kind == "socket":
        return _socket_step(item)
    if item.kind == "pipe":
        return _dead_pipe, item, None
    if item.target == "anon_inode:[eventfd]":
        return _eventfd, item, int(item.values["eventfd-count:"], 16)
    if item.target == "anon_inode:[eventpoll]":
        return _epoll, item, _members(item)
    if not item.target.startswith("/") or item.target.endswith(" (deleted)"):
        raise Uncloneable("descriptor %d cannot be copied (%s)" % (item.number, item.target))
    mode = os.fstat(item.number).st_mode
    if item.target in _DEVICES:
        return _keep, item, None
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)) or not _has_name(item):
        raise Uncloneable("descriptor %d cannot be copied (%s)" % (item.number, item.target))
    return _open_again, item, None


def _has_name(item):
    try:
        named = os.stat(item.target)
    except OSError:
        return False
    held = os.fstat(item.number)
    return (named.st_dev, named.st_ino) == (held.st_dev, held.st_ino)


def _place(descriptor, item):
    """Let `descriptor` be the one with the number of `item`."""
    os.dup2(descriptor, item.number, inheritable=item.inheritable)
    os.close(descriptor)


def _keep(item, _value):
    pass


def _copy_of(item, number):
    os.dup2(number, item.number, inheritable=item.inheritable)


def _open_again(item, _value):
    flags = item.flags & ~(os.O_CREAT | os.O_EXCL | os.O_TRUNC)
    descriptor = os.open(item.target, flags | os.O_CLOEXEC)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.lseek(descriptor, item.offset, os.SEEK_SET)
    _place(descriptor, item)


def _eventfd(item, count):
    flags = os.EFD_CLOEXEC | (os.EFD_NONBLOCK if item.flags & os.O_NONBLOCK else 0)
    _place(os.eventfd(count, flags), item)


def _epoll(item, members):
    poll = select.epoll()
    for number, events in members:
        poll.register(number, events)
    os.dup2(poll.fileno(), item.number, inheritable=item.inheritable)
    poll.close()


def _members(item):
    """(descriptor, events) of an epoll instance. Fine as long as the data of each is its number, as in libraries."""
    found = []
    for line in item.info:
        if line[0] == "tfd:":
            number, events, data = int(line[1]), int(line[3], 16), int(line[5], 16)
            if data & 0xFFFFFFFF != number:
                raise Uncloneable("descriptor %d cannot be copied (an event poll)" % item.number)
            found.append((number, events & 0xFFFFFFFF))
    return found


# --- pipes and sockets ------------------------------------------------------------------------------------------------


def _pairs(found):
    """Numbers of descriptors that are two ends of one thing, each to the other's."""
    places = {}
    for item in found:
        if item.kind in ("pipe", "socket"):
            places.setdefault(item.target, []).append(item)
    pairs = {}
    for items in places.values():
        if len(items) == 2 and items[0].kind == "pipe":
            reader, writer = sorted(items, key=lambda item: item.flags & os.O_ACCMODE)
            if reader.flags & os.O_ACCMODE == os.O_RDONLY and writer.flags & os.O_ACCMODE == os.O_WRONLY:
                pairs[reader.number], pairs[writer.number] = writer.number, reader.number
    sockets = {_inode(item): item for item in found if item.kind == "socket"}
    for inode, peer in _socket_peers().items() if sockets else ():
        if inode in sockets and peer in sockets:
            pairs[sockets[inode].number] = sockets[peer].number
    for number in pairs:
        if array.array("i", fcntl.ioctl(number, termios.FIONREAD, bytes(4)))[0] > 0:
            raise Uncloneable("descriptor %d holds data that nobody has read" % number)
    return pairs


def _inode(item):
    return int(item.target[len("socket:[") : -1])


def _socket_peers():
    """Inodes of connected UNIX sockets of this network namespace, to those of their peers; empty if nothing tells."""
    peers = {}
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, 4) as diagnosis:
            # A dump (0x301) of SOCK_DIAG_BY_FAMILY (20): established sockets, with their peers.
            body = struct.pack("=BBHIIIII", socket.AF_UNIX, 0, 0, 1 << 1, 0, 4, 0xFFFFFFFF, 0xFFFFFFFF)
            diagnosis.send(struct.pack("=IHHII", 16 + len(body), 20, 0x301, 1, 0) + body)
            diagnosis.settimeout(2)
            while _read_peers(diagnosis.recv(1 << 16), peers):
                pass
    except OSError:
        return {}
    return peers


def _read_peers(data, peers):
    """Collect from one datagram; False after the last."""
    position = 0
    while position + 16 <= len(data):
        size, kind = struct.unpack_from("=IH", data, position)
        if kind != 20 or size < 16:
            return False
        inode = struct.unpack_from("=I", data, position + 20)[0]
        attribute = position + 32
        while attribute + 4 <= position + size:
            length, name = struct.unpack_from("=HH", data, attribute)
            if name == 2:  # UNIX_DIAG_PEER
                peers[inode] = struct.unpack_from("=I", data, attribute + 4)[0]
            attribute += max(4, length + 3 & ~3)
        position += size + 3 & ~3
    return True


def _pair(item, other):
    """`other` is the number of the second end."""
    blocking = [not fcntl.fcntl(number, fcntl.F_GETFL) & os.O_NONBLOCK for number in (item.number, other)]
    inheritable = os.get_inheritable(other)
    if item.kind == "pipe":
        ends = os.pipe2(os.O_CLOEXEC)
        if item.flags & os.O_ACCMODE == os.O_WRONLY:
            ends = ends[::-1]
    else:
        with socket.socket(fileno=os.dup(item.number)) as old:
            kind = old.type
        ends = [end.detach() for end in socket.socketpair(socket.AF_UNIX, kind)]
    for end, number, passed_on, blocks in zip(ends, (item.number, other), (item.inheritable, inheritable), blocking):
        os.set_blocking(end, blocks)
        os.dup2(end, number, inheritable=passed_on)
        os.close(end)


def _socket_step(item):
    with socket.socket(fileno=os.dup(item.number)) as sock:
        if sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            raise Uncloneable("descriptor %d is a socket that listens" % item.number)
        if sock.family not in (socket.AF_INET, socket.AF_INET6) or sock.type != socket.SOCK_DGRAM:
            return _dead_socket, item, None
        try:
            peer = sock.getpeername()
        except OSError:
            peer = None
        own = sock.getsockname()
        return _datagrams, item, (sock.family, sock.proto, None if peer or not own[1] else own, peer)


def _datagrams(item, value):
    family, protocol, own, peer = value
    new = socket.socket(family, socket.SOCK_DGRAM, protocol)
    if own is not None:
        new.bind(own)
    if peer is not None:
        try:
            new.connect(peer)
        except OSError as error:
            if error.errno not in (errno.ENETUNREACH, errno.EHOSTUNREACH):
                raise
    new.setblocking(not item.flags & os.O_NONBLOCK)
    _place(new.detach(), item)


def _dead_socket(item, _value):
    end, other = socket.socketpair()
    other.close()
    end.setblocking(not item.flags & os.O_NONBLOCK)
    _place(end.detach(), item)


def _dead_pipe(item, _value):
    reader, writer = os.pipe2(os.O_CLOEXEC)
    mine, other = (reader, writer) if item.flags & os.O_ACCMODE == os.O_RDONLY else (writer, reader)
    os.close(other)
    os.set_blocking(mine, not item.flags & os.O_NONBLOCK)
    _place(mine, item)


# --- /tmp -------------------------------------------------------------------------------------------------------------


def walk_tmp():
    """Everything below /tmp, parents first: (path, stat). Raises Uncloneable."""
    found = []
    for directory, _directories, files in os.walk("/tmp", onerror=_unreadable):
        if directory != "/tmp":
            found.append((directory, os.lstat(directory)))
        links = [name for name in _directories if os.path.islink(os.path.join(directory, name))]
        if directory == "/tmp" and "lost+found" in _directories:
            _directories.remove("lost+found")
        for name in files + links:
            path = os.path.join(directory, name)
            status = os.lstat(path)
            if stat.S_ISSOCK(status.st_mode):
                continue  # nobody serves it any more
            if not (stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode)):
                raise Uncloneable("%s is neither a file nor a directory" % path)
            found.append((path, status))
        if len(found) > MOST_FILES:
            raise Uncloneable("/tmp holds more than %d files" % MOST_FILES)
    return found


def _unreadable(error):
    raise Uncloneable("%s cannot be read" % error.filename)


def open_tmp(found):
    """Open what must be read for a copy: (path, stat, descriptor or target of a link or None)."""
    opened = []
    for path, status in found:
        content = None
        if stat.S_ISREG(status.st_mode):
            content = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        elif stat.S_ISLNK(status.st_mode):
            content = os.readlink(path)
        opened.append((path, status, content))
    return opened


def fill_tmp(opened):
    """Copy what was opened to the same paths, which by now are of another file system. Closes all descriptors."""
    for path, status, content in opened:
        if stat.S_ISDIR(status.st_mode):
            os.mkdir(path, 0o700)
        elif stat.S_ISLNK(status.st_mode):
            os.symlink(content, path)
        else:
            target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            _copy(content, target, status.st_size)
            os.fchmod(target, stat.S_IMODE(status.st_mode))
            os.close(target)
            os.close(content)
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    for path, status, _content in reversed(opened):
        if stat.S_ISDIR(status.st_mode):
            os.chmod(path, stat.S_IMODE(status.st_mode))
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def _copy(source, target, size):
    offset = 0
    while offset < size:
        count = os.sendfile(target, source, offset, size - offset)
        if count == 0:
            break
        offset += count
