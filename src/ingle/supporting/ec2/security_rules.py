"""Rules of security groups: adding, changing and removing them. Pure.

Source of the rules: "Security group rules" in the VPC user guide. A group may have as many rules each way as AWS lets
one have at most.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ingle.domain.vpc import SecurityGroup, SecurityGroupRule
from ingle.supporting.ec2 import permissions, prefix_lists
from ingle.supporting.ec2.errors import Ec2Error, invalid_value, missing, not_found, not_together
from ingle.supporting.ec2.filters import Table
from ingle.supporting.ec2.pages import described, tags_of
from ingle.supporting.ec2.permissions import Permission
from ingle.supporting.ec2.ranges import ipv6_network_of, network_of
from ingle.supporting.ec2.scene import Decide, Outcome, Params, Scene, only_one
from ingle.supporting.ec2.security_groups import addressed
from ingle.supporting.ec2.tags import tags_for

MOST_RULES = 1000
_PEERS = ("CidrIpv4", "CidrIpv6", "PrefixListId", "ReferencedGroupId")


def show(scene: Scene, rule: SecurityGroupRule) -> dict[str, Any]:
    referenced = None
    if rule.group is not None:
        group = scene.networks.get(SecurityGroup, rule.group)
        referenced = {
            "GroupId": rule.group, "UserId": rule.group_account, "VpcId": None if group is None else group.vpc
        }  # fmt: skip
    return {
        "SecurityGroupRuleId": rule.id,
        "SecurityGroupRuleArn": rule.arn,
        "GroupId": rule.group_id,
        "GroupOwnerId": rule.account,
        "IsEgress": rule.egress,
        "IpProtocol": rule.protocol,
        "FromPort": rule.from_port,
        "ToPort": rule.to_port,
        "CidrIpv4": rule.cidr,
        "CidrIpv6": rule.cidr6,
        "PrefixListId": rule.prefix_list,
        "ReferencedGroupInfo": referenced,
        "Description": rule.description,
        "Tags": tags_of(rule) or [],
    }


_FILTERS: Table[SecurityGroupRule] = {
    "group-id": lambda rule: [rule.group_id],
    "security-group-rule-id": lambda rule: [rule.id],
    "tag-key": lambda rule: rule.tags,
}


def describe(scene: Scene, params: Params) -> Outcome:
    return described(
        scene, params, SecurityGroupRule, "SecurityGroupRules", lambda rule: show(scene, rule), _FILTERS,
        ids="SecurityGroupRuleIds",
    )  # fmt: skip


# --- adding and removing --------------------------------------------------------------------------------------------


def _authorize(scene: Scene, params: Params, *, egress: bool) -> Outcome:
    group = addressed(scene, params)
    there = _rules(scene, group, egress=egress)
    tags = tags_for(params, SecurityGroupRule)
    wanted = permissions.named(scene, params, group.vpc)
    by_meaning = _by_meaning(there)
    for permission in wanted:
        if permission.meaning in by_meaning:
            raise Ec2Error("InvalidPermission.Duplicate", f'the specified rule "{permission}" already exists')
    if len(there) + len(wanted) > MOST_RULES:
        raise Ec2Error(
            "RulesPerSecurityGroupLimitExceeded", "The maximum number of rules per security group has been reached."
        )
    made = [permission.rule(scene, group, egress=egress, tags=tags) for permission in wanted]
    return Outcome({"Return": True, "SecurityGroupRules": [show(scene, rule) for rule in made]}, put=made)


def _revoke(scene: Scene, params: Params, *, egress: bool) -> Outcome:
    group = addressed(scene, params)
    there = _rules(scene, group, egress=egress)
    if params.get("SecurityGroupRuleIds"):
        by_id = {rule.id: rule for rule in there}
        gone = [_identified(identifier, by_id) for identifier in dict.fromkeys(params["SecurityGroupRuleIds"])]
    else:
        by_meaning = _by_meaning(there)
        gone = [_match(permission, by_meaning) for permission in permissions.named(scene, params, group.vpc)]
    shown = [_revoked(rule) for rule in gone]
    return Outcome({"Return": True, "RevokedSecurityGroupRules": shown}, removed=gone)


def _revoked(rule: SecurityGroupRule) -> dict[str, Any]:
    return {
        "SecurityGroupRuleId": rule.id, "GroupId": rule.group_id, "IsEgress": rule.egress,
        "IpProtocol": rule.protocol, "FromPort": rule.from_port, "ToPort": rule.to_port, "CidrIpv4": rule.cidr,
        "CidrIpv6": rule.cidr6, "PrefixListId": rule.prefix_list, "ReferencedGroupId": rule.group,
        "Description": rule.description,
    }  # fmt: skip


def _rules(scene: Scene, group: SecurityGroup, *, egress: bool) -> list[SecurityGroupRule]:
    return [rule for rule in scene.networks.rules(group.id) if rule.egress == egress]


def _identified(identifier: str, by_id: Mapping[str, SecurityGroupRule]) -> SecurityGroupRule:
    if identifier not in by_id:
        raise not_found(SecurityGroupRule, identifier)
    return by_id[identifier]


def _by_meaning(there: Iterable[SecurityGroupRule]) -> dict[tuple[object, ...], SecurityGroupRule]:
    """For looking up: requests may name many thousands of permissions."""
    return {Permission.of(rule).meaning: rule for rule in there}


def _match(permission: Permission, there: Mapping[tuple[object, ...], SecurityGroupRule]) -> SecurityGroupRule:
    found = there.get(permission.meaning)
    if found is None:
        raise Ec2Error("InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
    return found


# --- changing -------------------------------------------------------------------------------------------------------


def modify(scene: Scene, params: Params) -> Outcome:
    """Rules keep their ids and their direction."""
    group = scene.find(SecurityGroup, params["GroupId"])
    there = {rule.id: rule for rule in scene.networks.rules(group.id)}
    after = dict(there)
    for update in params["SecurityGroupRules"]:
        identifier, wanted = update["SecurityGroupRuleId"], update.get("SecurityGroupRule")
        rule = _identified(identifier, there)
        if wanted is None:
            raise missing("securityGroupRule")
        after[identifier] = replace(rule, **_permission(scene, wanted, group).fields())
    counts = Counter(rule.meaning for rule in after.values())
    double = next((rule for rule in after.values() if counts[rule.meaning] > 1), None)
    if double is not None:
        raise Ec2Error("InvalidPermission.Duplicate", f'the specified rule "{Permission.of(double)}" already exists')
    return Outcome({"Return": True}, put=[rule for rule in after.values() if rule is not there[rule.id]])


def _permission(scene: Scene, wanted: Params, group: SecurityGroup) -> Permission:
    protocol, start, end = permissions.traffic(wanted.get("IpProtocol"), wanted.get("FromPort"), wanted.get("ToPort"))
    name = only_one(wanted, _PEERS, several="A rule has exactly one peer.", none="cidrIpv4")
    peer = wanted[name]
    found: dict[str, Any] = {"protocol": protocol, "from_port": start, "to_port": end}
    found["description"] = permissions.described(wanted.get("Description"))
    if name == "CidrIpv4":
        return Permission(**found, cidr=str(network_of(peer, "cidrIpv4")))
    if name == "CidrIpv6":
        return Permission(**found, cidr6=str(ipv6_network_of(peer, "cidrIpv6")))
    if name == "PrefixListId":
        return Permission(**found, prefix_list=prefix_lists.existing(scene, peer).id)
    referenced = permissions.referenced_group(scene, {"GroupId": peer}, group.vpc)
    return Permission(**found, group=referenced.id, group_account=referenced.account)


def _describe_rules(scene: Scene, params: Params, *, egress: bool) -> Outcome:
    """UpdateSecurityGroupRuleDescriptions: new descriptions, or none, for rules that are there."""
    group = addressed(scene, params)
    there = _rules(scene, group, egress=egress)
    given = params.get("SecurityGroupRuleDescriptions") or []
    if bool(given) == bool(params.get("IpPermissions")):
        raise not_together("Specify either ipPermissions or securityGroupRuleDescriptions.")
    changed: list[SecurityGroupRule] = []
    by_id = {rule.id: rule for rule in there}
    for item in given:
        if "SecurityGroupRuleId" not in item:
            raise missing("securityGroupRuleId")
        rule = _identified(item["SecurityGroupRuleId"], by_id)
        changed.append(replace(rule, description=permissions.described(item.get("Description"))))
    if not given:
        by_meaning = _by_meaning(there)
        for permission in permissions.named(scene, params, group.vpc):
            rule = _match(permission, by_meaning)
            changed.append(replace(rule, description=permission.description))
    if len({rule.id for rule in changed}) < len(changed):
        raise invalid_value("The same permission must not appear multiple times")
    return Outcome({"Return": True}, put=changed)


OPERATIONS: dict[str, Decide] = {
    "DescribeSecurityGroupRules": describe,
    "AuthorizeSecurityGroupIngress": lambda scene, params: _authorize(scene, params, egress=False),
    "AuthorizeSecurityGroupEgress": lambda scene, params: _authorize(scene, params, egress=True),
    "RevokeSecurityGroupIngress": lambda scene, params: _revoke(scene, params, egress=False),
    "RevokeSecurityGroupEgress": lambda scene, params: _revoke(scene, params, egress=True),
    "ModifySecurityGroupRules": modify,
    "UpdateSecurityGroupRuleDescriptionsIngress": lambda scene, params: _describe_rules(scene, params, egress=False),
    "UpdateSecurityGroupRuleDescriptionsEgress": lambda scene, params: _describe_rules(scene, params, egress=True),
}
