"""What Lambda's operations need. Source: "Actions, resources, and condition keys for AWS Lambda".

An operation that is not in the tables needs the action of its name on `*`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from ingle.catalog import Catalog
from ingle.control import layer_view
from ingle.domain.access.document import Document
from ingle.domain.arn import FunctionName, FunctionReference, partition_of, refer
from ingle.domain.caller import Caller
from ingle.domain.errors import AccessDenied
from ingle.domain.function import LATEST
from ingle.domain.layer import LayerKey, LayerName
from ingle.domain.policy import Policy
from ingle.domain.vpc import Subnet
from ingle.frontend.authorization.needs import Need, Values

Params = Mapping[str, Any]

#: Operations whose action has another name.
_ACTIONS: Mapping[str, tuple[str, ...]] = {
    "Invoke": ("InvokeFunction",),
    "InvokeWithResponseStream": ("InvokeFunction",),
    "InvokeAsync": ("InvokeAsync", "InvokeFunction"),
    "GetLayerVersionByArn": ("GetLayerVersion",),
    "PutResourcePolicy": ("PutResourcePolicy", "AddPermission", "RemovePermission"),
    "GetResourcePolicy": ("GetResourcePolicy", "GetPolicy"),
    "DeleteResourcePolicy": ("DeleteResourcePolicy", "RemovePermission"),
}
#: Operations that name a function and act on no particular resource all the same.
_ON_EVERYTHING = frozenset(("ListEventSourceMappings", "CreateEventSourceMapping", "ListLayers", "ListLayerVersions"))
#: Where the ARN of what is addressed stands.
_ARNS = ("Resource", "ResourceArn", "CodeSigningConfigArn", "DurableExecutionArn", "Arn")
_PASSED_TO = "lambda.amazonaws.com"
_REMEMBERED = 1024


class LambdaNeeds:
    """Reads resource policies from the catalog. `__call__` is a `needs.NeedsOf`."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def __call__(self, caller: Caller, operation: str, params: Params) -> list[Need]:
        actions = _ACTIONS.get(operation, (operation,))
        if "FunctionName" in params and operation not in _ON_EVERYTHING:
            found = self._on_function(caller, actions, params)
        elif "LayerName" in params and operation not in _ON_EVERYTHING:
            found = self._on_layer(caller, actions, params["LayerName"], params.get("VersionNumber"))
        elif operation == "GetLayerVersionByArn" and (name := LayerName.parse(params["Arn"])) is not None:
            found = self._on_layer(caller, actions, params["Arn"], name.version)
        else:
            found = [self._elsewhere(caller, action, params) for action in actions]
        if operation in ("CreateFunction", "UpdateFunctionConfiguration"):
            found += self._beside(caller, params, found[0].resource or "*")
        return found

    # --- functions --------------------------------------------------------------------------------------------------

    def _on_function(self, caller: Caller, actions: tuple[str, ...], params: Params) -> list[Need]:
        reference = _reference(caller, params, actions[0])
        policy = self._policy_of(reference)
        account, arn = reference.key.account, reference.arn
        return [
            Need(
                action=f"lambda:{action}", resource=arn, account=account, policy=policy,
                values=lambda: self._values(reference, params),
            )
            for action in actions
        ]  # fmt: skip

    def _policy_of(self, reference: FunctionReference) -> Document | None:
        function = self._catalog.get(reference.key)
        policy = None if function is None else function.attachments.get(Policy, reference.qualifier or LATEST)
        if policy is None or reference.qualifier == LATEST:
            return None
        return policy.document

    def _values(self, reference: FunctionReference, params: Params) -> Values:
        function = self._catalog.get(reference.key)
        values = _from_params(params)
        if "lambda:SubnetIds" in values:
            subnets = [self._catalog.networks.get(Subnet, identifier) for identifier in values["lambda:SubnetIds"]]
            values["lambda:VpcIds"] = tuple({subnet.vpc: None for subnet in subnets if subnet is not None})
        tags = {} if function is None or function.tags is None else function.tags
        return {**values, **{f"aws:ResourceTag/{key}": value for key, value in tags.items()}}

    def _beside(self, caller: Caller, params: Params, function_arn: str) -> list[Need]:
        """What goes with a function: its role, its layers, its tags."""
        found: list[Need] = []
        if "Role" in params:
            found.append(_pass_role(caller, params["Role"], function_arn))
        for arn in params.get("Layers") or ():
            name = LayerName.parse(arn)
            if name is not None and name.account is not None:
                found += self._on_layer(caller, ("GetLayerVersion",), arn, name.version)
        if params.get("Tags"):
            values = _from_params(params)
            found.append(
                Need(action="lambda:TagResource", resource=function_arn, account=caller.account, values=lambda: values)
            )
        return found

    # --- layers and the rest ----------------------------------------------------------------------------------------

    def _on_layer(self, caller: Caller, actions: tuple[str, ...], text: str, number: int | None) -> list[Need]:
        name = LayerName.parse(text)
        if name is None:
            return [self._elsewhere(caller, action, {"Arn": text}) for action in actions]
        key = LayerKey(account=name.account or caller.account, region=name.region or caller.region, name=name.name)
        arn = key.arn if number is None else f"{key.arn}:{number}"
        policy = None if number is None else self._layer_policy(key, number)
        return [Need(action=f"lambda:{action}", resource=arn, account=key.account, policy=policy) for action in actions]

    def _layer_policy(self, key: LayerKey, number: int) -> Document | None:
        layer = self._catalog.layers.get(key)
        version = None if layer is None else layer.versions.get(number)
        if version is None or not version.grants:
            return None
        return _compiled(layer_view.policy_of(version))

    def _elsewhere(self, caller: Caller, action: str, params: Params) -> Need:
        """On what an ARN names, and else on everything."""
        name = next((name for name in _ARNS if isinstance(params.get(name), str)), None)
        resource = "*" if name is None else params[name]
        values = _from_params(params)
        if "UUID" in params:
            resource = _own_arn(caller, "event-source-mapping", params["UUID"])
        elif "CapacityProviderName" in params:
            resource = _own_arn(caller, "capacity-provider", params["CapacityProviderName"])
        if "FunctionName" in params:
            unqualified = {key: value for key, value in params.items() if key != "Qualifier"}
            values = {**values, "lambda:FunctionArn": _reference(caller, unqualified, action).unqualified_arn}
        parts = resource.split(":", 6)
        policy = None
        if len(parts) == 7 and parts[5] == "function":
            policy = self._policy_of(_reference(caller, {"FunctionName": resource}, action))
        account = parts[4] if len(parts) > 5 and parts[4] else caller.account
        return Need(action=f"lambda:{action}", resource=resource, account=account, policy=policy, values=lambda: values)


