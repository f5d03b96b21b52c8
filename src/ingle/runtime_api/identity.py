"""What an environment can ask about itself: where it runs, and the credentials of its role.

Each for a token that only the processes of this environment were given. Sources: AWS's page on the metadata endpoint;
for credentials the protocol of containers, which SDKs read through AWS_CONTAINER_CREDENTIALS_FULL_URI.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ingle.domain.credentials import Credentials
from ingle.runtime_api.session import Answer, Refused

METADATA = b"/2026-01-15/metadata/execution-environment"
CREDENTIALS = b"/2021-04-23/credentials"
#: For as long as any environment lives: it never moves.
_FOR_EVER = ("Cache-Control", "private, max-age=43200, immutable")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """`zone` is the id of the availability zone. `credentials` gives those that are valid now."""

    zone: str
    metadata_token: str = field(repr=False)
    credentials_token: str = field(repr=False)
    credentials: Callable[[], Credentials]

    def metadata(self, authorization: str | None) -> Answer:
        """The answer to who sends this Authorization header. Raises Refused."""
        if not _same(authorization, f"Bearer {self.metadata_token}"):
            raise Refused(401, "Unauthorized", "The authorization token is missing or invalid.")
        return Answer(body=json.dumps({"AvailabilityZoneID": self.zone}).encode(), headers=(_FOR_EVER,))

    def credential_document(self, authorization: str | None) -> Answer:
        """The answer to who sends this Authorization header, which is the bare token. Raises Refused."""
        if not _same(authorization, self.credentials_token):
            raise Refused(404, "NotFound", "cannot get credentials for the provided token")
        found = self.credentials()
        expiration = datetime.fromtimestamp(found.expires // 1000, UTC)
        document = {
            "AccessKeyId": found.access_key_id,
            "SecretAccessKey": found.secret_access_key,
            "Token": found.session_token,
            "Expiration": f"{expiration:%Y-%m-%dT%H:%M:%SZ}",
        }
        return Answer(body=json.dumps(document).encode())


def _same(given: str | None, expected: str) -> bool:
    return given is not None and hmac.compare_digest(given.encode("latin-1"), expected.encode())
