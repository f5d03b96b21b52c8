"""The resource policies of functions, versions and aliases: where they are kept, and what every change of one does.

Shared by the operations on statements (`control.permissions`) and on whole documents (`control.resource_policies`),
which change the same policies.
"""

from __future__ import annotations

from dataclasses import replace

from ingle.catalog.principal_names import PrincipalNames, UnknownPrincipal
from ingle.control import function_lookup
from ingle.control.function_records import FunctionRecords
from ingle.domain import lifecycle
from ingle.domain.arn import FunctionReference
from ingle.domain.clock import Ids
from ingle.domain.errors import InvalidParameterValue, PolicyLengthExceeded, PreconditionFailed, ResourceNotFound
from ingle.domain.function import LATEST, Function
from ingle.domain.policy import Policy

#: Bytes of a policy's JSON text.
MAX_POLICY = 20_480


class PolicyRecords:
    """Call the changing ones inside `records.exclusive(reference.key)`."""

    def __init__(self, records: FunctionRecords, ids: Ids, names: PrincipalNames | None = None) -> None:
        self.functions = records
        self._ids = ids
        self._names = names or PrincipalNames()

    def get(self, reference: FunctionReference) -> tuple[Policy, str] | None:
        """The policy of what is addressed and its RevisionId; None if there is none, or nothing to have one."""
        function = self.functions.get(reference.key)
        if function is None or reference.qualifier == LATEST:
            return None
        qualifier = qualifier_of(reference)
        policy, revision = function.attachments.get(Policy, qualifier), lifecycle.revision_of(function, qualifier)
        if policy is None or revision is None:
            return None
        shown = tuple(self._names.shown_statement(statement) for statement in policy.statements)
        return replace(policy, statements=shown), revision

    async def put(self, function: Function, qualifier: str, policy: Policy | None) -> str:
        """Makes `policy` that of a qualifier that exists; None removes. The new RevisionId of the qualifier.

        Raises PolicyLengthExceeded, and InvalidParameterValue for a user or role that there is not.
        """
        policy = None if policy is None else self._bound(policy)
        if policy is not None and policy.size > MAX_POLICY:
            raise PolicyLengthExceeded(
                f"The final policy size ({policy.size}) is bigger than the limit ({MAX_POLICY})."
            )
        attached = function.attachments
        attached = attached.without(Policy, qualifier) if policy is None else attached.having(qualifier, policy)
        revision = self._ids.uuid()
        changed = lifecycle.with_revision_of(replace(function, attachments=attached), qualifier, revision)
        await self.functions.save(changed)
        return revision

    def _bound(self, policy: Policy) -> Policy:
        """With principals by their unique ids, under which they are meant from now on."""
        try:
            return replace(policy, statements=tuple(map(self._names.bound_statement, policy.statements)))
        except UnknownPrincipal:
            raise InvalidParameterValue(
                "The provided principal was invalid. Please check the principal and try again."
            ) from None


def qualifier_of(reference: FunctionReference) -> str:
    """Where the policy of what is addressed is kept: that of the function itself at `$LATEST`."""
    return reference.qualifier or LATEST


def require_policies(reference: FunctionReference) -> None:
    """Raise InvalidParameterValue for `$LATEST` by name, which has no policy: the function has."""
    if reference.qualifier == LATEST:
        raise InvalidParameterValue("We currently do not support adding policies for $LATEST.")


def require_qualifier(function: Function, reference: FunctionReference) -> None:
    """Raise ResourceNotFound unless the version or alias that is addressed exists."""
    qualifier = reference.qualifier
    if qualifier is None or lifecycle.revision_of(function, qualifier) is not None:
        return
    if qualifier.isdecimal() or "$" in qualifier:
        raise function_lookup.not_found(reference.arn)
    raise ResourceNotFound(f"Cannot find alias arn: {reference.arn}")


def require_revision(function: Function, reference: FunctionReference, wanted: str | None, operation: str) -> None:
    """Raise PreconditionFailed if `wanted` is not the RevisionId of what is addressed.

    `operation` is what the text tells the caller to call.
    """
    if wanted not in (None, lifecycle.revision_of(function, qualifier_of(reference))):
        raise PreconditionFailed(
            "The Revision Id provided does not match the latest Revision Id. Call the "
            f"{operation} API to retrieve the latest Revision Id"
        )
