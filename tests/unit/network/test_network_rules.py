"""Rules mean what the lists mean that they are made from, and their text is for one family at a time."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface, ip_network

from hypothesis import given
from hypothesis import strategies as st

from ingle.network import rules
from ingle.network.plan import TCP, UDP, Entry, Interface, Match
from unit.network.packets import Packet, any_allows, entries, first_decides, matches, packets, rules_allow


@given(st.lists(matches, max_size=8), packets)
def test_what_any_match_describes_is_let_through_and_nothing_else(held: list[Match], packet: Packet) -> None:
    assert rules_allow(rules.allowing(held), packet) == any_allows(held, packet)


@given(st.lists(entries, max_size=8), packets)
def test_the_first_entry_that_matches_decides(held: list[Entry], packet: Packet) -> None:
    assert rules_allow(rules.deciding(held), packet) == first_decides(held, packet)


@given(st.lists(matches, max_size=8))
def test_sets_do_not_overlap(held: list[Match]) -> None:
    """Which nftables would refuse."""
    for rule in rules.allowing(held):
        for index, network in enumerate(rule.networks):
            assert not any(network.overlaps(other) for other in rule.networks[index + 1 :])


def test_fifty_rules_for_one_port_are_one() -> None:
    held = [Match(networks=(ip_network(f"10.0.{n}.7/32"),), protocol=TCP, ports=(5432, 5432)) for n in range(50)]
    assert len(rules.allowing(held)) == 1


def test_a_rule_reads_like_nftables() -> None:
    match = Match(networks=(ip_network("10.0.0.0/24"), ip_network("2001:db8::/64")), protocol=UDP, ports=(53, 60))
    four, six = rules.allowing([match])
    assert rules.text_of(four, "daddr") == "ip daddr { 10.0.0.0/24 } udp dport 53-60 accept"
    assert rules.text_of(six, "saddr") == "ip6 saddr { 2001:db8::/64 } udp dport 53-60 accept"
    anything = rules.deciding([Entry(match=Match(networks=(ip_network("0.0.0.0/0"),)), allow=False)])
    assert [rules.text_of(rule, "daddr") for rule in anything] == ["meta nfproto ipv4 drop"]


def test_a_change_keeps_chains_and_replaces_rules() -> None:
    """Connections are translated by what chains remember, so these are not made anew."""
    plan = Interface(
        name="eni-1", network="vpc-1", subnet="subnet-1", hardware="02:00:00:00:00:01",
        addresses=(IPv4Interface("10.0.0.4/24"),),
    )  # fmt: skip
    text = rules.of_interface(plan)
    assert "delete table" not in text
    assert text.index("flush table inet ingle") < text.index("snat ip to 10.0.0.4")


def test_a_machine_guards_what_it_forwards_for_ingle_alone() -> None:
    text = rules.of_host("ingle-1", "ingle-1-owned", "ingle-1", IPv4Address("169.254.32.1"), ["eth0", "br0"], ["br0"])
    assert 'iifname "eth0" oifname != { "ingle-*" } drop' in text
    assert 'iifname "br0" oifname != { "ingle-*", "br0" } drop' in text
