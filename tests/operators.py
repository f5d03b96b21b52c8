"""Who changes functions and layers at random, and knows what became of it: one for each function, one for layers.

Each makes one request after another, so that what it has been told is the truth; a request without an answer leaves
candidates, of which `reconcile` finds the one that has come true.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from botocore.exceptions import ClientError

import churn
from churn import LATEST, Alias, Config, Function, Timelines, observed

LAYERS = ("la", "lb")
ALIASES = ("x", "y", "z")
ROLE = "arn:aws:iam::000000000000:role/r"
REFUSED_LAYER = "InvalidParameterValueException"
CONFLICT = "ResourceConflictException"


@dataclass
class World:
    """What the threads have in common."""

    seed: int
    #: Markers of packages, by SHA-256.
    codes: dict[str, str] = field(default_factory=dict)
    #: Layer versions, with their sizes.
    layers: dict[str, int] = field(default_factory=dict)
    operations: Counter[str] = field(default_factory=Counter)
    stop: threading.Event = field(default_factory=threading.Event)
    enough: threading.Event = field(default_factory=threading.Event)
    limit: int = 0

    def done(self, operation: str) -> None:
        self.operations[operation] += 1
        if self.operations.total() >= self.limit:
            self.enough.set()


class Operator:
    """Changes one function, one change after another, and knows what it has been told."""

    def __init__(self, world: World, name: str) -> None:
        self.world, self.name = world, name
        self.model = Function()
        #: What the function may be while an operation has no answer.
        self.candidates = (self.model,)
        self.timelines = Timelines()
        self.made = 0

    def begin(self, client: Any, generator: random.Random) -> None:
        self.client, self.random = client, generator

    # --- making requests ----------------------------------------------------------------------------------------------

    def ask(self, operation: str, *after: Function, refusals: tuple[str, ...] = (), **params: Any) -> Any:
        """What the call answers, or None if it is refused, which must be by one of `refusals`."""
        self.candidates = (self.model, *after)
        self.timelines.sending(self.model, after)
        try:
            answer = getattr(self.client, operation)(**params)
        except ClientError as error:
            if error.response["Error"]["Code"] not in refusals:
                raise
            self.settle(self.model)
            answer = None
        self.world.done(operation if answer is not None else f"{operation} refused")
        return answer

    def settle(self, function: Function) -> None:
        self.timelines.settled(function, self.candidates)
        self.model, self.candidates = function, (function,)

    def change(self, operation: str, after: Function, **params: Any) -> Any:
        """A change that has taken effect when it is answered."""
        answer = self.ask(operation, after, FunctionName=self.name, **params)
        if answer is not None:
            self.settle(after)
        return answer

    def wait(self, *qualifiers: str) -> None:
        for qualifier in (LATEST, *qualifiers):
            while True:
                found = self.client.get_function_configuration(FunctionName=self.name, Qualifier=qualifier)
                if found["State"] != "Pending" and found.get("LastUpdateStatus") != "InProgress":
                    break
            assert (found["State"], found["LastUpdateStatus"]) == ("Active", "Successful"), found

    def marker(self) -> str:
        self.made += 1
        return f"{self.name}-{self.made}"

    def new_code(self) -> tuple[str, bytes]:
        marker = self.marker()
        zip_bytes = churn.code(marker)
        self.world.codes[churn.sha256(zip_bytes)] = marker
        return marker, zip_bytes

    def layer(self) -> str | None:
        return self.random.choice([None, *self.world.layers])

    # --- operations ---------------------------------------------------------------------------------------------------

    def step(self) -> None:
        if self.model.latest is None:
            self.create()
        else:
            steps: dict[Callable[[], object], int] = {
                self.update_code: 4, self.update_configuration: 4, self.update_twice: 2, self.publish: 5,
                self.delete_version: 2, self.put_alias: 6, self.delete_alias: 1, self.reserve: 2, self.unreserve: 2,
                self.provision: 2, self.unprovision: 1, self.tag: 1, self.untag: 1, self.delete: 1,
            }  # fmt: skip
            self.random.choices(list(steps), list(steps.values()))[0]()

    def create(self) -> None:
        marker, zip_bytes = self.new_code()
        config, publish = Config(marker, self.marker(), self.layer()), self.random.random() < 0.5
        after = Function(latest=config)
        if publish:
            after, _ = after.published()
        if self.ask(
            "create_function", after, refusals=(REFUSED_LAYER,), FunctionName=self.name, Runtime="python3.11",
            Handler="app.handler", Role=ROLE, Code={"ZipFile": zip_bytes}, Publish=publish, **config.settings,
        ):  # fmt: skip
            self.wait(*after.versions)
            self.settle(after)

    def with_latest(self, **changes: Any) -> Function:
        assert self.model.latest is not None
        return replace(self.model, latest=replace(self.model.latest, **changes))

    def update_code(self) -> None:
        marker, zip_bytes = self.new_code()
        after, publish = self.with_latest(code=marker), self.random.random() < 0.3
        number = LATEST
        if publish:
            after, number = after.published()
        answer = self.ask("update_function_code", after, FunctionName=self.name, ZipFile=zip_bytes, Publish=publish)
        assert answer["Version"] == number
        self.wait(number)
        self.settle(after)

    def update_configuration(self) -> None:
        after = self.with_latest(word=self.marker(), layer=self.layer())
        assert after.latest is not None
        if self.ask(
            "update_function_configuration", after, refusals=(REFUSED_LAYER,), FunctionName=self.name,
            **after.latest.settings,
        ):  # fmt: skip
            self.wait()
            self.settle(after)

    def update_twice(self) -> None:
        """The second one comes while the first is in progress, or is one of its own."""
        first, second = self.with_latest(word=self.marker()), self.with_latest(word=self.marker())

        def update(function: Function) -> None:
            assert function.latest is not None
            environment = function.latest.settings["Environment"]
            self.client.update_function_configuration(FunctionName=self.name, Environment=environment)

        self.candidates = (self.model, first, second)
        self.timelines.sending(self.model, (first, second))
        update(first)
        try:
            update(second)
            after = second
        except self.client.exceptions.ResourceConflictException:
            after = first
        self.wait()
        self.settle(after)
        self.world.done(f"update_twice {'accepted' if after is second else 'refused'}")

    def publish(self) -> None:
        after, number = self.model.published()
        answer = self.ask("publish_version", after, FunctionName=self.name)
        assert answer["Version"] == number
        self.wait(number)
        self.settle(after)

    def delete_version(self) -> None:
        if not self.model.versions:
            return
        number = self.random.choice(sorted(self.model.versions))
        users = [alias for alias in self.model.aliases.values() if number in (alias.version, *(alias.other or ())[:1])]
        request = {"FunctionName": self.name, "Qualifier": number}
        if users:
            assert self.ask("delete_function", refusals=(CONFLICT,), **request) is None
        elif self.ask("delete_function", self.model.without_version(number), **request):
            self.settle(self.model.without_version(number))

    def put_alias(self) -> None:
        name = self.random.choice(ALIASES)
        versions = [LATEST, *self.model.versions]
        version, other = self.random.choice(versions), self.random.choice(versions)
        weight = self.random.choice([0.0, 0.3, 1.0])
        shared = LATEST not in (version, other) and version != other
        alias = Alias(version, (other, weight) if shared else None)
        after = replace(self.model, aliases={**self.model.aliases, name: alias})
        operation = "update_alias" if name in self.model.aliases else "create_alias"
        refusals = ("InvalidParameterValueException", CONFLICT) if self.model.provisioned else ()
        if self.ask(
            operation, after, refusals=refusals, FunctionName=self.name, Name=name, FunctionVersion=version,
            RoutingConfig={"AdditionalVersionWeights": {other: weight} if shared else {}},
        ):  # fmt: skip
            self.settle(after)

    def delete_alias(self) -> None:
        name = self.random.choice(ALIASES)
        self.change("delete_alias", self.model.without_alias(name), Name=name)

    def reserve(self) -> None:
        number = self.random.choice([1, 2, 5, 50])
        after = replace(self.model, reserved=number)
        refusals = ("InvalidParameterValueException",) if sum(self.model.provisioned.values()) > number else ()
        if self.ask(
            "put_function_concurrency", after, refusals=refusals, FunctionName=self.name,
            ReservedConcurrentExecutions=number,
        ):  # fmt: skip
            self.settle(after)

    def unreserve(self) -> None:
        self.change("delete_function_concurrency", replace(self.model, reserved=None))

    def provision(self) -> None:
        qualifiers = [*self.model.versions, *self.model.aliases]
        if not qualifiers:
            return
        qualifier, number = self.random.choice(qualifiers), self.random.choice([1, 2])
        after = replace(self.model, provisioned={**self.model.provisioned, qualifier: number})
        if self.ask(
            "put_provisioned_concurrency_config", after, refusals=("InvalidParameterValueException", CONFLICT),
            FunctionName=self.name, Qualifier=qualifier, ProvisionedConcurrentExecutions=number,
        ):  # fmt: skip
            self.settle(after)

    def unprovision(self) -> None:
        for qualifier in list(self.model.provisioned)[:1]:
            after = replace(self.model, provisioned=churn.without(self.model.provisioned, qualifier))
            self.change("delete_provisioned_concurrency_config", after, Qualifier=qualifier)

    def tag(self) -> None:
        tags = {self.random.choice("kl"): self.marker()}
        after = replace(self.model, tags={**self.model.tags, **tags})
        if self.ask("tag_resource", after, Resource=self.arn, Tags=tags):
            self.settle(after)

    def untag(self) -> None:
        after = replace(self.model, tags=churn.without(self.model.tags, "k"))
        if self.ask("untag_resource", after, Resource=self.arn, TagKeys=["k"]):
            self.settle(after)

    def delete(self) -> None:
        self.change("delete_function", Function())

    @property
    def arn(self) -> str:
        return f"arn:aws:lambda:us-east-1:000000000000:function:{self.name}"

    # --- after a crash ------------------------------------------------------------------------------------------------

    def reconcile(self, client: Any) -> None:
        """What was acknowledged is there; what had no answer is there as a whole, or not at all."""
        self.client = client
        found = observed(client, self.name, self.world.codes)
        assert found in self.candidates, (found, self.candidates)
        if found.latest is not None:
            self.wait(*found.versions)
        self.settle(self.candidates[self.candidates.index(found)])


class LayerOperator:
    """Publishes and deletes layer versions, also those that functions have. The operator of a function is its hand."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.published: Counter[str] = Counter()
        #: A layer version that is on its way, or on its way out.
        self.uncertain: str | None = None

    def begin(self, client: Any, generator: random.Random) -> None:
        self.client, self.random = client, generator

    def step(self) -> None:
        if len(self.world.layers) < 4:
            name = self.random.choice(LAYERS)
            number = self.published[name] + 1
            self.uncertain = marker = f"{name}:{number}"
            zip_bytes = churn.layer(marker)
            self.published[name] = number
            answer = self.client.publish_layer_version(LayerName=name, Content={"ZipFile": zip_bytes})
            assert answer["Version"] == number
            self.world.layers[marker] = len(zip_bytes)
        else:
            self.uncertain = marker = self.random.choice(sorted(self.world.layers))
            name, _, version = marker.partition(":")
            del self.world.layers[marker]
            self.client.delete_layer_version(LayerName=name, VersionNumber=int(version))
        self.uncertain = None
        self.world.done("layer")

    def reconcile(self, client: Any) -> None:
        found = {}
        for name in LAYERS:
            for entry in client.list_layer_versions(LayerName=name)["LayerVersions"]:
                marker = f"{name}:{entry['Version']}"
                found[marker] = len(churn.layer(marker))
        assert found.keys() ^ self.world.layers.keys() <= {self.uncertain}, (found, self.world.layers, self.uncertain)
        if self.uncertain is not None:
            name, _, number = self.uncertain.partition(":")
            # A number that was never given may be given; it may not be known whether this one was.
            if self.uncertain not in found and int(number) == self.published[name]:
                answer = client.publish_layer_version(LayerName=name, Content={"ZipFile": churn.layer("any")})
                assert answer["Version"] in (int(number), int(number) + 1)
                self.published[name] = answer["Version"]
                client.delete_layer_version(LayerName=name, VersionNumber=answer["Version"])
        self.world.layers.clear()
        self.world.layers.update(found)
        self.uncertain = None
