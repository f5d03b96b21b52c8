"""What makes a process a server: its listener, its limits, the supervisor; while it has all its rights and one thread.

Owns the reasons why a server cannot start. Called by `app` only, in the order that is written there.
"""

from __future__ import annotations

import contextlib
import gc
import resource
import socket
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path

from ingle.network import client as network_client
from ingle.sandbox.launch import Isolation, NetworkProcess, SupervisorProcess, launch, network_identity, strongest
from ingle.sandbox.shares import Share
from ingle.settings import Settings


class StartupError(Exception):
    """The server cannot start; the text is one line for the person who started it."""


def bind(settings: Settings) -> socket.socket:
    try:
        family = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
        # Claims the port now; connections wait in the backlog until the server is ready.
        listener.listen(2048)
    except OSError as error:
        text = error.strerror or str(error)
        raise StartupError(f"cannot listen on {settings.host}:{settings.port}: {text.lower()}") from error
    return listener


def tls_of(settings: Settings) -> ssl.SSLContext | None:
    """Read before the server loses sight of files outside its data directory."""
    if settings.tls_cert is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.tls_cert, settings.tls_key)
    except (OSError, ssl.SSLError) as error:
        text = error.strerror or str(error)
        raise StartupError(f"cannot serve HTTPS with {settings.tls_cert} and {settings.tls_key}: {text}") from error
    return context


def launch_supervisor(settings: Settings, directory: Path) -> SupervisorProcess:
    isolation = strongest() if settings.isolation == "auto" else Isolation(settings.isolation)
    if isolation is Isolation.PROCESS and settings.egress == "none":
        raise StartupError("egress=none cannot be kept: plain processes share this machine's network")
    if isolation is Isolation.PROCESS:
        print("ingle: this machine allows no isolation: functions run as plain processes of this user and can read its "
              "files (`ingle doctor` tells why)", file=sys.stderr)  # fmt: skip
    outward = settings.egress == "open"
    network = NetworkProcess(
        command=network_client.command(),
        settings=network_client.settings(network_identity(directory), outward=outward),
        resolver=network_client.RESOLVER if outward else None,
    )
    try:
        return launch(directory, isolation, network, _shares(settings))
    except OSError as error:
        raise StartupError(f"cannot isolate functions as {isolation}: {error}") from error


def _shares(settings: Settings) -> dict[str, Share]:
    """What functions may mount, by the ARN of the access point. Raises StartupError."""
    found = {}
    for point in settings.file_systems:
        try:
            place = Path(point.directory).stat()
        except OSError as error:
            raise StartupError(f"cannot share {point.directory}: {error.strerror or error}") from error
        found[point.arn] = Share(
            directory=point.directory, root=point.root,
            uid=place.st_uid if point.uid is None else point.uid, gid=place.st_gid if point.gid is None else point.gid,
        )  # fmt: skip
    return found


def dump_no_core() -> None:
    """This process holds the master key, and for moments functions' variables, as the supervisor does, which inherits
    the limit: none of that shall lie in a file. Runtimes have a limit of their own.

    A soft limit of 1 keeps the kernel from writing a file, and from handing the memory to a program, too.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (1 if hard == resource.RLIM_INFINITY else min(1, hard), hard))


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """What is made inside lives as long as the server, so the garbage collector looks at it neither now nor later.

    Each look takes as long as there are functions; what little garbage there is stays.
    """
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()


def raise_descriptor_limit() -> None:
    """An environment takes about ten descriptors here."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
