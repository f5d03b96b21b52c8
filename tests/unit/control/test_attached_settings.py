"""VpcConfig and FileSystemConfigs: what is refused, how they change, and how they are shown."""

from __future__ import annotations

from typing import Any

import pytest

from ingle.domain.errors import InvalidParameterValue
from ingle.domain.vpc import CidrAssociation, Ipv6Association, SecurityGroup, Subnet, Vpc
from recordings import assert_recorded, scenarios

VPC_ID = "vpc-0123456789abcdef0"
SUBNETS, GROUPS = ["subnet-0a1b", "subnet-2c"], ["sg-0a1B"]
VPC = {"SubnetIds": SUBNETS, "SecurityGroupIds": GROUPS}
NOWHERE: dict[str, Any] = {"SubnetIds": [], "SecurityGroupIds": []}
EFS = "arn:aws:elasticfilesystem:us-east-1:111111111111:access-point/fsap-0123456789abcdef0"
S3_FILES = f"arn:aws:s3files:us-east-1:111111111111:file-system/fs-{'0' * 17}/access-point/fsap-{'1' * 17}"
MOUNT = {"Arn": EFS, "LocalMountPath": "/mnt/data"}


PLACE: dict[str, Any] = {"account": "111111111111", "region": "us-east-1"}


@pytest.fixture(autouse=True)
def networks(plane: Any) -> None:
    """A VPC with all the subnets and groups of these tests, and their file systems."""
    plane.access_points |= {EFS, S3_FILES}
    names = [*SUBNETS, "subnet-1", "subnet-2", "subnet-9"]
    dual = (Ipv6Association(id="a", cidr="fd00::/64"),)
    plane.catalog.networks.apply(
        [
            Vpc(**PLACE, id=VPC_ID, cidrs=(CidrAssociation(id="c", cidr="10.0.0.0/16"),)),
            *(
                Subnet(**PLACE, id=name, vpc=VPC_ID, cidr=f"10.0.{number}.0/24", zone="us-east-1a", ipv6=dual)
                for number, name in enumerate(names)
            ),
            *(
                SecurityGroup(**PLACE, id=name, vpc=VPC_ID, name=name, description="d")
                for name in (*GROUPS, "sg-1", "sg-2", "sg-9")
            ),
        ]
    )


async def test_an_attached_function_shows_its_vpc_from_the_start(plane: Any) -> None:
    created = await plane.create(VpcConfig=VPC)
    assert created["VpcConfig"] == {**VPC, "VpcId": VPC_ID, "Ipv6AllowedForDualStack": False}


async def changed(plane: Any, first: dict[str, Any], *changes: dict[str, Any]) -> list[dict[str, Any]]:
    """The answers to the creation of a function and to changes of it."""
    async with plane.active(**first) as created:
        answers = [created]
        for change in changes:
            answers.append(await plane.call("UpdateFunctionConfiguration", FunctionName="F", **change))
            await plane.settle()
    return answers


async def test_other_subnets_are_in_the_same_vpc(plane: Any) -> None:
    other = {"SubnetIds": ["subnet-9"], "SecurityGroupIds": ["sg-9"], "Ipv6AllowedForDualStack": True}
    before, after, unrelated = await changed(plane, {"VpcConfig": VPC}, {"VpcConfig": other}, {"Timeout": 9})
    assert after["VpcConfig"] == {**other, "VpcId": before["VpcConfig"]["VpcId"]}
    assert unrelated["VpcConfig"] == after["VpcConfig"]


async def test_a_detached_function_keeps_the_empty_form(plane: Any) -> None:
    _, after, again = await changed(plane, {"VpcConfig": VPC}, {"VpcConfig": NOWHERE}, {"VpcConfig": NOWHERE})
    assert after["VpcConfig"] == {**NOWHERE, "VpcId": "", "Ipv6AllowedForDualStack": False}
    assert again["VpcConfig"] == after["VpcConfig"]


async def test_a_function_that_never_was_attached_has_no_such_member(plane: Any) -> None:
    _, after = await changed(plane, {}, {"VpcConfig": NOWHERE})
    assert "VpcConfig" not in after


async def test_file_systems_are_shown_and_end(plane: Any) -> None:
    direct = {"Arn": S3_FILES, "LocalMountPath": "/mnt/s3", "S3FilesConfig": {"DirectS3Read": "AUTO"}}
    created, other, ended = await changed(
        plane,
        {"VpcConfig": VPC, "FileSystemConfigs": [MOUNT]},
        {"FileSystemConfigs": [direct]},
        {"FileSystemConfigs": []},
    )
    assert created["FileSystemConfigs"] == [MOUNT]
    assert other["FileSystemConfigs"] == [direct]
    assert "FileSystemConfigs" not in ended


