"""The decision on a request, remembered as long as it cannot change.

A decision for which no condition was consulted is the same for every request of this caller for this action on this
resource, until something in IAM or the resource's policy changes. Called by `dispatch`, once the signature is verified.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

from ingle.catalog.identities import Identities
from ingle.domain.access.authority import Authority
from ingle.domain.access.document import Document
from ingle.domain.access.evaluation import ALLOWED, Context, Decision, Request, decide
from ingle.domain.caller import Caller
from ingle.domain.clock import Clock
from ingle.domain.errors import AccessDenied
from ingle.frontend.authorization.context import values_of
from ingle.frontend.authorization.needs import Need, NeedsOf

_REMEMBERED = 65_536
_Place = tuple[Authority, str, str | None, Document | None]


class Explained(NamedTuple):
    """What is decided about a need."""

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
        return self.admitted(caller, service, operation, self.explain(caller, service, operation, params))

    def explain(self, caller: Caller, service: str, operation: str, params: Mapping[str, Any]) -> list[Explained]:
        """What a request needs, and what is decided about it. Raises what the operation itself would, for bad names."""
        needs_of = self._services.get(service)
        if needs_of is None:
            needs = [Need(action=f"{service}:{operation}", resource="*", account=caller.account)]
        else:
            needs = needs_of(caller, operation, params)
        return self.explain_needs(caller, needs)

    def explain_needs(self, caller: Caller, needs: Iterable[Need]) -> list[Explained]:
        """A caller without authority, who was not verified, may everything."""
        return [Explained(need, self._decided(caller, need)) for need in needs]

    def admitted(self, caller: Caller, service: str, operation: str, explained: list[Explained]) -> Caller:
        """What `authorise` answers, of what `explain` found. Raises AccessDenied."""
        self.require(caller, explained)
        owner = explained[0].need.account if explained else caller.account
        if service == "lambda" and owner != caller.account and "Layer" not in operation:
            return replace(caller, account=owner)
        return caller

    @staticmethod
    def require(caller: Caller, explained: Iterable[Explained]) -> None:
        """Raise AccessDenied for the first need that is not allowed."""
        for need, decision in explained:
            if decision.allowed:
                continue
            assert caller.authority is not None, "who was not verified may everything"
            raise AccessDenied(
                need.denied
                or f"User: {caller.authority.principal.arn} is not authorized to perform: {need.action} on resource: "
                f"{need.resource or '*'} {decision.reason(need.action)}"
            )

    def _decided(self, caller: Caller, need: Need) -> Decision:
        authority = caller.authority
        if authority is None:
            return ALLOWED
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
