"""A real PostgreSQL and a real Redis in a network, and a function that queries them."""

from __future__ import annotations

import contextlib
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from ingle.network import namespaces

#: Speaks just enough of both protocols.
CLIENTS = '''
import socket, struct

def postgresql(address, query, patience=3):
    """The first column of the only row."""
    with socket.create_connection((address, 5432), timeout=patience) as connection:
        stream = connection.makefile("rwb")
        words = b"user\\0ingle\\0database\\0postgres\\0\\0"
        stream.write(struct.pack("!II", 8 + len(words), 196608) + words)
        stream.write(b"Q" + struct.pack("!I", 5 + len(query)) + query.encode() + b"\\0")
        stream.flush()
        while True:
            kind, length = struct.unpack("!cI", stream.read(5))
            body = stream.read(length - 4)
            if kind == b"D":
                return body[6:].decode()
            if kind == b"E":
                raise RuntimeError(body)

def redis(address, command, patience=3):
    with socket.create_connection((address, 6379), timeout=patience) as connection:
        connection.sendall(command.encode() + b"\\r\\n")
        return connection.recv(1000).decode().strip()
'''


def _program(name: str, package: str) -> str:
    found = shutil.which(name)
    candidates = [found] if found else sorted(map(str, Path("/usr/lib/postgresql").glob(f"*/bin/{name}")))
    if not candidates:
        pytest.skip(f"there is no {name}: apt-get install {package}")
    return candidates[-1]


def start_postgresql(stack: contextlib.ExitStack, namespace: int, address: str) -> None:
    """Answers everybody from 10.20.0.0/16, without a password."""
    initdb, server = _program("initdb", "postgresql"), _program("postgres", "postgresql")
    user = next((name for name in ("postgres", "nobody") if _known(name)), "nobody")
    directory = Path(tempfile.mkdtemp(prefix="ingle-kernel-pg-"))
    stack.callback(shutil.rmtree, directory, ignore_errors=True)
    shutil.chown(directory, user)
    data = directory / "data"
    run = {
        "user": user,
        "extra_groups": [],
        "cwd": directory,
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
    }
    subprocess.run([initdb, "-D", data, "-U", "ingle", "-A", "trust", "--no-sync"], check=True, **run)  # type: ignore[call-overload]
    with (data / "pg_hba.conf").open("a") as rules:
        rules.write("host all all 10.20.0.0/16 trust\n")
    command = [server, "-D", data, "-h", address, "-k", directory, "-c", "fsync=off", "-c", "max_connections=20"]
    with namespaces.inside(namespace):
        process = subprocess.Popen(command, **run)  # type: ignore[call-overload]
    stack.callback(_end, process)
    _wait(namespace, address, 5432)


def start_redis(stack: contextlib.ExitStack, namespace: int, address: str) -> None:
    server = _program("redis-server", "redis-server")
    directory = tempfile.mkdtemp(prefix="ingle-kernel-redis-")
    stack.callback(shutil.rmtree, directory, ignore_errors=True)
    command = [server, "--bind", address, "--port", "6379", "--save", "", "--protected-mode", "no", "--dir", directory]
    with namespaces.inside(namespace):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    stack.callback(_end, process)
    _wait(namespace, address, 6379)


def _known(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(20)


def _wait(namespace: int, address: str, port: int) -> None:
    until = time.monotonic() + 30
    with namespaces.inside(namespace):
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection((address, port), timeout=1).close()
                return
            assert time.monotonic() < until, f"nothing listens at {address}:{port}"
            time.sleep(0.02)