@lru_cache(maxsize=_REMEMBERED)
def _compiled(text: str) -> Document:
    """The policy of a layer's version. One document for one text: decisions are remembered by the document."""
    return Document.of(json.loads(text)["Statement"], name="resource policy")


def _reference(caller: Caller, params: Params, action: str) -> FunctionReference:
    """What a request's FunctionName means, whoever's it is. Raises what `domain.arn.refer` raises."""
    name = params["FunctionName"]
    account = FunctionName.parse(name).account if ":" in name else None
    return refer(account or caller.account, caller.region, name, params.get("Qualifier"), action)


def _own_arn(caller: Caller, kind: str, name: str) -> str:
    return f"arn:{partition_of(caller.region)}:lambda:{caller.region}:{caller.account}:{kind}:{name}"


def _pass_role(caller: Caller, role: str, function_arn: str) -> Need:
    """Raises AccessDenied for a role of another account: no policy can allow that."""
    parts = role.split(":")
    account = parts[4] if len(parts) > 5 else caller.account
    if account != caller.account:
        raise AccessDenied("Cross-account pass role is not allowed.")
    values = {"iam:PassedToService": _PASSED_TO, "iam:AssociatedResourceArn": function_arn}
    return Need(action="iam:PassRole", resource=role, account=account, values=lambda: values)


def _from_params(params: Params) -> dict[str, str | tuple[str, ...]]:
    """The condition keys of Lambda that parameters speak of."""
    vpc = params.get("VpcConfig") or {}
    tags = params.get("Tags") or {}
    keys = params.get("TagKeys") or list(tags)
    single = {
        "lambda:FunctionUrlAuthType": params.get("AuthType", params.get("FunctionUrlAuthType")),
        "lambda:Principal": params.get("Principal"),
        "lambda:CodeSigningConfigArn": params.get("CodeSigningConfigArn"),
        **{f"aws:RequestTag/{key}": value for key, value in tags.items()},
    }
    several = {
        "lambda:Layer": params.get("Layers"),
        "lambda:SubnetIds": vpc.get("SubnetIds"),
        "lambda:SecurityGroupIds": vpc.get("SecurityGroupIds"),
        "aws:TagKeys": keys,
    }
    values: dict[str, str | tuple[str, ...]] = {key: str(value) for key, value in single.items() if value is not None}
    values.update({key: tuple(items) for key, items in several.items() if items})
    return values
