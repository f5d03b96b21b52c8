"""Who is calling, as the frontend established it from the request."""

from __future__ import annotations

from dataclasses import dataclass, field

from ingle.domain.access.authority import Authority
from ingle.domain.access.principals import Kind, Principal

DEFAULT_ACCOUNT = "000000000000"
DEFAULT_REGION = "us-east-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The account and region a request acts in, and its id.

    `region` comes from the signature's scope, `account` from an access key id of 12 digits. `request_id` is the
    UUID that the answer carries as `x-amzn-RequestId` and that a function sees as `aws_request_id`.
    `environment_id` is set when the call comes from inside an execution environment, through its own listener.
    """

    account: str = DEFAULT_ACCOUNT
    region: str = DEFAULT_REGION
    request_id: str = ""
    access_key_id: str | None = None
    environment_id: str | None = None
    #: scheme://host of the request, for links that the answer contains.
    base_url: str = ""
    #: X-Amzn-Trace-Id as it came, if it did.
    trace_header: str | None = None
    #: Who it is, where its key is one that Ingle issued.
    known_as: Principal | None = field(default=None, compare=False)
    #: What it may do, where the request's signature was verified.
    authority: Authority | None = field(default=None, compare=False)
    source_ip: str = ""
    user_agent: str = ""

    @property
    def principal(self) -> Principal:
        """Who it is. Without authentication everybody is the root of the account that the access key id names."""
        return self.known_as or root_of(self.account)


def root_of(account: str) -> Principal:
    return Principal(kind=Kind.ROOT, arn=f"arn:aws:iam::{account}:root", account=account, unique_id=account)
