"""An account of its own for each test, so that each has a default network that nobody changed."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from served import Server

_ACCOUNTS = itertools.count(300000000001)


@pytest.fixture
def account() -> str:
    return str(next(_ACCOUNTS))


@pytest.fixture
def ec2(server: Server, account: str) -> Any:
    return server.client("ec2", account=account)


@pytest.fixture
def raw_ec2(server: Server, account: str) -> Any:
    """Sends whatever it is given."""
    return server.client("ec2", account=account, checking=False)


@pytest.fixture
def vpc(ec2: Any) -> str:
    """A VPC with the range 10.0.0.0/16."""
    identifier: str = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    return identifier


@pytest.fixture
def subnet(ec2: Any, vpc: str) -> str:
    """A subnet of `vpc` with the range 10.0.1.0/24."""
    identifier: str = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    return identifier


@pytest.fixture
def group(ec2: Any, vpc: str) -> str:
    """A security group in `vpc`."""
    identifier: str = ec2.create_security_group(VpcId=vpc, GroupName="own", Description="of a test")["GroupId"]
    return identifier
