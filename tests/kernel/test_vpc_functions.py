"""Functions with VpcConfig, as users make them: real databases on a network of the machine, and what guards it."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from ingle.network import namespaces
from kernel.databases import start_postgresql, start_redis
from kernel.networks import (
    MACHINE,
    ON_BRIDGE,
    OWN,
    PUBLIC,
    NameServer,
    eventually,
    ip,
    kill,
    world,
)
from kernel.sandboxed import PROBE, running
from kernel.vpcs import DATABASE, FUNCTION, Vpc
from served import Server, refusal

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def vpc() -> Iterator[Vpc]:
    with world() as made, contextlib.ExitStack() as stack:
        start_postgresql(stack, made.private, DATABASE)
        start_redis(stack, made.private, DATABASE)
        made.listener(made.wide, PUBLIC, 443)
        yield Vpc(made.sandboxed(made.server()), made)


ASK = f"result = [tried(postgresql, '{DATABASE}', 'SELECT 6 * 7'), tried(redis, '{DATABASE}', 'PING')]"


def test_a_function_queries_real_databases(vpc: Vpc) -> None:
    group = vpc.group("both", ("tcp", 5432, "10.20.0.0/24"), ("tcp", 6379, "10.20.0.0/24"))
    name = vpc.function(group)
    assert vpc.run(name, ASK) == ["42", "+PONG"]
    address = f"result = postgresql('{DATABASE}', 'SELECT host(inet_client_addr())')"
    interfaces = vpc.call("describe_network_interfaces", Filters=[{"Name": "group-id", "Values": [group]}])
    assert vpc.run(name, address) == interfaces["NetworkInterfaces"][0]["PrivateIpAddress"]


def test_a_function_whose_group_does_not_allow_it_cannot(vpc: Vpc) -> None:
    name = vpc.function(vpc.group("redis only", ("tcp", 6379, f"{DATABASE}/32")))
    assert vpc.run(name, ASK) == ["nothing", "+PONG"]
    nothing = vpc.function(vpc.group("nothing"))
    assert vpc.run(nothing, ASK) == ["nothing", "nothing"]


def test_the_list_of_the_databases_subnet_decides_about_functions_of_another(vpc: Vpc) -> None:
    subnet = vpc.new_subnet("10.20.9.0/24")
    name = vpc.function(vpc.group("elsewhere", ("tcp", 6379, "10.20.0.0/24")), subnets=(subnet,))
    assert vpc.run(name, f"result = tried(redis, '{DATABASE}', 'PING')") == "+PONG"
    made = vpc.call("create_network_acl", VpcId=vpc.id)["NetworkAcl"]["NetworkAclId"]
    refused = {"NetworkAclId": made, "RuleNumber": 10, "Egress": False}
    for egress in (True, False):
        vpc.call(
            "create_network_acl_entry", NetworkAclId=made, RuleNumber=100, Egress=egress, Protocol="-1",
            RuleAction="allow", CidrBlock="0.0.0.0/0",
        )  # fmt: skip
    vpc.call(
        "create_network_acl_entry", **refused, Protocol="6", RuleAction="deny", CidrBlock="10.20.9.0/24",
        PortRange={"From": 6379, "To": 6379},
    )  # fmt: skip
    before = _replace_acl(vpc, made)
    assert vpc.run(name, PATIENT, wanted="nothing") == "nothing"
    vpc.call("delete_network_acl_entry", **refused)
    assert vpc.run(name, PATIENT, wanted="+PONG") == "+PONG"
    _replace_acl(vpc, before)
    vpc.call("delete_network_acl", NetworkAclId=made)


def _replace_acl(vpc: Vpc, wanted: str) -> str:
    """Have another network ACL decide about the subnet on the bridge; the one that did."""
    filters = [{"Name": "association.subnet-id", "Values": [vpc.subnet]}]
    (found,) = vpc.call("describe_network_acls", Filters=filters)["NetworkAcls"]
    (held,) = [each for each in found["Associations"] if each["SubnetId"] == vpc.subnet]
    vpc.call(
        "replace_network_acl_association", AssociationId=held["NetworkAclAssociationId"], NetworkAclId=wanted
    )  # fmt: skip
    return str(found["NetworkAclId"])


PATIENT = f"""
until = time.monotonic() + 10
while (result := tried(redis, '{DATABASE}', 'PING', 0.1)) != event["wanted"] and time.monotonic() < until:
    pass
