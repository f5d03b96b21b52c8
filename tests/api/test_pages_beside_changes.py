"""Pages of every list over the API, while items come and go: what is there all the time is listed exactly once.

`MaxItems` differs from page to page, and what changes between two pages is drawn.
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from served import Server, create_function, package, refusal, settle

SOURCE = "def handler(event, context):\n    return 1\n"
PUBLISHERS = {"SigningProfileVersionArns": ["arn:aws:signer:us-east-1:000000000000:/signing-profiles/p/abcdefghij"]}
ROLE = "arn:aws:iam::000000000000:role/r"
#: Names to come and go, in no order.
NAMES = ("m", "c", "z", "a", "t", "k", "e", "q")


class Listing(ABC):
    """One list operation and its items. Each has an account of its own, so that nothing else comes and goes in it."""

    operation: str
    member: str
    account: int

    def __init__(self, server: Server) -> None:
        self.client = server.client("lambda", account=f"{990000000000 + self.account}")
        self.present: set[str] = set()
        #: How the list shows what was last made for a name.
        self.made: dict[str, str] = {}
        self.set_up()

    def set_up(self) -> None:  # noqa: B027 - most lists need nothing
        pass

    @abstractmethod
    def add(self, name: str) -> str:
        """Make an item; how the list shows it."""

    @abstractmethod
    def drop(self, shown: str) -> None: ...

    @abstractmethod
    def shown(self, entry: Any) -> str: ...

    def params(self) -> dict[str, Any]:
        return {}

    def change(self, name: str) -> None:
        """One item more, or one less."""
        known = sorted(self.present)
        if len(known) > len(NAMES) or (len(known) > 2 and sum(name.encode()) % 2):
            gone = known[sum(name.encode()) % len(known)]
            self.drop(gone)
            self.present.discard(gone)
        elif self.made.get(name) not in self.present:
            self.made[name] = self.add(name)
            self.present.add(self.made[name])

    def page(self, size: int, marker: str | None) -> tuple[list[str], str | None]:
        params = self.params() | ({} if marker is None else {"Marker": marker})
        answer = getattr(self.client, self.operation)(MaxItems=size, **params)
        entries = answer[self.member]
        assert len(entries) <= size
        return [self.shown(entry) for entry in entries], answer.get("NextMarker")


class FunctionsListed(Listing):
    operation, member, account = "list_functions", "Functions", 1

    def add(self, name: str) -> str:
        # Names with what sorts before, between and behind letters.
        full = f"{name}-{name.upper()}_{name}"
        self.client.create_function(
            FunctionName=full, Runtime="python3.11", Handler="app.handler", Role=ROLE.replace("0" * 12, "9" * 12),
            Code={"ZipFile": package({"app.py": SOURCE})},
        )  # fmt: skip
        return full

    def drop(self, shown: str) -> None:
        self.client.delete_function(FunctionName=shown)

    def shown(self, entry: Any) -> str:
        return str(entry["FunctionName"])


class OfOneFunction(Listing):
    def set_up(self) -> None:
        create_function(self.client, "f", SOURCE)

    def params(self) -> dict[str, Any]:
        return {"FunctionName": "f"}


class VersionsListed(OfOneFunction):
    operation, member, account = "list_versions_by_function", "Versions", 2

    def set_up(self) -> None:
        super().set_up()
        self.counter = itertools.count()
        self.present = {"$LATEST"}
        # So many that they have one digit and two.
        for _ in range(9):
            self.present.add(self.add("any"))

    def add(self, name: str) -> str:
        self.client.update_function_configuration(FunctionName="f", Description=str(next(self.counter)))
        settle(self.client, "f")
        return str(self.client.publish_version(FunctionName="f")["Version"])

    def drop(self, shown: str) -> None:
        if shown != "$LATEST":
            self.client.delete_function(FunctionName="f", Qualifier=shown)

    def change(self, name: str) -> None:
        super().change(name)
        self.present.add("$LATEST")

    def shown(self, entry: Any) -> str:
        return str(entry["Version"])


class AllVersionsListed(VersionsListed):
    operation, member, account = "list_functions", "Functions", 3

    def set_up(self) -> None:
        super().set_up()
        for name in ("e", "g"):
            create_function(self.client, name, SOURCE)

    def params(self) -> dict[str, Any]:
        return {"FunctionVersion": "ALL"}

    def shown(self, entry: Any) -> str:
        return str(entry["Version"]) if entry["FunctionName"] == "f" else str(entry["FunctionArn"])

    def page(self, size: int, marker: str | None) -> tuple[list[str], str | None]:
        shown, marker = super().page(size, marker)
        return [item for item in shown if not item.startswith("arn:")], marker


class AliasesListed(OfOneFunction):
    operation, member, account = "list_aliases", "Aliases", 4

    def add(self, name: str) -> str:
        self.client.create_alias(FunctionName="f", Name=name, FunctionVersion="$LATEST")
        return name

    def drop(self, shown: str) -> None:
        self.client.delete_alias(FunctionName="f", Name=shown)

    def shown(self, entry: Any) -> str:
        return str(entry["Name"])


class LayersListed(Listing):
    operation, member, account = "list_layers", "Layers", 5

    def add(self, name: str) -> str:
        published = self.client.publish_layer_version(LayerName=name, Content={"ZipFile": package({"a": "b"})})
        self.numbers = {**getattr(self, "numbers", {}), name: published["Version"]}
        return name

    def drop(self, shown: str) -> None:
        self.client.delete_layer_version(LayerName=shown, VersionNumber=self.numbers[shown])

    def shown(self, entry: Any) -> str:
        return str(entry["LayerName"])


class LayerVersionsListed(Listing):
    operation, member, account = "list_layer_versions", "LayerVersions", 6

    def set_up(self) -> None:
        for _ in range(9):
            self.present.add(self.add("any"))

    def params(self) -> dict[str, Any]:
        return {"LayerName": "l"}

    def add(self, name: str) -> str:
        published = self.client.publish_layer_version(LayerName="l", Content={"ZipFile": package({"a": "b"})})
        return str(published["Version"])

    def drop(self, shown: str) -> None:
        self.client.delete_layer_version(LayerName="l", VersionNumber=int(shown))

    def shown(self, entry: Any) -> str:
        return str(entry["Version"])


class OfAliases(OfOneFunction):
    """Settings of the aliases of one function."""

    def set_up(self) -> None:
        super().set_up()
        for name in NAMES:
            self.client.create_alias(FunctionName="f", Name=name, FunctionVersion="$LATEST")

    def shown(self, entry: Any) -> str:
        return str(entry["FunctionArn"].rpartition(":")[2])


class EventInvokeConfigsListed(OfAliases):
    operation, member, account = "list_function_event_invoke_configs", "FunctionEventInvokeConfigs", 7

    def add(self, name: str) -> str:
        self.client.put_function_event_invoke_config(FunctionName="f", Qualifier=name, MaximumRetryAttempts=0)
        return name

    def drop(self, shown: str) -> None:
        self.client.delete_function_event_invoke_config(FunctionName="f", Qualifier=shown)


class UrlsListed(OfAliases):
    operation, member, account = "list_function_url_configs", "FunctionUrlConfigs", 8

    def add(self, name: str) -> str:
        self.client.create_function_url_config(FunctionName="f", Qualifier=name, AuthType="NONE")
        return name

    def drop(self, shown: str) -> None:
        self.client.delete_function_url_config(FunctionName="f", Qualifier=shown)


class ProvisionedListed(OfAliases):
    operation, member, account = "list_provisioned_concurrency_configs", "ProvisionedConcurrencyConfigs", 9

    def set_up(self) -> None:
        """An alias can be provisioned whose version has nothing provisioned by another name."""
        OfOneFunction.set_up(self)
        for name in NAMES:
            self.client.update_function_configuration(FunctionName="f", Description=name)
            settle(self.client, "f")
            version = self.client.publish_version(FunctionName="f")["Version"]
            self.client.create_alias(FunctionName="f", Name=name, FunctionVersion=version)

    def add(self, name: str) -> str:
        self.client.put_provisioned_concurrency_config(
            FunctionName="f", Qualifier=name, ProvisionedConcurrentExecutions=1
        )
        return name

    def drop(self, shown: str) -> None:
        self.client.delete_provisioned_concurrency_config(FunctionName="f", Qualifier=shown)


class SigningListed(Listing):
    operation, member, account = "list_code_signing_configs", "CodeSigningConfigs", 10

    def add(self, name: str) -> str:
        made = self.client.create_code_signing_config(AllowedPublishers=PUBLISHERS)
        return self.shown(made["CodeSigningConfig"])

    def drop(self, shown: str) -> None:
        self.client.delete_code_signing_config(CodeSigningConfigArn=shown)

    def shown(self, entry: Any) -> str:
        return str(entry["CodeSigningConfigArn"])


class SignedFunctionsListed(Listing):
    operation, member, account = "list_functions_by_code_signing_config", "FunctionArns", 11

    def set_up(self) -> None:
        made = self.client.create_code_signing_config(AllowedPublishers=PUBLISHERS)
        self.config = {"CodeSigningConfigArn": made["CodeSigningConfig"]["CodeSigningConfigArn"]}
        for name in NAMES:
            create_function(self.client, name, SOURCE)

    def params(self) -> dict[str, Any]:
        return self.config

    def add(self, name: str) -> str:
        self.client.put_function_code_signing_config(FunctionName=name, **self.config)
        return name

    def drop(self, shown: str) -> None:
        self.client.delete_function_code_signing_config(FunctionName=shown)

    def shown(self, entry: Any) -> str:
        return str(entry.rpartition(":")[2])


LISTINGS: list[Callable[[Server], Listing]] = [
    FunctionsListed, VersionsListed, AllVersionsListed, AliasesListed, LayersListed, LayerVersionsListed,
    EventInvokeConfigsListed, UrlsListed, ProvisionedListed, SigningListed, SignedFunctionsListed,
]  # fmt: skip


@pytest.fixture(scope="module", params=LISTINGS, ids=lambda kind: kind.operation)
def listing(request: pytest.FixtureRequest, server: Server) -> Any:
    made = request.param(server)
    yield made
    for function in made.client.list_functions()["Functions"]:
        made.client.delete_function(FunctionName=function["FunctionName"])


CHANGES = st.lists(st.sampled_from(NAMES), max_size=3)


@settings(
    max_examples=12, deadline=None, phases=[Phase.generate], database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(before=CHANGES, steps=st.lists(st.tuples(st.integers(1, 4), CHANGES), min_size=1, max_size=8))
def test_what_stays_is_listed_exactly_once(
    listing: Listing, before: list[str], steps: list[tuple[int, list[str]]]
) -> None:
    for name in before:
        listing.change(name)
    always, ever = set(listing.present), set(listing.present)
    found: list[str] = []
    marker = None
    for size, changes in itertools.chain(steps, itertools.repeat((3, []))):
        page, marker = listing.page(size, marker)
        found += page
        if marker is None:
            break
        for name in changes:
            listing.change(name)
            always &= listing.present
            ever |= listing.present
    assert always <= set(found) <= ever
    assert len(found) == len(set(found))
    again, _ = listing.page(50, None)
    assert sorted(again) == sorted(listing.present)
    # The order is the same, whichever pages it came in.
    both = [item for item in found if item in again]
    assert both == [item for item in again if item in found]


def test_bounds_and_markers(listing: Listing) -> None:
    listing.change("a")
    listing.change("c")
    _, marker = listing.page(1, None)
    call = getattr(listing.client, listing.operation)
    for bad in ("", "garbage", "bm90IGpzb24=", f"{marker}x", "[" * 100, "ü"):
        if bad == "":
            call(Marker=bad, **listing.params())  # the beginning
            continue
        assert refusal(call, Marker=bad, **listing.params())[:2] == (400, "InvalidParameterValueException"), bad
    meta = listing.client.meta
    request = meta.service_model.operation_model(meta.method_to_api_mapping[listing.operation]).input_shape
    maximum = request.members["MaxItems"].metadata["max"]
    assert refusal(call, MaxItems=maximum + 1, **listing.params())[:2] == (400, "ValidationException")
    assert len(call(MaxItems=maximum, **listing.params())[listing.member]) <= 50
