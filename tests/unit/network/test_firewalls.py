"""Rule sets of others that refuse what is forwarded, and what is said to them."""

from __future__ import annotations

import shlex
from dataclasses import replace

from ingle.network.firewalls import Keeper, Refusal, commands, legacy_refusals, refusals


def table(name: str, *chains: str, family: str = "ip") -> str:
    """As nft lists it."""
    return f"table {family} {name} {{\n" + "\n".join(chains) + "}\n"


def chain(name: str, *lines: str) -> str:
    return f"\tchain {name} {{\n" + "".join(f"\t\t{line}\n" for line in lines) + "\t}\n"


DROPS = "type filter hook forward priority filter; policy drop;"
ACCEPTS = "type filter hook forward priority filter + 10; policy accept;"


def test_chains_that_drop_by_default_are_named() -> None:
    listing = (
        table("filter", chain("FORWARD", DROPS), chain("INPUT", DROPS.replace("forward", "input")), chain("EMPTY"))
        + table("nat", chain("forward", ACCEPTS))
        + table("ingle-0badcafe", chain("forward", DROPS))
        + table("ingle-0badcafe-owned", "\tflags owner\n", chain("forward", DROPS), family="inet")
        + table("filter", chain("FORWARD", DROPS), family="ip6")
    )
    (refusal,) = refusals(listing)
    assert str(refusal) == "table ip filter, chain FORWARD"
    assert refusal.keepers == (Keeper.OTHER,)
    assert refusals("") == []


def test_a_chain_that_ends_with_a_refusal_of_everything_is_one() -> None:
    for ending in ("reject with icmpx admin-prohibited", "counter packets 3 bytes 180 drop", "drop"):
        lines = (ACCEPTS, 'iifname "lo" accept', ending)
        (refusal,) = refusals(table("firewalld", chain("filter_FORWARD", *lines), family="inet"))
        assert str(refusal) == "table inet firewalld, chain filter_FORWARD (firewalld)"
    for ending in ('iifname "eth7" drop', "accept", "jump elsewhere"):
        assert refusals(table("firewalld", chain("filter_FORWARD", ACCEPTS, ending))) == []


def test_a_table_is_its_keepers_whose_chains_are_in_it() -> None:
    (refusal,) = refusals(
        table(
            "filter", "\tset of_theirs {\n\t\ttype ipv4_addr\n\t}\n", chain("FORWARD", DROPS),
            chain("DOCKER-USER", 'iifname "ingle-*" counter packets 0 bytes 0 accept', 'oifname != "eth9" accept'),
            chain("ufw-user-forward", 'oifname { "br0", "br1" } accept'),
        )
    )  # fmt: skip
    assert refusal.keepers == (Keeper.DOCKER, Keeper.UFW)
    assert [refusal.mentions(name) for name in ("ingle-0badcafe", "br0", "br1", "br10", "eth9")] == [
        True, True, True, False, False,
    ]  # fmt: skip


def test_rules_of_the_older_kind_are_read_as_they_are_listed() -> None:
    listing = "-P INPUT ACCEPT\n-P FORWARD DROP\n-N DOCKER-USER\n-A DOCKER-USER -i ingle-+ -j ACCEPT\n"
    (refusal,) = legacy_refusals(listing)
    assert refusal.keepers == (Keeper.DOCKER,)
    assert refusal.mentions("ingle-1")
    assert str(refusal) == "iptables-legacy, chain FORWARD (Docker)"
    assert legacy_refusals(listing.replace("FORWARD DROP", "FORWARD ACCEPT")) == []


REFUSAL = Refusal(family="ip", table="filter", chain="FORWARD", keepers=(Keeper.OTHER,))


def test_what_is_named_needs_no_command() -> None:
    refusal = replace(REFUSAL, named=frozenset(("ingle-1", "br0")))
    assert commands([refusal], "ingle-1", ["br0"]) == []
    assert commands([REFUSAL], None, []) == []
    assert commands([refusal], "ingle-2", []) == [
        "nft insert rule ip filter FORWARD iifname ingle-2 accept",
        "nft insert rule ip filter FORWARD oifname ingle-2 ct state established,related accept",
    ]


def test_each_keeper_is_spoken_to_in_its_own_words() -> None:
    for keeper in Keeper:
        for family in ("inet", "iptables-legacy"):
            held = replace(REFUSAL, family=family, keepers=(keeper,))
            first = {line.split()[0] for line in commands([held, held], "ingle-1", ["br0"])}
            program = "iptables-legacy" if family == "iptables-legacy" else "iptables"
            assert first == {
                Keeper.DOCKER: {program}, Keeper.UFW: {"ufw"}, Keeper.FIREWALLD: {"firewall-cmd", "sysctl"},
                Keeper.OTHER: {"nft"} if family == "inet" else {program},
            }[keeper]  # fmt: skip


def test_names_in_commands_are_words_for_the_shell_and_for_nft() -> None:
    for keeper in Keeper:
        for family in ("inet", "iptables-legacy"):
            held = replace(REFUSAL, family=family, table="a;b", chain="$(c)", keepers=(keeper,))
            for line in commands([held], "ingle-1", ["x;$(id)`", "9br@1"]):
                words = shlex.split(line)
                assert not {"a", "b", "x", ";"} & set(words)
                assert list(shlex.shlex(line, punctuation_chars=True)).count(";") == 0
    lines = commands([REFUSAL], None, ["9br@1", "br0"])
    assert [shlex.split(line)[7] for line in lines] == ['"9br@1"', "br0"]