"""


def test_a_change_of_rules_is_in_force_within_a_second(vpc: Vpc) -> None:
    group = vpc.group("changing")
    name = vpc.function(group)
    assert vpc.run(name, f"result = tried(redis, '{DATABASE}', 'PING', 0.2)") == "nothing"
    vpc.allow(group, "tcp", 6379, "10.20.0.0/24")
    assert vpc.run(name, PATIENT, wanted="+PONG") == "+PONG"
    vpc.forbid(group, "tcp", 6379, "10.20.0.0/24")
    assert vpc.run(name, PATIENT, wanted="nothing") == "nothing"


def test_a_connection_that_stays_allowed_goes_on(vpc: Vpc) -> None:
    group = vpc.group("kept", ("tcp", 6379, "10.20.0.0/24"))
    name = vpc.function(group)
    opened = f"kept['it'] = socket.create_connection(('{DATABASE}', 6379), 3); result = kept['it'].getsockname()[1]"
    port = vpc.run(name, opened)
    vpc.allow(group, "tcp", 5432, "10.20.0.0/24")
    vpc.allow(group, "tcp", 6379, f"{DATABASE}/32")
    vpc.forbid(group, "tcp", 6379, "10.20.0.0/24")
    again = "kept['it'].sendall(b'PING\\r\\n'); result = [kept['it'].recv(100).decode(), kept['it'].getsockname()[1]]"
    assert vpc.run(name, again) == ["+PONG\r\n", port]


def test_a_rule_about_a_group_is_about_the_addresses_of_its_members(vpc: Vpc) -> None:
    """A database on premises is in a group by an interface that is made for it."""
    databases = vpc.group("databases")
    clients = vpc.group("clients")
    pair = {"IpProtocol": "tcp", "FromPort": 6379, "ToPort": 6379, "UserIdGroupPairs": [{"GroupId": databases}]}
    vpc.call("authorize_security_group_egress", GroupId=clients, IpPermissions=[pair])
    name = vpc.function(clients)
    assert vpc.run(name, ASK) == ["nothing", "nothing"]
    stand_in = vpc.call(
        "create_network_interface", SubnetId=vpc.subnet, PrivateIpAddress=DATABASE, Groups=[databases]
    )["NetworkInterface"]["NetworkInterfaceId"]  # fmt: skip
    asked = f"result = tried(redis, '{DATABASE}', 'PING', 0.2)"
    eventually(lambda: vpc.run(name, asked), "+PONG")
    vpc.call("delete_network_interface", NetworkInterfaceId=stand_in)
    eventually(lambda: vpc.run(name, asked), "nothing")


def test_the_internet_is_reached_by_a_nat_gateway(vpc: Vpc) -> None:
    private, public = vpc.new_subnet("10.20.10.0/24"), vpc.new_subnet("10.20.11.0/24")
    group = vpc.group("out", ("tcp", 443, "0.0.0.0/0"))
    name = vpc.function(group, subnets=(private,))
    asked = f"result = tried(ask, '{PUBLIC}', 443)"
    assert vpc.run(name, asked) == "nothing"
    gateway = vpc.call("create_internet_gateway")["InternetGateway"]["InternetGatewayId"]
    vpc.call("attach_internet_gateway", InternetGatewayId=gateway, VpcId=vpc.id)
    tables = {}
    for subnet in (private, public):
        tables[subnet] = vpc.call("create_route_table", VpcId=vpc.id)["RouteTable"]["RouteTableId"]
        vpc.call("associate_route_table", RouteTableId=tables[subnet], SubnetId=subnet)
    everywhere = {"DestinationCidrBlock": "0.0.0.0/0"}
    vpc.call("create_route", RouteTableId=tables[public], GatewayId=gateway, **everywhere)
    allocation = vpc.call("allocate_address", Domain="vpc")["AllocationId"]
    nat = vpc.call("create_nat_gateway", SubnetId=public, AllocationId=allocation)["NatGateway"]["NatGatewayId"]
    vpc.call("create_route", RouteTableId=tables[private], NatGatewayId=nat, **everywhere)
    eventually(lambda: vpc.run(name, asked), MACHINE)
    # A subnet with a route to the internet gateway gives functions none: they have no public addresses.
    assert vpc.run(vpc.function(group, subnets=(public,)), asked) == "nothing"


def test_a_network_acl_decides_both_ways(vpc: Vpc) -> None:
    subnet = vpc.new_subnet("10.20.12.0/24")
    name = vpc.function(vpc.group("through a list", ("tcp", 6379, "10.20.0.0/24")), subnets=(subnet,))
    asked = f"result = tried(redis, '{DATABASE}', 'PING', 0.3)"
    assert vpc.run(name, asked) == "+PONG"
    acl = vpc.call("create_network_acl", VpcId=vpc.id)["NetworkAcl"]["NetworkAclId"]
    current = vpc.call("describe_network_acls", Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])
    (held,) = [
        item for item in current["NetworkAcls"][0]["Associations"] if item["SubnetId"] == subnet
    ]  # fmt: skip
    vpc.call("replace_network_acl_association", AssociationId=held["NetworkAclAssociationId"], NetworkAclId=acl)
    eventually(lambda: vpc.run(name, asked), "nothing")
    entry = {"NetworkAclId": acl, "RuleNumber": 100, "RuleAction": "allow", "CidrBlock": "0.0.0.0/0", "Protocol": "6"}
    vpc.call("create_network_acl_entry", Egress=True, PortRange={"From": 6379, "To": 6379}, **entry)
    assert vpc.run(name, asked) == "nothing"
    vpc.call("create_network_acl_entry", Egress=False, PortRange={"From": 1024, "To": 65535}, **entry)
    eventually(lambda: vpc.run(name, asked), "+PONG")


def test_a_function_that_scans_finds_nothing(vpc: Vpc) -> None:
    """With everything allowed and a way to the internet: the machine, its neighbours and other functions."""
    listening = vpc.function(vpc.group("listening", ("-1", -1, "0.0.0.0/0")))
    address = vpc.run(listening, LISTEN)
    everywhere = vpc.world.listener(vpc.world.machine, "0.0.0.0", 7777)
    server = int(vpc.functions.server.url.rsplit(":", 1)[1])
    scanning = vpc.function(vpc.group("scanning", ("-1", -1, "0.0.0.0/0")))
    interfaces = vpc.call("describe_network_interfaces")["NetworkInterfaces"]
    own = [found["PrivateIpAddress"] for found in interfaces if found["InterfaceType"] == "lambda"]
    places = [MACHINE, ON_BRIDGE, *OWN, address, *own, "169.254.169.254", "169.254.1.1", "169.254.32.1", "10.20.0.1"]
    code = """
