"""The decision on a request, remembered as long as it cannot change.

A decision for which no condition was consulted is the same for every request of this caller for this action on this
resource, until something in IAM or the resource's policy changes. Called by `dispatch`, once the signature is verified.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

from ingle.catalog.identities import Identities
from ingle.domain.access.authority import Authority
from ingle.domain.access.document import Document
from ingle.domain.access.evaluation import Context, Decision, Request, decide
from ingle.domain.caller import Caller
from ingle.domain.clock import Clock
from ingle.domain.errors import AccessDenied
from ingle.frontend.authorization.context import values_of
from ingle.frontend.authorization.needs import Need, NeedsOf

_REMEMBERED = 65_536
_Place = tuple[Authority, str, str | None, Document | None]


class Explained(NamedTuple):
    need: Need
    decision: Decision


class Authorizer:
    """`services`: what the operations of each service need; of others, the action of the operation on `*`."""

    def __init__(self, services: Mapping[str, NeedsOf], identities: Identities, clock: Clock) -> None:
        self._services = services
        self._clock = clock
        self._decisions: dict[_Place, Decision] = {}
        identities.subscribe(self._decisions.clear)

    def authorise(self, caller: Caller, service: str, operation: str, params: Mapping[str, Any]) -> Caller:
        """The caller as the operation shall see it: in the account of the resource, where that is another one.

        Raises AccessDenied, and for bad names what the operation itself would raise.
        """
        needs = self._needs(caller, service, operation, params)
        for need in needs:
            self.require(caller, need)
        return self._in_account(caller, service, operation, needs)

    def explain(self, caller: Caller, service: str, operation: str, params: Mapping[str, Any]) -> list[Explained]:
        """The decisions that `authorise` comes to, each with its need. Raises what the operation itself would raise."""
        if caller.authority is None:
            return []
        return self.explain_needs(caller, self._needs(caller, service, operation, params))

    def explain_needs(self, caller: Caller, needs: list[Need]) -> list[Explained]:
        assert caller.authority is not None, "who was not verified may everything"
        return [Explained(need, self._decided(caller, caller.authority, need)) for need in needs]

    def _needs(self, caller: Caller, service: str, operation: str, params: Mapping[str, Any]) -> list[Need]:
        needs_of = self._services.get(service)
        if needs_of is None:
            return [Need(action=f"{service}:{operation}", resource="*", account=caller.account)]
        return needs_of(caller, operation, params)

    @staticmethod
    def _in_account(caller: Caller, service: str, operation: str, needs: list[Need]) -> Caller:
        if service == "lambda" and needs and needs[0].account != caller.account and "Layer" not in operation:
            return replace(caller, account=needs[0].account)
        return caller

    def require(self, caller: Caller, need: Need) -> None:
        """Raise AccessDenied unless the need is allowed. A caller without authority, who was not verified, may all."""
        authority = caller.authority
        if authority is None:
            return
        decision = self._decided(caller, authority, need)
        if not decision.allowed:
            raise AccessDenied(
                need.denied
                or f"User: {authority.principal.arn} is not authorized to perform: {need.action} on resource: "
                f"{need.resource or '*'} {decision.reason(need.action)}"
            )

    def _decided(self, caller: Caller, authority: Authority, need: Need) -> Decision:
        place = authority, need.action, need.resource, need.policy
        return self._decisions.get(place) or self._decide(caller, authority, need, place)

    def _decide(self, caller: Caller, authority: Authority, need: Need, place: _Place) -> Decision:
        context = Context(lambda: values_of(caller, authority, need, self._clock.now()))
        request = Request(
            principal=authority.principal, action=need.action, resource=need.resource, account=need.account,
            context=context,
        )  # fmt: skip
        decision = decide(request, authority.policies, need.policy, governs=need.governs)
        if not context.consulted:
            if len(self._decisions) >= _REMEMBERED:
                self._decisions.clear()
            self._decisions[place] = decision
        return decision


class _Tags(Protocol):
    async def tag_resource(self, caller: Caller, params: dict[str, Any]) -> dict[str, Any]: ...

    async def untag_resource(self, caller: Caller, params: dict[str, Any]) -> dict[str, Any]: ...


class AuthorisedTags:
    """The tags of a service's resources, for the tagging API, which changes them in the caller's name."""

    def __init__(self, tags: _Tags, service: str, authorizer: Authorizer) -> None:
        self._tags = tags
        self._service = service
        self._authorizer = authorizer

    async def tag_resource(self, caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
        self._authorizer.authorise(caller, self._service, "TagResource", params)
        return await self._tags.tag_resource(caller, params)

    async def untag_resource(self, caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
        self._authorizer.authorise(caller, self._service, "UntagResource", params)
        return await self._tags.untag_resource(caller, params)
