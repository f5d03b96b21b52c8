"""The KMS API: symmetric keys. What is not listed in `handlers` is answered by the frontend as not implemented.

Owns no data: keys are in `records`. Handlers take what `wire` parsed and answer in the model's member names.
"""

from __future__ import annotations

from ingle.domain.caller import Caller
from ingle.observability.log import Logger
from ingle.storage.errors import StorageError
from ingle.supporting.kms.aliases import Aliases
from ingle.supporting.kms.cryptographic import Cryptography
from ingle.supporting.kms.errors import KmsUnavailable
from ingle.supporting.kms.grants import Grants
from ingle.supporting.kms.key_policies import KeyPolicies
from ingle.supporting.kms.keys import Keys
from ingle.supporting.kms.operations import Answer, Handler
from ingle.supporting.kms.rotation import Rotation
from ingle.supporting.kms.tags import KeyTags
from ingle.supporting.kms.use import KeyUse

_log = Logger("kms")


class Kms:
    """Errors: those of `errors`."""

    def __init__(self, use: KeyUse) -> None:
        self.use = use
        self.grants = Grants(use)
        self._parts = (
            Keys(use), Aliases(use), KeyPolicies(use), self.grants, Rotation(use), KeyTags(use), Cryptography(use),
        )  # fmt: skip

    def handlers(self) -> dict[str, Handler]:
        """By operation name."""
        found = {name: handler for part in self._parts for name, handler in part.handlers().items()}
        return {name: _translating(handler) for name, handler in found.items()}


def _translating(handler: Handler) -> Handler:
    """The handler with the store's errors told in the API's words."""

    async def handle(caller: Caller, params: Answer) -> Answer:
        try:
            return await handler(caller, params)
        except StorageError as error:
            _log.error("a key cannot be stored", reason=str(error))
            raise KmsUnavailable("The service encountered an internal error.") from error

    return handle