from concurrent.futures import ThreadPoolExecutor
def knock(place):
    with socket.socket() as sock:
        sock.settimeout(1)
        return place if sock.connect_ex(tuple(place)) == 0 else None
with ThreadPoolExecutor(64) as pool:
    result = [found for found in pool.map(knock, event["places"]) if found]
"""
    knocked = [[place, port] for place in places for port in (22, 53, 80, 443, 4566, 5432, 7777, 9001, server)]
    assert vpc.run(scanning, code, places=knocked) == []
    assert not everywhere.heard


LISTEN = """
listener = socket.socket(); listener.bind(("0.0.0.0", 7777)); listener.listen()
kept["socket"] = listener
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
    sock.connect(("10.20.0.1", 9))
    result = sock.getsockname()[0]
"""


def test_a_listener_in_a_function_is_reached_by_nobody(vpc: Vpc) -> None:
    from kernel.agents import Place

    group = vpc.group("a listener", ("-1", -1, "0.0.0.0/0"))
    everyone = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    vpc.call("authorize_security_group_ingress", GroupId=group, IpPermissions=[everyone])
    name = vpc.function(group)
    vpc.run(name, LISTEN)
    (interface,) = vpc.call("describe_network_interfaces", Filters=[{"Name": "group-id", "Values": [group]}])[
        "NetworkInterfaces"
    ]
    for namespace in (vpc.world.private, vpc.world.machine):
        assert Place(namespace).ask(interface["PrivateIpAddress"], 7777, 0.3) in ("nothing", "EHOSTUNREACH")
    accepted = "kept['socket'].settimeout(0); result = attempt(kept['socket'].accept)"
    assert vpc.run(name, accepted) == "EAGAIN"


def test_names_and_ingles_api_are_there(vpc: Vpc) -> None:
    vpc.world.name_server()
    name = vpc.function(vpc.group("names"))
    asked = "result = attempt(socket.gethostbyname, event['name'])"
    eventually(lambda: vpc.run(name, asked, name=NameServer.NAME), NameServer.ADDRESS, seconds=45.0)
    code = """