async def test_a_function_with_a_file_system_cannot_leave_its_vpc(plane: Any) -> None:
    async with plane.active(VpcConfig=VPC, FileSystemConfigs=[MOUNT]):
        with pytest.raises(InvalidParameterValue, match="must be configured to execute in a VPC"):
            await plane.call("UpdateFunctionConfiguration", FunctionName="F", VpcConfig=NOWHERE)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"VpcConfig": {"SubnetIds": SUBNETS}}, "SubnetIds and SecurityIds must coexist or be both empty list."),
    ({"VpcConfig": {"SecurityGroupIds": GROUPS}}, "SubnetIds and SecurityIds must coexist or be both empty list."),
    (
        {"FileSystemConfigs": [MOUNT]},
        f"Function must be configured to execute in a VPC to reference access point {EFS}.",
    ),
    (
        {"VpcConfig": VPC, "FileSystemConfigs": [{**MOUNT, "Arn": EFS.replace("us-east-1", "eu-west-1")}]},
        f"The access point {EFS.replace('us-east-1', 'eu-west-1')} is in another region than the function, which is in "
        "us-east-1.",
    ),
    (
        {"VpcConfig": VPC, "FileSystemConfigs": [{**MOUNT, "S3FilesConfig": {"DirectS3Read": "ENABLED"}}]},
        f"S3FilesConfig is not supported for the access point {EFS}.",
    ),
    (
        {"VpcConfig": VPC, "FileSystemConfigs": [MOUNT], "SnapStart": {"ApplyOn": "PublishedVersions"}},
        "EFS is not supported for SnapStart enabled functions.",
    ),
]


@pytest.mark.parametrize(("settings", "message"), REFUSED)
async def test_what_cannot_be(plane: Any, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidParameterValue) as raised:
        await plane.create(**settings)
    assert raised.value.message == message
    assert not plane.store.functions


async def test_an_access_point_has_to_be_known(plane: Any) -> None:
    plane.access_points.discard(EFS)
    with pytest.raises(InvalidParameterValue, match=f"The access point {EFS} does not exist."):
        await plane.create(VpcConfig=VPC, FileSystemConfigs=[MOUNT])
    async with plane.active(VpcConfig=VPC):
        with pytest.raises(InvalidParameterValue, match="does not exist"):
            await plane.call("UpdateFunctionConfiguration", FunctionName="F", FileSystemConfigs=[MOUNT])


async def test_the_recorded_life_of_an_attached_function(plane: Any) -> None:
    recorded = scenarios("functions")["test_vpc_config"]
    shown = recorded["create_response"]["CreateFunctionResponse"]["VpcConfig"]
    subnets = {"<subnet_id_1>": ["subnet-1"], "<subnet_id_2>": ["subnet-2"]}
    groups = {"<security_group_id_1>": ["sg-1"], "<security_group_id_2>": ["sg-2"]}

    def named(answer: dict[str, Any]) -> dict[str, Any]:
        """The recording with our ids for its placeholders."""
        configuration = answer.get("Configuration", answer.get("CreateFunctionResponse", answer))
        vpc = configuration["VpcConfig"]
        if vpc["SubnetIds"]:
            ours = {
                **vpc,
                "SubnetIds": subnets[vpc["SubnetIds"][0]],
                "SecurityGroupIds": groups[vpc["SecurityGroupIds"][0]],
            }
            configuration = {**configuration, "VpcConfig": {**ours, "VpcId": VPC_ID}}
        return {**answer, "Configuration": configuration} if "Configuration" in answer else configuration

    assert shown["SubnetIds"] == ["<subnet_id_1>"]
    settings: dict[str, Any] = {"MemorySize": 256, "Timeout": 5, "Environment": {"Variables": {}}}
    first = {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
    async with plane.activating():
        created = await plane.create(**settings, VpcConfig=first)
        assert_recorded(created, named(recorded["create_response"]))
        await plane.settle()
        assert_recorded(await plane.call("GetFunction", FunctionName="F"), named(recorded["get_function_response"]))
        second = {"SubnetIds": ["subnet-2"], "SecurityGroupIds": ["sg-2"]}
        for step, vpc in (("update_vpcconfig", second), ("delete_vpcconfig", NOWHERE)):
            updated = await plane.call("UpdateFunctionConfiguration", FunctionName="F", VpcConfig=vpc)
            assert_recorded(updated, named(recorded[f"{step}_update_response"]))
            await plane.settle()
            got = await plane.call("GetFunction", FunctionName="F")
            assert_recorded(got, named(recorded[f"{step}_get_function_response"]))
