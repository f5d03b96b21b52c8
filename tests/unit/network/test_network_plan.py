"""Plans travel as JSON, and what is no plan is refused: rules are made of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Interface
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingle.network.numbers import Numbers
from ingle.network.plan import Border, Interface, Route, Segment, Target, from_json, to_json
from unit.network.packets import entries, matches

PLAN = Interface(
    name="eni-1", network="vpc-1", subnet="subnet-1", hardware="02:00:00:00:00:01", device="br0",
    addresses=(IPv4Interface("10.0.0.4/24"), IPv6Interface("2001:db8::4/64")),
    routes=(
        Route(destination=IPv4Network("10.0.0.0/16"), target=Target.VPC),
        Route(destination=IPv4Network("10.9.0.0/16"), target=Target.VIA, via=IPv4Address("10.0.0.9")),
    ),
    neighbours=(Segment(name="subnet-2", device="eth1", address=IPv4Interface("10.0.1.3/24")),),
    resolver_address=IPv4Address("10.0.0.2"), name_server=IPv4Address("10.0.0.53"),
)  # fmt: skip


@given(st.lists(matches, max_size=3), st.lists(entries, max_size=3), st.lists(entries, max_size=3))
def test_a_plan_arrives_as_it_was_sent(allowed: Any, outbound: Any, inbound: Any) -> None:
    from dataclasses import replace

    border = Border(networks=(IPv4Network("10.0.9.0/24"),), inbound=tuple(outbound), outbound=tuple(inbound))
    plan = replace(
        PLAN, allowed=tuple(allowed), outbound=tuple(outbound), inbound=tuple(inbound), borders=(border, border)
    )
    assert from_json(json.loads(json.dumps(to_json(plan)))) == plan


def spoil(member: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda document: document.__setitem__(member, value)


@pytest.mark.parametrize(
    "change",
    [
        spoil("name", 'eni" drop'), spoil("subnet", "a b"), spoil("hardware", "02:00"), spoil("device", "br0; flush"),
        spoil("addresses", []), spoil("addresses", ["2001:db8::4/64"]), spoil("addresses", ["10.0.0.4/24; accept"]),
        spoil("allowed", [[["10.0.0.0/24"], 6, [5, 4], [None, None]]]),
        spoil("allowed", [[["x"], 6, None, [None, None]]]),
        spoil("allowed", [[["10.0.0.0/24"], 600, None, [None, None]]]), spoil("routes", [["10.0.0.0/8", "moon", None]]),
        spoil("borders", [[["x"], [], []]]), spoil("borders", [[]]),
        spoil("routes", [["10.0.0.0/8", "via", "2001:db8::1"]]), spoil("neighbours", [["s", 'e"', "10.0.0.3/24"]]),
        lambda document: document.pop("routes"),
    ],
)  # fmt: skip
def test_what_is_no_plan_is_refused(change: Callable[[dict[str, Any]], None]) -> None:
    document = to_json(PLAN)
    change(document)
    with pytest.raises(ValueError, match=r".+"):
        from_json(document)


def test_numbers_come_back_late() -> None:
    numbers = Numbers()
    first = numbers.take()
    numbers.give_back(first)
    assert first not in {numbers.take() for _ in range(1000)}


def test_numbers_end() -> None:
    numbers = Numbers()
    taken = {numbers.take() for _ in range(16382)}
    assert len(taken) == 16382
    with pytest.raises(OSError, match="no more links"):
        numbers.take()
    numbers.give_back(7)
    assert numbers.take() == 7