import urllib.request
result = [os.environ["AWS_ENDPOINT_URL"]]
result.append(urllib.request.urlopen(result[0] + "/_ingle/health", timeout=3).status)
"""
    assert vpc.run(name, code) == ["http://169.254.100.1:4566", 200]
    vpc.call("modify_vpc_attribute", VpcId=vpc.id, EnableDnsSupport={"Value": False})
    resolved = "try:\n    result = socket.gethostbyname('other.example')\nexcept OSError as error:\n    result = 'none'"
    eventually(lambda: vpc.run(name, resolved), "none")
    vpc.call("modify_vpc_attribute", VpcId=vpc.id, EnableDnsSupport={"Value": True})
    eventually(lambda: vpc.run(name, asked, name=NameServer.NAME), NameServer.ADDRESS, seconds=45.0)


def test_a_restored_environment_is_in_the_network(vpc: Vpc) -> None:
    group = vpc.group("restored", ("tcp", 6379, "10.20.0.0/24"))
    name = vpc.function(group, Runtime="python3.12", SnapStart={"ApplyOn": "PublishedVersions"})
    with namespaces.inside(vpc.world.machine):
        version = vpc.functions.client.publish_version(FunctionName=name)["Version"]
        vpc.functions.client.get_waiter("published_version_active").wait(
            FunctionName=name, Qualifier=version, WaiterConfig={"Delay": 0.05, "MaxAttempts": 400}
        )
    asked = "result = [tried(redis, '10.20.0.50', 'PING'), tried(postgresql, '10.20.0.50', 'SELECT 1', 0.3)]"
    assert vpc.run(f"{name}:{version}", asked) == ["+PONG", "nothing"]


def test_ipv6_is_there_for_functions_that_are_allowed_it(vpc: Vpc) -> None:
    vpc.call("associate_vpc_cidr_block", VpcId=vpc.id, AmazonProvidedIpv6CidrBlock=True)
    (held,) = vpc.call("describe_vpcs", VpcIds=[vpc.id])["Vpcs"][0]["Ipv6CidrBlockAssociationSet"]
    network = next(ip_network(held["Ipv6CidrBlock"]).subnets(new_prefix=64))
    made = vpc.call("create_subnet", VpcId=vpc.id, CidrBlock="10.20.16.0/24", Ipv6CidrBlock=str(network))["Subnet"]
    vpc.ingle("network", "bind", made["SubnetId"], "br0")
    address = str(network[0x50])
    ip(vpc.world.private, f"addr add {address}/64 dev eth0 nodad")
    vpc.world.listener(vpc.world.private, address, 8443)
    group = vpc.group("six")
    allowed = {"IpProtocol": "tcp", "FromPort": 8443, "ToPort": 8443, "Ipv6Ranges": [{"CidrIpv6": str(network)}]}
    vpc.call("authorize_security_group_egress", GroupId=group, IpPermissions=[allowed])
    config = {"SubnetIds": [made["SubnetId"]], "SecurityGroupIds": [group]}
    with_it = vpc.functions.create(FUNCTION, VpcConfig={**config, "Ipv6AllowedForDualStack": True})
    without = vpc.functions.create(FUNCTION, VpcConfig=config)
    code = "result = [tried(ask, *place) for place in event['places']]"
    asked = {"places": [[address, 8443], [address, 22], ["fe80::1%eth0", 8443]]}
    found = vpc.run(with_it, code, **asked)
    assert ip_address(found[0]) in network
    assert found[1] == "nothing"
    assert found[2] in ("nothing", "EINVAL", "EHOSTUNREACH", "ENETUNREACH", "EACCES")
    assert vpc.run(without, code, **asked)[0] in ("ENETUNREACH", "EADDRNOTAVAIL", "EHOSTUNREACH")


def test_two_subnets_spread_environments(vpc: Vpc) -> None:
    second = vpc.new_subnet("10.20.13.0/24")
    group = vpc.group("spread", ("tcp", 5432, "10.20.0.0/24"))
    name = vpc.function(group, subnets=(vpc.subnet, second), Timeout=20)
    code = "time.sleep(0.5); result = postgresql('10.20.0.50', 'SELECT host(inet_client_addr())')"
    from concurrent.futures import ThreadPoolExecutor

    def run(_: int) -> Any:
        return vpc.run(name, code)

    with ThreadPoolExecutor(2) as pool:
        found = set(pool.map(run, range(2)))
    # From the other subnet they come over the router of the network.
    assert len(found) == 2
    assert "10.20.0.3" in found


def test_the_operator_sees_and_changes_what_is_attached_where(vpc: Vpc) -> None:
    subnet = vpc.new_subnet("10.20.14.0/24")
    group = vpc.group("shown", ("-1", -1, "0.0.0.0/0"))
    name = vpc.function(group, subnets=(subnet,))
    vpc.run(name, "result = None")
    shown = json.loads(vpc.ingle("network", "--json"))
    (interface,) = [item for item in shown["interfaces"] if item["subnet"] == subnet]
    assert (interface["environments"], interface["groups"], interface["problem"]) == (1, [group], None)
    assert subnet not in shown["bindings"]
    table = vpc.ingle("network")
    assert interface["interface"] in table
    assert "its own" in table
    vpc.ingle("network", "bind", subnet, "br0")
    assert json.loads(vpc.ingle("network", "--json"))["bindings"][subnet] == "br0"
    vpc.ingle("network", "unbind", subnet)
    assert subnet not in json.loads(vpc.ingle("network", "--json"))["bindings"]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("bind", "subnet-0", "br0"), "There is no subnet subnet-0."),
        (("bind", "SUBNET", "br9"), "This machine has no device br9."),
        (("bind", "SUBNET", "br0; drop"), "is no device's name"),
        (("unbind", "subnet-0"), "subnet-0 is not bound."),
    ],
)
def test_what_cannot_be_bound_is_told(vpc: Vpc, words: tuple[str, ...], reason: str) -> None:
    given = [vpc.subnet if word == "SUBNET" else word for word in words]
    with pytest.raises(subprocess.CalledProcessError) as raised:
        vpc.ingle("network", *given)
    assert reason in raised.value.stderr


def test_after_a_crash_everything_is_as_it_was(vpc: Vpc) -> None:
    group = vpc.group("durable", ("tcp", 6379, "10.20.0.0/24"))
    name = vpc.function(group)
    assert vpc.run(name, ASK) == ["nothing", "+PONG"]
    vpc.functions.server.kill()
    with namespaces.inside(vpc.world.machine):
        vpc.functions.server.start()
    vpc.functions.client = vpc.functions.server.client("lambda")
    vpc.ec2 = vpc.functions.server.client("ec2")
    assert vpc.run(name, ASK) == ["nothing", "+PONG"]


def test_private_networks_are_made_again_when_who_made_them_was_killed(vpc: Vpc) -> None:
    group = vpc.group("made again", ("tcp", 6379, "10.20.0.0/24"))
    names = [vpc.function(group), vpc.function(group, subnets=(vpc.new_subnet("10.20.15.0/24"),))]
    began = "result = [kept.setdefault('began', time.time()), tried(redis, event['to'], 'PING', 0.5)]"
    before = [vpc.run(name, began, to=DATABASE) for name in names]
    assert [answer for _, answer in before] == ["+PONG"] * 2
    kill(vpc.functions.server.process.pid, "networks")
    for name, wanted in zip(names, before, strict=True):

        def found(name: str = name) -> Any:
            return vpc.run(name, began, to=DATABASE)

        eventually(found, wanted)
        assert vpc.run(name, f"result = tried(postgresql, '{DATABASE}', 'SELECT 1', 0.3)") == "nothing"
    assert vpc.run(vpc.function(group), began, to=DATABASE)[1] == "+PONG"


def test_addresses_that_others_have_are_left_to_them() -> None:
    with world() as made:
        made.listener(made.private, DATABASE, 5432)
        ip(made.private, *(f"addr add 10.20.0.{number}/24 dev eth0" for number in (4, 5)))
        vpc = Vpc(made.sandboxed(made.server()), made)
        name = vpc.function(vpc.group("database", ("tcp", 5432, f"{DATABASE}/32")))
        assert vpc.run(name, f"result = ask('{DATABASE}', 5432)") == "10.20.0.6"
        (interface,) = json.loads(vpc.ingle("network", "--json"))["interfaces"]
        assert (interface["address"], interface["problem"]) == ("10.20.0.6", None)
        ip(made.private, "addr add 10.20.0.6/24 dev eth0")
        with namespaces.inside(made.private), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind(("10.20.0.6", 0))
            sock.sendto(b"?", ("10.20.0.222", 9))

        def problem() -> bool:
            return "10.20.0.6 is used by" in vpc.ingle("network")

        eventually(problem, True)


# --- where it cannot be enforced --------------------------------------------------------------------------------------


@pytest.fixture(params=["user", "process"])
def weak(request: Any) -> Callable[..., Any]:
    return lambda **settings: running(request.param, **settings)


def _attached(server: Server) -> tuple[Any, dict[str, Any]]:
    ec2, client = server.client("ec2"), server.client("lambda")
    subnet = ec2.describe_subnets()["Subnets"][0]
    groups = ec2.describe_security_groups()["SecurityGroups"]
    config = {"SubnetIds": [subnet["SubnetId"]], "SecurityGroupIds": [groups[0]["GroupId"]]}
    return client, {"VpcConfig": config}


def test_without_enforcement_functions_with_a_network_are_refused(weak: Callable[..., Any]) -> None:
    from served import package

    with weak() as server:
        client, settings = _attached(server)
        client.create_function(
            FunctionName="f", Runtime="python3.11", Handler="app.handler", Role="arn:aws:iam::000000000000:role/r",
            Code={"ZipFile": package({"app.py": PROBE})}, **settings,
        )  # fmt: skip
        until = time.monotonic() + 20
        while (found := client.get_function_configuration(FunctionName="f"))["State"] == "Pending":
            assert time.monotonic() < until
            time.sleep(0.02)
        assert found["State"] == "Failed"
        assert "cannot enforce security groups" in found["StateReason"]
        status, _, _ = refusal(client.invoke, FunctionName="f")
        assert status >= 400


def test_a_setting_accepts_that_nothing_is_enforced(weak: Callable[..., Any]) -> None:
    from served import create_function

    with weak(INGLE_UNENFORCED_VPC="true") as server:
        client, settings = _attached(server)
        create_function(client, "f", "def handler(event, context):\n    return 'ran'\n", **settings)
        assert json.loads(client.invoke(FunctionName="f")["Payload"].read()) == "ran"
