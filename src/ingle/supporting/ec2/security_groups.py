"""Security groups. Their rules are in `security_rules`. Pure.

Source of the rules: "Security groups" in the VPC user guide.
"""

from __future__ import annotations

import re
from typing import Any

from ingle.domain.vpc import SecurityGroup, SecurityGroupRule, Vpc
from ingle.supporting.ec2 import permissions
from ingle.supporting.ec2.defaults import DEFAULT_GROUP, everything_out
from ingle.supporting.ec2.errors import Ec2Error, invalid_value, missing, wrong_value
from ingle.supporting.ec2.filters import TAGGED, Table, selected
from ingle.supporting.ec2.pages import chosen, page, tags_of
from ingle.supporting.ec2.scene import Decide, Outcome, Params, Scene
from ingle.supporting.ec2.tags import tags_for

_TEXT = re.compile(r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{1,255}")


def show(scene: Scene, group: SecurityGroup) -> dict[str, Any]:
    rules = scene.networks.rules(group.id)
    return {
        "GroupId": group.id,
        "GroupName": group.name,
        "Description": group.description,
        "OwnerId": group.account,
        "VpcId": group.vpc,
        "SecurityGroupArn": group.arn,
        "IpPermissions": permissions.shown(rule for rule in rules if not rule.egress),
        "IpPermissionsEgress": permissions.shown(rule for rule in rules if rule.egress),
        "Tags": tags_of(group),
    }


def _filters(scene: Scene) -> Table[SecurityGroup]:
    inbound = _rule_filters(scene, "ip-permission.", egress=False)
    outbound = _rule_filters(scene, "egress.ip-permission.", egress=True)
    own: Table[SecurityGroup] = {
        **TAGGED,
        "description": lambda group: [group.description],
        "group-id": lambda group: [group.id],
        "group-name": lambda group: [group.name],
        "vpc-id": lambda group: [group.vpc],
        "primary-vpc-id": lambda group: [group.vpc],
    }
    return {**own, **inbound, **outbound}


def _rule_filters(scene: Scene, prefix: str, *, egress: bool) -> Table[SecurityGroup]:
    def rules(group: SecurityGroup) -> list[SecurityGroupRule]:
        return [rule for rule in scene.networks.rules(group.id) if rule.egress == egress]

    def name_of(rule: SecurityGroupRule) -> str | None:
        found = scene.networks.get(SecurityGroup, rule.group)
        return None if found is None else found.name

    found: Table[SecurityGroup] = {
        "cidr": lambda group: [rule.cidr for rule in rules(group)],
        "from-port": lambda group: [rule.from_port for rule in rules(group)],
        "group-id": lambda group: [rule.group for rule in rules(group)],
        "group-name": lambda group: [name_of(rule) for rule in rules(group)],
        "ipv6-cidr": lambda group: [rule.cidr6 for rule in rules(group)],
        "prefix-list-id": lambda group: [rule.prefix_list for rule in rules(group)],
        "protocol": lambda group: [rule.protocol for rule in rules(group)],
        "to-port": lambda group: [rule.to_port for rule in rules(group)],
        "user-id": lambda group: [rule.group_account for rule in rules(group)],
    }
    return {f"{prefix}{name}": values_of for name, values_of in found.items()}


def describe(scene: Scene, params: Params) -> Outcome:
    """Names are of groups in the default VPC."""
    found = scene.mine(SecurityGroup)
    if params.get("GroupIds"):
        found = chosen(SecurityGroup, found, params["GroupIds"])
    if params.get("GroupNames"):
        named = [by_name(scene, name) for name in params["GroupNames"]]
        found = [group for group in found if group in named]
    found = selected(found, params, _filters(scene))
    return page("SecurityGroups", found, params, lambda group: group.id, lambda group: show(scene, group))


def for_vpc(scene: Scene, params: Params) -> Outcome:
    vpc = scene.find(Vpc, params["VpcId"])
    found = selected(scene.networks.in_vpc(SecurityGroup, vpc.id), params, _filters(scene))

    def shown(group: SecurityGroup) -> dict[str, Any]:
        return {
            "GroupId": group.id, "GroupName": group.name, "Description": group.description, "OwnerId": group.account,
            "PrimaryVpcId": group.vpc, "Tags": tags_of(group),
        }  # fmt: skip

    return page("SecurityGroupForVpcs", found, params, lambda group: group.id, shown)


def references(scene: Scene, params: Params) -> Outcome:
    """VPCs that are peered with the group's: there is no peering."""
    for identifier in params["GroupId"]:
        scene.find(SecurityGroup, identifier)
    return Outcome({"SecurityGroupReferenceSet": []})


def create(scene: Scene, params: Params) -> Outcome:
    name, description = params["GroupName"], params["Description"]
    vpc = scene.find(Vpc, params["VpcId"]) if "VpcId" in params else _default_vpc(scene)
    if name.lower() == DEFAULT_GROUP:
        raise Ec2Error("InvalidGroup.Reserved", f"The security group '{name}' is reserved")
    if not _TEXT.fullmatch(name) or name.startswith("sg-"):
        raise invalid_value(
            f"Value ({name}) for parameter GroupName is invalid. Group names may not be in the format sg-*, and have "
            "up to 255 characters from the following set: a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*"
        )
    if not _TEXT.fullmatch(description):
        raise wrong_value(description, "GroupDescription", "Character sets beyond ASCII are not supported.")
    if any(group.name == name for group in scene.networks.in_vpc(SecurityGroup, vpc.id)):
        raise Ec2Error("InvalidGroup.Duplicate", f"The security group '{name}' already exists for VPC '{vpc.id}'")
    group = SecurityGroup(
        **scene.place, id=scene.new_id(SecurityGroup.prefix), tags=tags_for(params, SecurityGroup), vpc=vpc.id,
        name=name, description=description,
    )  # fmt: skip
    answer = {"GroupId": group.id, "SecurityGroupArn": group.arn, "Tags": tags_of(group)}
    return Outcome(answer, put=[group, everything_out(scene, group)])


def delete(scene: Scene, params: Params) -> Outcome:
    group = addressed(scene, params)
    if group.name == DEFAULT_GROUP:
        raise Ec2Error(
            "CannotDelete", f'the specified group: "{group.id}" name: "{group.name}" cannot be deleted by a user'
        )
    networks = scene.networks
    others = (other for other in networks.in_vpc(SecurityGroup, group.vpc) if other.id != group.id)
    referenced = any(rule.group == group.id for other in others for rule in networks.rules(other.id))
    if referenced or networks.members(group.id):
        raise Ec2Error("DependencyViolation", f"resource {group.id} has a dependent object")
    return Outcome({"Return": True, "GroupId": group.id}, removed=[*networks.rules(group.id), group])


def addressed(scene: Scene, params: Params) -> SecurityGroup:
    """The group that a request is about: by its id, or by its name in the default VPC."""
    if "GroupId" in params:
        return scene.find(SecurityGroup, params["GroupId"])
    if "GroupName" not in params:
        raise missing("groupId")
    return by_name(scene, params["GroupName"])


def by_name(scene: Scene, name: str) -> SecurityGroup:
    vpc = scene.networks.default_vpc(scene.account, scene.region)
    groups = [] if vpc is None else scene.networks.in_vpc(SecurityGroup, vpc.id)
    found = next((group for group in groups if group.name == name), None)
    if found is None:
        where = "" if vpc is None else f" in default VPC '{vpc.id}'"
        raise Ec2Error("InvalidGroup.NotFound", f"The security group '{name}' does not exist{where}")
    return found


def _default_vpc(scene: Scene) -> Vpc:
    found = scene.networks.default_vpc(scene.account, scene.region)
    if found is None:
        raise Ec2Error("VPCIdNotSpecified", "No default VPC for this user")
    return found


OPERATIONS: dict[str, Decide] = {
    "CreateSecurityGroup": create,
    "DescribeSecurityGroups": describe,
    "DeleteSecurityGroup": delete,
    "GetSecurityGroupsForVpc": for_vpc,
    "DescribeSecurityGroupReferences": references,
}
