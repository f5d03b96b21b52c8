"""What a decision of EC2 sees, and what it comes to. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, TypeVar

from ingle.catalog.networks import Networks
from ingle.domain.vpc import Resource
from ingle.supporting.ec2.errors import Ec2Error, malformed, missing, not_found, not_together

Params = Mapping[str, Any]
Kind = TypeVar("Kind", bound=Resource)
_HEX = re.compile(r"[0-9a-f]{8}(?:[0-9a-f]{9})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The networks, and who looks at them. `now`: epoch seconds. `new_id(prefix)`: an id that was never used."""

    networks: Networks
    account: str
    region: str
    now: int
    new_id: Callable[[str], str]
    new_uuid: Callable[[], str]

    @property
    def place(self) -> dict[str, Any]:
        """What every record that is made here has in common."""
        return {"account": self.account, "region": self.region}

    def mine(self, kind: type[Kind]) -> list[Kind]:
        return self.networks.of(kind, self.account, self.region)

    def seek(self, kind: type[Kind], identifier: str | None) -> Kind | None:
        """The caller's record of this id; None: there is none."""
        found = self.networks.get(kind, identifier)
        return found if found is not None and (found.account, found.region) == (self.account, self.region) else None

    def find(self, kind: type[Kind], identifier: str) -> Kind:
        """Raises EC2's error for an id of the wrong form, and for one that nothing of the caller's has."""
        require_form(kind, identifier)
        found = self.seek(kind, identifier)
        if found is None:
            raise not_found(kind, identifier)
        return found

    def repeated(self, kind: type[Kind], params: Params) -> Kind | None:
        """What the same request made before, by its ClientToken. Raises for another request with the token."""
        token = params.get("ClientToken")
        made = (record for record in self.mine(kind) if record.client_token is not None)
        found = next((record for record in made if str(record.client_token).rpartition(" ")[0] == token), None)
        if token is None or found is None:
            return None
        if found.client_token != token_of(params):
            raise Ec2Error(
                "IdempotentParameterMismatch",
                "The client token you have provided is associated with a resource that was created with other "
                "parameters.",
            )
        return found


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer, and what is to be stored and removed for it, all or nothing."""

    answer: Mapping[str, Any]
    put: Sequence[Resource] = ()
    removed: Sequence[Resource] = ()


#: An operation. Raises ServiceError.
Decide = Callable[[Scene, Params], Outcome]


def require_form(kind: type[Resource], identifier: str) -> None:
    prefix, _, rest = identifier.rpartition("-")
    if prefix != kind.prefix or not _HEX.fullmatch(rest):
        raise malformed(kind, identifier)


def only_one(params: Params, names: Iterable[str], *, several: str, none: str) -> str:
    """Which of these parameters a request has. Raises Ec2Error: with the text `several` for more than one, and for the
    lack of the parameter `none` if there is none."""
    given = [name for name in names if name in params]
    if len(given) != 1:
        raise not_together(several) if given else missing(none)
    return given[0]


def only_attribute(params: Params, names: Iterable[str]) -> str:
    """The same where a request changes an attribute."""
    return only_one(params, names, several="Only one attribute may be modified at a time.", none="attribute")


def token_of(params: Params) -> str | None:
    """What a record keeps of the request that made it, where that had a ClientToken."""
    token = params.get("ClientToken")
    if token is None:
        return None
    rest = sorted((name, repr(value)) for name, value in params.items() if name not in ("ClientToken", "DryRun"))
    return f"{token} {sha256(repr(rest).encode()).hexdigest()[:16]}"
