"""The part of STS that functions and those who work with them need: GetCallerIdentity and AssumeRole.

Whether the caller may assume a role is decided before, by the role's trust policy (`frontend.authorization`).
"""

from __future__ import annotations

from typing import Any

from ingle.catalog.identities import Identities
from ingle.domain.access.principals import Kind
from ingle.domain.caller import Caller
from ingle.domain.identity import Role
from ingle.supporting import iam_input
from ingle.supporting.iam_errors import IamAccessDenied, IamValidation, PackedPolicyTooLarge
from ingle.supporting.ports import Handler
from ingle.supporting.sessions import Session, Sessions

Params = dict[str, Any]

DEFAULT_SECONDS = 3600
#: Of sessions that are begun with the credentials of another session.
_CHAINED_SECONDS = 3600
#: Bytes that the policies and tags of a session may have, which PackedPolicySize is a share of.
_ROOM = 4096
_MOST_POLICY_ARNS = 10


class Sts:
    def __init__(self, identities: Identities, sessions: Sessions) -> None:
        self._identities = identities
        self._sessions = sessions

    def handlers(self) -> dict[str, Handler]:
        """By operation name."""
        return {"AssumeRole": self.assume_role, "GetCallerIdentity": self.get_caller_identity}

    async def get_caller_identity(self, caller: Caller, params: Params) -> Params:
        principal = caller.principal
        return {"UserId": principal.unique_id, "Account": principal.account, "Arn": principal.arn}

    async def assume_role(self, caller: Caller, params: Params) -> Params:
        role = self._role(caller, params["RoleArn"])
        if "SerialNumber" in params or "TokenCode" in params:
            raise IamAccessDenied("MultiFactorAuthentication failed with invalid MFA one time pass code.")
        seconds = _duration(caller, role, params)
        policies = self._policies(params, role.account)
        tags = iam_input.with_tags({}, params.get("Tags", ()))
        packed = _packed(policies, tags)
        session = self._sessions.begin(
            role, params["RoleSessionName"], seconds, policies=policies[0], policy_arns=policies[1], tags=tags,
            source_identity=params.get("SourceIdentity"),
        )  # fmt: skip
        answer: Params = {
            "Credentials": self._credentials(session),
            "AssumedRoleUser": {"AssumedRoleId": session.unique_id, "Arn": session.arn},
        }
        if packed:
            answer["PackedPolicySize"] = packed
        if session.source_identity:
            answer["SourceIdentity"] = session.source_identity
        return answer

    def _role(self, caller: Caller, arn: str) -> Role:
        """Raises IamAccessDenied: that a role is not there is not told either."""
        principal = caller.principal
        if caller.known_as is not None and principal.kind is Kind.ROOT:
            raise IamAccessDenied("Roles may not be assumed by root accounts.")
        role = self._identities.role(arn)
        if role is None:
            raise IamAccessDenied(
                f"User: {principal.arn} is not authorized to perform: sts:AssumeRole on resource: {arn}"
            )
        return role

    def _policies(self, params: Params, account: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The texts and the ARNs of session policies. Raises MalformedPolicyDocument, IamValidation, NoSuchEntity."""
        arns = tuple(item["arn"] for item in params.get("PolicyArns", ()) if "arn" in item)
        if len(arns) > _MOST_POLICY_ARNS:
            raise IamValidation(f"A session may have up to {_MOST_POLICY_ARNS} managed policies.")
        for arn in arns:
            iam_input.require_attachable(self._identities, arn, account)
        text = params.get("Policy")
        return () if text is None else (iam_input.checked_policy(text),), arns

    def _credentials(self, session: Session) -> Params:
        return {
            "AccessKeyId": session.access_key_id, "SecretAccessKey": session.secret,
            "SessionToken": self._sessions.token_of(session), "Expiration": session.expires,
        }  # fmt: skip


def _duration(caller: Caller, role: Role, params: Params) -> int:
    seconds: int = params.get("DurationSeconds", DEFAULT_SECONDS)
    chained = caller.principal.kind is Kind.ASSUMED_ROLE
    if chained and seconds > _CHAINED_SECONDS:
        raise IamValidation(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
        )
    if seconds > role.max_session:
        raise IamValidation("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
    return seconds


def _packed(policies: tuple[tuple[str, ...], tuple[str, ...]], tags: dict[str, str]) -> int:
    """Per cent of the room that is used, at least 1 for anything at all. Raises PackedPolicyTooLarge."""
    size = sum(len(text) for group in policies for text in group) + sum(len(k) + len(v) for k, v in tags.items())
    share = -(-size * 100 // _ROOM)
    if share > 100:
        raise PackedPolicyTooLarge(f"Packed size of session tags consumes {share}% of allotted space.")
    return share
