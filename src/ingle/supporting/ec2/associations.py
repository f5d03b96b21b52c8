"""What subnets are associated with: route tables and network ACLs, which hold their associations. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from ingle.domain.vpc import NetworkAcl, RouteTable
from ingle.supporting.ec2.errors import association_missing
from ingle.supporting.ec2.scene import Scene

Holder = TypeVar("Holder", RouteTable, NetworkAcl)


def holder_of(scene: Scene, kind: type[Holder], identifier: str) -> Holder:
    """What has the association with this id. Raises Ec2Error."""
    for holder in scene.mine(kind):
        if any(held.id == identifier for held in holder.associations):
            return holder
    raise association_missing(identifier)


def moved(before: Holder, after: Holder, identifier: str, new: str) -> list[Holder]:
    """`before` without an association that it has, and `after` with that under the id `new`. They may be the same."""
    gone = next(held for held in before.associations if held.id == identifier)
    without: Holder = replace(before, associations=tuple(held for held in before.associations if held is not gone))
    holder: Holder = without if after.id == before.id else after
    holding = replace(holder, associations=(*holder.associations, replace(gone, id=new)))
    return [holding] if holder is without else [without, holding]
