"""What private networks cost: cold starts, many environments, changes of rules, and throughput to a database.

The server of these runs in a namespace that stands for a machine, beside another that stands for a network.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks.bench import HELLO, Bench, data_directory, served
from ingle.network import namespaces

DATABASE = "10.20.0.50"
_PORT = 5432
_MEGABYTES = 2000
#: A listener that sends, and that answers what it gets: `python -c`, with the address.
_SENDER = """
import socket, sys, threading
listener = socket.create_server((sys.argv[1], 5432))
block = bytes(1 << 20)
def serve(connection):
    with connection:
        wanted = int(connection.recv(20) or 0)
        for _ in range(wanted):
            connection.sendall(block)
print("ready", flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""
_RECEIVER = """
import socket, time
def receive(address, megabytes):
    with socket.create_connection((address, 5432), 5) as connection:
        connection.sendall(str(megabytes).encode())
        room, left, start = bytearray(1 << 20), megabytes << 20, time.perf_counter()
        while left:
            left -= connection.recv_into(room)
        return megabytes / (time.perf_counter() - start)
"""
#: Receives, or tells when a connection came about after one that did not.
_HANDLER = """
def handler(event, context):
    if "megabytes" in event:
        return receive(event["to"], event["megabytes"])
    reached, until = True, time.monotonic() + 20
    while time.monotonic() < until:
        before = reached
        try:
            with socket.create_connection((event["to"], 5432), 0.05):
                reached = True
        except OSError:
            reached = False
        if reached and not before:
            return time.time()
"""
_FUNCTION = _RECEIVER + _HANDLER


class _Site:
    """A machine with a bridge, a network on it, a server with a VPC whose subnet is bound to the bridge."""

    def __init__(self, bench: Bench, stack: contextlib.ExitStack) -> None:
        self.machine, self.private = self._namespace(stack), self._namespace(stack)
        self._ip(self.machine, "link add br0 type bridge", "link set br0 up", "addr add 10.20.0.9/24 dev br0")
        with namespaces.inside(self.machine):
            other = f"/proc/self/fd/{self.private}"
            command = ["ip", "link", "add", "lan", "type", "veth", "peer", "name", "eth0", "netns", other]
            subprocess.run(command, check=True, pass_fds=[self.private])
        self._ip(self.machine, "link set lan up", "link set lan master br0")
        self._ip(self.private, "link set eth0 up", f"addr add {DATABASE}/24 dev eth0")
        directory = stack.enter_context(data_directory())
        with namespaces.inside(self.machine):
            server = stack.enter_context(served(directory))
        self._bench = Bench(server, bench.runtime, bench.quick)
        self.client, self.ec2 = self._bench.client, server.client("ec2")
        self.vpc = self.call(self.ec2.create_vpc, CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
        made = self.call(self.ec2.create_subnet, VpcId=self.vpc, CidrBlock="10.20.0.0/24")
        self.subnet = made["Subnet"]["SubnetId"]
        bind = [sys.executable, "-m", "ingle", "network", "bind", self.subnet, "br0", "--data-dir", str(directory)]
        subprocess.run(bind, check=True, stdout=subprocess.DEVNULL)

    @staticmethod
    def _namespace(stack: contextlib.ExitStack) -> int:
        made = namespaces.create()
        stack.callback(os.close, made)
        _Site._ip(made, "link set lo up")
        return made

    @staticmethod
    def _ip(namespace: int, *commands: str) -> None:
        with namespaces.inside(namespace):
            for command in commands:
                subprocess.run(["ip", *command.split()], check=True)

    def call(self, operation: Any, **params: Any) -> Any:
        with namespaces.inside(self.machine):
            return operation(**params)

    def group(self, rules: int = 0) -> str:
        name = uuid.uuid4().hex
        made = self.call(self.ec2.create_security_group, VpcId=self.vpc, GroupName=name, Description=name)
        group = str(made["GroupId"])
        everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
        self.call(self.ec2.revoke_security_group_egress, GroupId=group, IpPermissions=everything)
        if rules:
            wanted = [_permission(1000 + number, f"10.30.{number}.0/24") for number in range(rules)]
            self.call(self.ec2.authorize_security_group_egress, GroupId=group, IpPermissions=wanted)
        return group

    def function(self, source: str, group: str | None, memory_mb: int = 1769) -> str:
        config = {"SubnetIds": [self.subnet], "SecurityGroupIds": [group]} if group else {}
        with namespaces.inside(self.machine):
            return self._bench.function(source, memory_mb, VpcConfig=config)

    def invoke(self, name: str, event: Any = None) -> tuple[Any, float]:
        """What it returned, and after how many milliseconds."""
        with namespaces.inside(self.machine):
            start = time.perf_counter()
            answer = self.client.invoke(FunctionName=name, Payload=json.dumps(event))
            body = answer["Payload"].read()
            taken = (time.perf_counter() - start) * 1e3
        if "FunctionError" in answer:
            raise RuntimeError(body.decode())
        return json.loads(body), taken


def _permission(port: int, cidr: str) -> dict[str, Any]:
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": cidr}]}


def networks(bench: Bench) -> None:
    if os.geteuid() != 0:
        print("private networks take root")
        return
    with contextlib.ExitStack() as stack:
        site = _Site(bench, stack)
        _cold(bench, site)
        _changes(bench, site)
        _throughput(bench, site)
        _many(bench, site)


def _cold(bench: Bench, site: _Site) -> None:
    """By turns, so that what else the machine does falls on both."""
    group = site.group(50)
    plain, attached = [], []
    for _ in bench.times(20, 100):
        for times, of in ((plain, None), (attached, group)):
            name = site.function(HELLO, of)
            time.sleep(0.1)  # sandboxes are refilled
            times.append(site.invoke(name)[1])
    bench.add("cold start, hello, no VpcConfig", plain)
    bench.add("cold start, hello, VpcConfig with 50 rules", attached)
    added = statistics.median(attached) - statistics.median(plain)
    bench.add_value("cold start, what VpcConfig adds at p50", added, "ms", "<= 2")


def _changes(bench: Bench, site: _Site) -> None:
    """From the call to the first connection that it allows, as the function sees it."""
    with _sending(site.private, DATABASE):
        group = site.group(50)
        name = site.function(_FUNCTION, group)
        times = []
        for _ in bench.times(5, 20):
            found: list[float] = []
            waiting = threading.Thread(target=lambda: found.append(site.invoke(name, {"to": DATABASE})[0]))  # noqa: B023
            waiting.start()
            time.sleep(0.3)
            start = time.time()
            rule = [_permission(_PORT, f"{DATABASE}/32")]
            site.call(site.ec2.authorize_security_group_egress, GroupId=group, IpPermissions=rule)
            waiting.join()
            times.append((found[0] - start) * 1e3)
            site.call(site.ec2.revoke_security_group_egress, GroupId=group, IpPermissions=rule)
        bench.add("a rule in force after its call, 50 rules", times, "<= 1000")


def _throughput(bench: Bench, site: _Site) -> None:
    """What a function receives from a server in its network, beside what a program receives over loopback."""
    megabytes = _MEGABYTES // (4 if bench.quick else 1)
    group = site.group(49)
    rule = [_permission(_PORT, f"{DATABASE}/32")]
    site.call(site.ec2.authorize_security_group_egress, GroupId=group, IpPermissions=rule)
    name = site.function(_FUNCTION, group, 3008)
    network, loopback = [], []
    with _sending(site.private, DATABASE), _sending(site.machine, "127.0.0.1"):
        for _ in bench.times(3, 5):
            network.append(site.invoke(name, {"to": DATABASE, "megabytes": megabytes})[0])
            code = f"{_RECEIVER}\nprint(receive('127.0.0.1', {megabytes}))"
            with namespaces.inside(site.machine):
                loopback.append(float(subprocess.check_output([sys.executable, "-c", code])))
    bench.add_value("throughput over loopback", statistics.median(loopback), "MB/s")
    bench.add_value("throughput, function and a server in its network", statistics.median(network), "MB/s")
    share = 100 * statistics.median(network) / statistics.median(loopback)
    bench.add_value("throughput, share of loopback", share, "%", ">= 60")


def _many(bench: Bench, site: _Site) -> None:
    """200 environments at once, ten behind each interface."""
    source = "import time\ndef handler(event, context):\n    time.sleep(3)\n"
    names = [site.function(source, site.group(50), 128) for _ in range(20)]
    start = time.perf_counter()
    with ThreadPoolExecutor(200) as pool:
        for done in [pool.submit(site.invoke, name) for name in names for _ in range(10)]:
            done.result()
    taken = (time.perf_counter() - start) * 1e3 - 3000
    bench.add_value("200 environments behind 20 interfaces with 50 rules each", taken, "ms")


@contextlib.contextmanager
def _sending(namespace: int, address: str) -> Iterator[None]:
    with namespaces.inside(namespace):
        process = subprocess.Popen([sys.executable, "-c", _SENDER, address], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield
    finally:
        process.terminate()
        process.wait(10)
