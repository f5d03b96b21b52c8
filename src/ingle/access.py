"""Who may call, put together: identities, their credentials and sessions, and IAM and STS that manage them.

Part of the composition root: `app` opens it with the store and hands its parts on.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ingle.catalog.identities import Identities
from ingle.domain.clock import Clock
from ingle.domain.identity import AccessKey
from ingle.storage.sealing import FileSealer
from ingle.storage.store import IdentityStore
from ingle.supporting.credentials import Credentials
from ingle.supporting.iam import Iam
from ingle.supporting.iam_records import IamRecords, NewKey
from ingle.supporting.sessions import Sessions
from ingle.supporting.sts import Sts


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One for each server."""

    identities: Identities
    records: IamRecords
    sessions: Sessions
    credentials: Credentials
    iam: Iam
    sts: Sts

    @staticmethod
    async def open(store: IdentityStore, key_file: Path, clock: Clock) -> Access:
        """Reads what the store has. `key_file` is made when the first secret is sealed."""
        sealer = FileSealer(key_file)
        identities = Identities()
        for record in await store.load_identities():
            identities.put(record)
        records = IamRecords(store, identities, sealer, clock)
        sessions = Sessions(sealer, clock)
        return Access(
            identities=identities, records=records, sessions=sessions,
            credentials=Credentials(identities, sessions, sealer), iam=Iam(records), sts=Sts(identities, sessions),
        )  # fmt: skip

    async def first_root_key(self, account: str) -> NewKey | None:
        """A key of the root of `account`, if nobody has any key yet; None if somebody has."""
        async with self.records.exclusive:
            if any(True for _ in self.identities.every(AccessKey)):
                return None
            return await self.records.add_key(account, None)
