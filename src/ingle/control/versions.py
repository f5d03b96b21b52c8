"""The operations on published versions: publish, list. Reading and deleting one is `control.functions`' business."""

from __future__ import annotations

from typing import Any

from ingle.control import function_lookup, function_view, pages, unsupported
from ingle.control.function_records import FunctionRecords
from ingle.control.function_view import FunctionView
from ingle.control.ports import Handler
from ingle.control.publishing import Publishing
from ingle.control.variable_encryption import VariableEncryption
from ingle.domain import lifecycle
from ingle.domain.caller import Caller
from ingle.domain.clock import Ids
from ingle.domain.errors import InvalidParameterValue
from ingle.domain.function import Function

Params = dict[str, Any]


class Versions:
    """Handlers of Lambda's version operations, by the names of the service model."""

    def __init__(
        self, records: FunctionRecords, publishing: Publishing, ids: Ids, encryption: VariableEncryption
    ) -> None:  # fmt: skip
        self._view = FunctionView(encryption)
        self._records = records
        self._publishing = publishing
        self._ids = ids

    def handlers(self) -> dict[str, Handler]:
        """The operations that this class answers, by operation name."""
        return {
            "ListVersionsByFunction": self.list_versions_by_function,
            "PublishVersion": self.publish_version,
        }

    async def publish_version(self, caller: Caller, params: Params) -> Params:
        reference = function_lookup.reference_to(caller, params, "PublishVersion")
        async with self._records.exclusive(reference.key):
            function = function_lookup.changeable(self._records, reference, params)
            _require_code(function, params.get("CodeSha256"))
            unsupported.refuse_members("PublishVersion", params)
            published, version = self._publishing.publish(function, params.get("Description"))
            if published is not function:
                await self._records.save(lifecycle.with_revision(published, self._ids.uuid()))
        return self._view.configuration_of(caller, version, version.version)

    async def list_versions_by_function(self, caller: Caller, params: Params) -> Params:
        reference = function_lookup.reference_to(caller, params, "ListVersionsByFunction")
        function = function_lookup.existing(self._records, reference)
        after = pages.number_of(pages.start_of(params, "versions"), params)
        versions = (version for version in function.every_version if version.number > after)
        page, marker = pages.page_of(versions, lambda version: str(version.number), params, "versions")
        shown = [self._view.list_entry(caller, version, version.version) for version in page]
        return pages.answer("Versions", shown, marker)


def _require_code(function: Function, expected: str | None) -> None:
    """Raise InvalidParameterValue if the caller means to publish other code than `$LATEST` has."""
    current = function_view.code_sha256(function.latest.configuration.package)
    if expected is not None and expected != current:
        raise InvalidParameterValue(
            f"CodeSHA256 ({expected}) is different from current CodeSHA256 in $LATEST ({current}). Please try again "
            "with the CodeSHA256 in $LATEST."
        )
