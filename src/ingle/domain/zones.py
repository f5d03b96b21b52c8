"""Availability zones, as far as a server that is all in one place has them."""

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
