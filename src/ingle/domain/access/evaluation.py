"""All policies together: whether a request is allowed, and if not, why not.

Explicit denies come first. Within an account, the policies of the identity or that of the resource have to allow;
boundaries and session policies only limit. Across accounts both sides have to allow. Source: "Policy evaluation logic".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from ingle.domain.access.document import Document
from ingle.domain.access.principals import Kind, Principal, Reach


class Source(Enum):
    """Which kind of policy decided, in the words of AWS's refusals."""

    IDENTITY = "identity-based policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"
    RESOURCE = "resource-based policy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """What limits and what entitles an identity. `boundary` and `session`: None means that there is no such limit.

    `unlimited`: the root of an account, who needs no policies for what is the account's.
    """

    identity: tuple[Document, ...] = ()
    boundary: Document | None = None
    session: tuple[Document, ...] | None = None
    unlimited: bool = False


class Context:
    """What a request says for condition keys, computed when it is first asked for.

    `consulted` tells whether it was: a decision for which it was not is the same for every such request.
    """

    __slots__ = ("_make", "_values", "consulted")

    def __init__(self, make: Callable[[], Mapping[str, tuple[str, ...]]]) -> None:
        self._make = make
        self._values: Mapping[str, tuple[str, ...]] | None = None
        self.consulted = False

    def lookup(self, key: str) -> tuple[str, ...] | None:
        self.consulted = True
        if self._values is None:
            self._values = self._make()
        return self._values.get(key)


def context_of(values: Mapping[str, str | tuple[str, ...]]) -> Context:
    """A context of known values, by keys in any case."""
    lowered = {key.lower(): (value,) if isinstance(value, str) else value for key, value in values.items()}
    return Context(lambda: lowered)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Who asks for what. `action` is `service:Name` as it is documented; `resource` an ARN or `*`, or None where it is
    not known which.

    `account`: whose the resource is.
    """

    principal: Principal
    action: str
    resource: str | None
    account: str
    context: Context = field(default_factory=lambda: context_of({}))


@dataclass(frozen=True, slots=True)
class Decision:
    """`source`: what denied, or what did not allow. `explicit`: a statement denies it.

    `by`: the policy and the statement in it that allow, or deny explicitly; empty for the root of an account.
    """

    allowed: bool
    source: Source | None = None
    explicit: bool = False
    by: tuple[str, str] | None = None

    def reason(self, action: str) -> str:
        """The end of AWS's refusal."""
        assert self.source is not None
        if self.explicit:
            article = "an" if self.source is Source.IDENTITY else "a"
            return f"with an explicit deny in {article} {self.source.value}"
        return f"because no {self.source.value} allows the {action} action"


ALLOWED = Decision(True)


def decide(
    request: Request, policies: Policies, resource_policy: Document | None = None, *, governs: bool = False
) -> Decision:
    """The decision on a request.

    `resource_policy` is the policy of the resource, if it has one. `governs`: nothing is allowed without it, even
    within the account, as with the trust policy of a role.
    """
    denied = _denied(request, policies, resource_policy)
    if denied is not None:
        return denied
    reach, by = (Reach.NOT, None) if resource_policy is None else _granted(request, resource_policy)
    principal = request.principal
    if principal.kind in (Kind.SERVICE, Kind.ANONYMOUS):
        return Decision(True, by=by) if reach is not Reach.NOT else Decision(False, Source.RESOURCE)
    same = principal.account == request.account
    if reach is Reach.NOT and (governs or not same):
        own = ALLOWED if same else _identity_side(request, policies)
        return Decision(False, Source.RESOURCE) if own.allowed else own
    if same and reach is Reach.DIRECT:
        return Decision(True, by=by)
    if same and reach is Reach.ROLE:
        return _within_limits(request, policies, by)
    return _identity_side(request, policies)


def _sources(policies: Policies) -> Iterable[tuple[Source, tuple[Document, ...]]]:
    yield Source.IDENTITY, policies.identity
    if policies.boundary is not None:
        yield Source.BOUNDARY, (policies.boundary,)
    if policies.session is not None:
        yield Source.SESSION, policies.session


def _denied(request: Request, policies: Policies, resource_policy: Document | None) -> Decision | None:
    action, resource, lookup = request.action.lower(), request.resource, request.context.lookup
    for source, documents in _sources(policies):
        for document in documents:
            for statement in document.denies:
                if statement.applies(action, resource, lookup):
                    return Decision(False, source, explicit=True, by=(document.name, statement.label))
    if resource_policy is None:
        return None
    for statement in resource_policy.denies:
        if statement.reach(request.principal) and statement.applies(action, resource, lookup):
            return Decision(False, Source.RESOURCE, explicit=True, by=(resource_policy.name, statement.label))
    return None


def _granted(request: Request, resource_policy: Document) -> tuple[Reach, tuple[str, str] | None]:
    """How directly the policy of the resource allows the request, and by which statement."""
    action, resource, lookup = request.action.lower(), request.resource, request.context.lookup
    best, by = Reach.NOT, None
    for statement in resource_policy.allows:
        reach = statement.reach(request.principal)
        if reach > best and statement.applies(action, resource, lookup):
            best, by = reach, (resource_policy.name, statement.label)
    return best, by


def _allowing(request: Request, documents: Iterable[Document]) -> tuple[str, str] | None:
    action, resource, lookup = request.action.lower(), request.resource, request.context.lookup
    for document in documents:
        for statement in document.allows:
            if statement.applies(action, resource, lookup):
                return document.name, statement.label
    return None


def _within_limits(request: Request, policies: Policies, by: tuple[str, str] | None) -> Decision:
    if policies.boundary is not None and _allowing(request, (policies.boundary,)) is None:
        return Decision(False, Source.BOUNDARY)
    if policies.session is not None and _allowing(request, policies.session) is None:
        return Decision(False, Source.SESSION)
    return Decision(True, by=by)


def _identity_side(request: Request, policies: Policies) -> Decision:
    by = None
    if not policies.unlimited:
        by = _allowing(request, policies.identity)
        if by is None:
            return Decision(False, Source.IDENTITY)
    return _within_limits(request, policies, by)
