"""Regions, availability zones, and what an account has. Pure.

The regions are those of AWS that are open to every account, and the caller's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ingle.domain.arn import partition_of
from ingle.domain.zones import id_of_zone, zones
from ingle.supporting.ec2.errors import invalid_value
from ingle.supporting.ec2.filters import Table, selected
from ingle.supporting.ec2.scene import Decide, Outcome, Params, Scene

_REGIONS = (
    "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2",
    "ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1", "us-east-1",
    "us-east-2", "us-west-1", "us-west-2",
)  # fmt: skip
_OPEN = "opt-in-not-required"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Region:
    name: str

    @property
    def endpoint(self) -> str:
        return f"ec2.{self.name}.amazonaws.com{'.cn' if partition_of(self.name) == 'aws-cn' else ''}"


_REGION_FILTERS: Table[_Region] = {
    "endpoint": lambda region: [region.endpoint],
    "opt-in-status": lambda region: [_OPEN],
    "region-name": lambda region: [region.name],
}


def describe_regions(scene: Scene, params: Params) -> Outcome:
    names = sorted({*_REGIONS, scene.region})
    for name in params.get("RegionNames") or []:
        if name not in names:
            raise invalid_value(f"Invalid region name: {name}")
    wanted = params.get("RegionNames") or names
    found = selected([_Region(name=name) for name in names if name in wanted], params, _REGION_FILTERS)
    shown = [{"RegionName": held.name, "Endpoint": held.endpoint, "OptInStatus": _OPEN} for held in found]
    return Outcome({"Regions": shown})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Zone:
    region: str
    name: str

    @property
    def id(self) -> str:
        return id_of_zone(self.region, self.name)

    @property
    def group(self) -> str:
        return f"{self.region}-zg-1"


_ZONE_FILTERS: Table[_Zone] = {
    "group-long-name": lambda zone: [f"{zone.region} 1"],
    "group-name": lambda zone: [zone.group],
    "message": lambda zone: [],
    "opt-in-status": lambda zone: [_OPEN],
    "parent-zone-id": lambda zone: [],
    "parent-zone-name": lambda zone: [],
    "region-name": lambda zone: [zone.region],
    "state": lambda zone: ["available"],
    "zone-id": lambda zone: [zone.id],
    "zone-name": lambda zone: [zone.name],
    "zone-type": lambda zone: ["availability-zone"],
}


def describe_zones(scene: Scene, params: Params) -> Outcome:
    found = [_Zone(region=scene.region, name=name) for name in zones(scene.region)]
    for member, key in (("ZoneNames", "name"), ("ZoneIds", "id")):
        wanted = params.get(member)
        if wanted:
            unknown = [text for text in wanted if text not in [getattr(zone, key) for zone in found]]
            if unknown:
                raise invalid_value(f"Invalid availability zone: [{unknown[0]}]")
            found = [zone for zone in found if getattr(zone, key) in wanted]
    return Outcome({"AvailabilityZones": [_show_zone(zone) for zone in selected(found, params, _ZONE_FILTERS)]})


def _show_zone(zone: _Zone) -> dict[str, Any]:
    return {
        "State": "available", "OptInStatus": _OPEN, "Messages": [], "RegionName": zone.region, "ZoneName": zone.name,
        "ZoneId": zone.id, "GroupName": zone.group, "NetworkBorderGroup": zone.region,
        "ZoneType": "availability-zone",
    }  # fmt: skip


def describe_account(scene: Scene, params: Params) -> Outcome:
    vpc = scene.networks.default_vpc(scene.account, scene.region)
    found = {"supported-platforms": "VPC", "default-vpc": "none" if vpc is None else vpc.id}
    wanted = params.get("AttributeNames") or found
    shown = [
        {"AttributeName": name, "AttributeValues": [{"AttributeValue": value}]}
        for name, value in found.items()
        if name in wanted
    ]
    return Outcome({"AccountAttributes": shown})


OPERATIONS: dict[str, Decide] = {
    "DescribeRegions": describe_regions,
    "DescribeAvailabilityZones": describe_zones,
    "DescribeAccountAttributes": describe_account,
}
