"""Availability zones, as far as a server that is all in one place has them: their names and ids, in AWS's forms."""

from __future__ import annotations

_DIRECTIONS = {
    "central": "c",
    "east": "e",
    "gov": "g",
    "iso": "i",
    "isob": "ib",
    "north": "n",
    "northeast": "ne",
    "northwest": "nw",
    "south": "s",
    "southeast": "se",
    "southwest": "sw",
    "west": "w",
}


def zone_id(region: str, number: int = 1) -> str:
    """The id of a zone, in AWS's form: `use1-az1` of us-east-1, `apne1-az1` of ap-northeast-1."""
    continent, *directions = region.split("-")
    return f"{continent}{''.join(_DIRECTIONS.get(part, part) for part in directions)}-az{number}"


#: Regions whose zones are not a, b and c.
_LETTERS = {
    "us-east-1": "abcdef",
    "us-west-1": "ac",
    "us-west-2": "abcd",
    "ca-central-1": "abd",
    "ap-northeast-1": "acd",
    "ap-northeast-2": "abcd",
    "cn-north-1": "abd",
}


def zones(region: str) -> tuple[str, ...]:
    """The names of a region's zones: us-east-1a, ..."""
    return tuple(f"{region}{letter}" for letter in _LETTERS.get(region, "abc"))


def id_of_zone(region: str, zone: str) -> str:
    """The id of the zone that has a name, see `zones`."""
    return zone_id(region, zones(region).index(zone) + 1)
