"""Execution roles: whether Lambda may assume a role, and the sessions that execution environments have of theirs.

A session is kept in memory and ends with its environment. Where nothing is verified roles need not exist: then a
session says which role it would be of, and no more. Called by `control` (a role is given to a function) and `worker`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ingle.catalog.identities import Identities, compiled
from ingle.domain.access import principals
from ingle.domain.access.document import Use
from ingle.domain.access.evaluation import Policies, Request, context_of, decide
from ingle.domain.arn import FunctionArn, partition_of
from ingle.domain.clock import Clock
from ingle.domain.credentials import Credentials
from ingle.domain.errors import AccessDenied, InvalidParameterValue
from ingle.domain.function import FunctionKey, Version
from ingle.domain.identity import Role, session_name
from ingle.supporting.credentials import principal_of
from ingle.supporting.sessions import Session, Sessions

#: For how long an environment's credentials are valid, in seconds. Environments are replaced before.
VALID = 12 * 3600
#: What is left when credentials that are asked for again are renewed.
_RENEWED_AT = VALID // 2
_LOGGING = ("logs:CreateLogStream", "logs:PutLogEvents")
_LAMBDA = "lambda.amazonaws.com"
_REFUSAL = "The role defined for the function cannot be assumed by Lambda."


@dataclass(slots=True)
class RoleSession:
    """The session of one environment; renewed when it is asked for late in its life. Call `end` when the environment is
    gone.
    """

    roles: ExecutionRoles
    version: Version
    role: Role
    current: Session = field(init=False)
    token: str = field(init=False)
    keys: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._renew()

    def credentials(self) -> Credentials:
        if self.current.expires - self.roles.clock.now() < _RENEWED_AT:
            self._renew()
        return Credentials(
            access_key_id=self.current.access_key_id, secret_access_key=self.current.secret, session_token=self.token,
            expires=self.current.expires * 1000,
        )  # fmt: skip

    def may_log(self) -> bool:
        """Whether the function may write its log. Without permission it runs and its lines are lost, as on AWS."""
        return self.roles.may_log(self.current, self.version)

    def end(self) -> None:
        """Idempotent."""
        for key in self.keys:
            self.roles.sessions.release(key)

    def _renew(self) -> None:
        key = self.version.key
        self.current = self.roles.sessions.begin(
            self.role, session_name(key.name), VALID, function_arn=str(FunctionArn.of(key))
        )
        self.token = self.roles.sessions.hold(self.current)
        self.keys.append(self.current.access_key_id)


class ExecutionRoles:
    """`enforced`: roles have to exist and to trust Lambda, and what they may not do is not done for them."""

    def __init__(self, identities: Identities, sessions: Sessions, clock: Clock, *, enforced: bool) -> None:
        self._identities = identities
        self._enforced = enforced
        self.sessions = sessions
        self.clock = clock

    def require_assumable(self, key: FunctionKey, arn: str) -> None:
        """Raise InvalidParameterValue for a role that cannot become a function's."""
        if self._enforced and self._assumable(key, arn) is None:
            raise InvalidParameterValue(_REFUSAL)

    def begin(self, version: Version) -> RoleSession:
        """A session for a new environment. Raises AccessDenied for a role that can no longer be assumed."""
        arn = version.configuration.role
        role = self._assumable(version.key, arn) if self._enforced else self._identities.role(arn)
        if role is None and self._enforced:
            raise AccessDenied(_REFUSAL)
        return RoleSession(self, version, role or _unknown(version.key, arn))

    def _assumable(self, key: FunctionKey, arn: str) -> Role | None:
        role = self._identities.role(arn)
        if role is None or role.account != key.account:
            return None
        values = {"aws:SourceArn": str(FunctionArn.of(key)), "aws:SourceAccount": key.account}
        request = Request(
            principal=principals.service(_LAMBDA), action="sts:AssumeRole", resource=role.arn, account=role.account,
            context=context_of(values),
        )  # fmt: skip
        return role if decide(request, Policies(), compiled(role.trust, Use.TRUST)).allowed else None

    def may_log(self, session: Session, version: Version) -> bool:
        key, group = version.key, version.configuration.logging.group
        arn = f"arn:{partition_of(key.region)}:logs:{key.region}:{key.account}:log-group:{group}:log-stream:"
        return all(self._allows(session, action, arn, key.account) for action in _LOGGING)

    def allows(self, key: FunctionKey, role_arn: str, action: str, resource: str) -> bool:
        """Whether the service may do something in the name of a function, whose role this is."""
        if not self._enforced:
            return True
        role = self._assumable(key, role_arn)
        if role is None:
            return False
        session = self.sessions.begin(role, session_name(key.name), VALID, function_arn=str(FunctionArn.of(key)))
        return self._allows(session, action, resource, key.account)

    def _allows(self, session: Session, action: str, resource: str, account: str) -> bool:
        """By the policies of the session's role alone: resource policies of other services are theirs to know."""
        if not self._enforced:
            return True
        role = self._identities.get(Role, session.account, session.role)
        if role is None or role.id != session.role_id:
            return False
        values = {"aws:PrincipalArn": session.role_arn, "lambda:SourceFunctionArn": session.function_arn or ""}
        request = Request(
            principal=principal_of(session), action=action, resource=resource, account=account,
            context=context_of(values),
        )  # fmt: skip
        return decide(request, self._identities.policies_of_role(role)).allowed


def _unknown(key: FunctionKey, arn: str) -> Role:
    """What is known of a role that is not there: its ARN."""
    parts = arn.split(":", 5)
    path, _, name = parts[5].removeprefix("role").rpartition("/")
    return Role(account=parts[4] or key.account, name=name, id="", created=0, path=f"{path}/", trust="")
