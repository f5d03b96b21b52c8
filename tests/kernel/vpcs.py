"""A private network of a server's, and functions in it, as users make them."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from ingle.network import namespaces
from kernel.databases import CLIENTS
from kernel.networks import ATTEMPTS, Functions, World
from kernel.sandboxed import PROBE

DATABASE = "10.20.0.50"
FUNCTION = PROBE + ATTEMPTS.replace('event.get("patience", 3)', "3") + CLIENTS


class Vpc:
    """A private network of the server's, one subnet of which is on the machine's bridge."""

    def __init__(self, functions: Functions, world: World) -> None:
        self.functions = functions
        self.world = world
        self.ec2 = functions.server.client("ec2")
        self.id = self.call("create_vpc", CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
        self.subnet = self.new_subnet("10.20.0.0/24")
        self.ingle("network", "bind", self.subnet, "br0")

    def call(self, operation: str, **params: Any) -> Any:
        with namespaces.inside(self.world.machine):
            return getattr(self.ec2, operation)(**params)

    def ingle(self, *words: str) -> str:
        command = [sys.executable, "-m", "ingle", *words, "--data-dir", str(self.functions.server.data_dir)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def new_subnet(self, cidr: str) -> str:
        return str(self.call("create_subnet", VpcId=self.id, CidrBlock=cidr)["Subnet"]["SubnetId"])

    def group(self, name: str, *rules: tuple[str, int, str]) -> str:
        """A security group that lets these out: protocol, port, range; not everything, as a new one would."""
        group = str(self.call("create_security_group", VpcId=self.id, GroupName=name, Description=name)["GroupId"])
        everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
        self.call("revoke_security_group_egress", GroupId=group, IpPermissions=everything)
        for rule in rules:
            self.allow(group, *rule)
        return group

    def allow(self, group: str, protocol: str, port: int, cidr: str) -> None:
        self.call("authorize_security_group_egress", GroupId=group, IpPermissions=[permission(protocol, port, cidr)])

    def forbid(self, group: str, protocol: str, port: int, cidr: str) -> None:
        self.call("revoke_security_group_egress", GroupId=group, IpPermissions=[permission(protocol, port, cidr)])

    def function(self, *groups: str, subnets: tuple[str, ...] = (), **settings: Any) -> str:
        config = {"SubnetIds": list(subnets or (self.subnet,)), "SecurityGroupIds": list(groups)}
        return self.functions.create(FUNCTION, VpcConfig=config, **settings)

    def run(self, name: str, code: str, /, **values: Any) -> Any:
        return self.functions.probe(code, function=name, **values)


def permission(protocol: str, port: int, cidr: str) -> dict[str, Any]:
    return {"IpProtocol": protocol, "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": cidr}]}
