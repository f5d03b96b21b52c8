"""What somebody who proved who they are brings along: who they are and what their own policies say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ingle.domain.access.evaluation import Policies
from ingle.domain.access.principals import Principal


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Authority:
    """One object for one credential until something in IAM changes: decisions are remembered by it.

    `tags`: of the principal, its session's included. Of sessions: `issued` (epoch seconds), `source_identity`, and
    `function_arn`, the unqualified ARN of the function whose session it is.
    """

    principal: Principal
    policies: Policies
    tags: Mapping[str, str] = field(default_factory=dict)
    issued: int | None = None
    source_identity: str | None = None
    function_arn: str | None = None
