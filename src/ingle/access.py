"""Who may call, put together: identities, their credentials and sessions, and IAM and STS that manage them.

Part of the composition root: `app` opens it with the store and hands its parts on.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ingle.catalog import Catalog
from ingle.catalog.identities import Identities
from ingle.catalog.principal_names import PrincipalNames
from ingle.domain.clock import Clock
from ingle.domain.identity import AccessKey
from ingle.encryption.master import MasterKeys
from ingle.frontend.authentication import Unverified
from ingle.frontend.authorization.authorizer import Authorizer
from ingle.frontend.authorization.ec2_needs import Ec2Needs
from ingle.frontend.authorization.kms import KeyAuthority
from ingle.frontend.authorization.lambda_needs import LambdaNeeds
from ingle.frontend.authorization.needs import NeedsOf
from ingle.frontend.authorization.own_needs import OwnNeeds
from ingle.frontend.authorization.service_needs import (
    IamNeeds,
    StsNeeds,
    cloudwatch_needs,
    kms_needs,
    logs_needs,
    tagging_needs,
)
from ingle.frontend.dispatch import Gate
from ingle.frontend.verification import Verified
from ingle.storage.sealing import FileSealer
from ingle.storage.store import IdentityStore
from ingle.supporting.credentials import Credentials
from ingle.supporting.execution_roles import ExecutionRoles
from ingle.supporting.iam import Iam
from ingle.supporting.iam_records import IamRecords, NewKey
from ingle.supporting.sessions import Sessions
from ingle.supporting.sts import Sts


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One for each server."""

    identities: Identities
    names: PrincipalNames
    records: IamRecords
    sessions: Sessions
    credentials: Credentials
    iam: Iam
    sts: Sts
    roles: ExecutionRoles
    sealer: FileSealer
    clock: Clock
    enforced: bool

    @staticmethod
    async def open(store: IdentityStore, key_file: Path, master: MasterKeys, clock: Clock, *, enforced: bool) -> Access:
        """Reads what the store has. `key_file` is made when the first secret is sealed, under the `master` key.

        `enforced`: who calls has to prove it, and to be allowed what it asks for.
        """
        sealer = FileSealer(key_file, master)
        sealer.use_ring(master.ring)
        identities = Identities()
        for record in await store.load_identities():
            identities.put(record)
        names = PrincipalNames(identities if enforced else None)
        records = IamRecords(store, identities, sealer, clock, names)
        sessions = Sessions(sealer, clock)
        return Access(
            identities=identities, names=names, records=records, sessions=sessions,
            credentials=Credentials(identities, sessions, sealer), iam=Iam(records), sts=Sts(identities, sessions),
            roles=ExecutionRoles(identities, sessions, clock, enforced=enforced), sealer=sealer, clock=clock,
            enforced=enforced,
        )  # fmt: skip

    def authorizer(self, catalog: Catalog) -> Authorizer:
        services: dict[str, NeedsOf] = {
            "lambda": LambdaNeeds(catalog),
            "iam": IamNeeds(self.identities),
            "sts": StsNeeds(self.identities),
            "ec2": Ec2Needs(catalog.networks),
            "kms": kms_needs,
            "logs": logs_needs,
            "cloudwatch": cloudwatch_needs,
            "resourcegroupstaggingapi": tagging_needs,
            "ingle": OwnNeeds(catalog),
        }
        return Authorizer(services, self.identities, self.clock)

    def key_authority(self) -> KeyAuthority:
        """Who decides about KMS keys."""
        return KeyAuthority(self.identities, self.clock, enforced=self.enforced)

    def gates(self, authorizer: Authorizer, functions_may_call: str) -> tuple[Gate, Gate]:
        """For requests from outside, and from execution environments."""
        closed = Gate(authentication=Verified(self.credentials, self.clock), authorizer=authorizer)
        opened = Gate(authentication=Unverified(owner=self.credentials.owner))
        return closed if self.enforced else opened, closed if functions_may_call == "role" else opened

    async def new_root_key(self, account: str, *, replace: bool) -> NewKey:
        """One more key of the root of `account`, in place of those there are if `replace`. Raises LimitExceeded."""
        async with self.records.exclusive:
            if replace:
                await self.records.change(removed=self.records.keys_of(account, None))
            return await self.records.add_key(account, None)

    async def first_root_key(self, account: str) -> NewKey | None:
        """A key of the root of `account`, if nobody has any key yet; None if somebody has."""
        async with self.records.exclusive:
            if any(True for _ in self.identities.every(AccessKey)):
                return None
            return await self.records.add_key(account, None)
