"""The operations on the configurations of function URLs. What answers at a URL is the frontend's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ingle.control import function_lookup, pages
from ingle.control.function_records import FunctionRecords
from ingle.control.ports import Handler
from ingle.domain import lifecycle
from ingle.domain.arn import FunctionArn, FunctionReference
from ingle.domain.caller import Caller
from ingle.domain.clock import Clock, Ids
from ingle.domain.errors import InvalidParameterValue, ResourceConflict, ResourceNotFound
from ingle.domain.function import LATEST, Function
from ingle.domain.function_url import BUFFERED, Cors, FunctionUrl

Params = dict[str, Any]

#: The members of Cors and the fields that hold them.
_CORS = {
    "AllowCredentials": "allow_credentials",
    "AllowHeaders": "allow_headers",
    "AllowMethods": "allow_methods",
    "AllowOrigins": "allow_origins",
    "ExposeHeaders": "expose_headers",
    "MaxAge": "max_age",
}


class FunctionUrls:
    """Handlers of Lambda's function URL operations, by the names of the service model.

    The function itself and each of its aliases has one URL at most; the service model lets no version through.
    """

    def __init__(self, records: FunctionRecords, clock: Clock, ids: Ids) -> None:
        self._records = records
        self._clock = clock
        self._ids = ids

    def handlers(self) -> dict[str, Handler]:
        """The operations that this class answers, by operation name."""
        return {
            "CreateFunctionUrlConfig": self.create_function_url_config,
            "DeleteFunctionUrlConfig": self.delete_function_url_config,
            "GetFunctionUrlConfig": self.get_function_url_config,
            "ListFunctionUrlConfigs": self.list_function_url_configs,
            "UpdateFunctionUrlConfig": self.update_function_url_config,
        }

    async def create_function_url_config(self, caller: Caller, params: Params) -> Params:
        reference = function_lookup.reference_to(caller, params, "CreateFunctionUrlConfig")
        cors = _cors(params.get("Cors"))
        async with self._records.exclusive(reference.key):
            function = self._existing(reference)
            if function.latest.configuration.tenant_isolation is not None:
                raise InvalidParameterValue("Function URLs are not supported for functions with tenant isolation.")
            if function.attachments.get(FunctionUrl, _qualifier(reference)) is not None:
                raise ResourceConflict(
                    f"Failed to create function url config for [functionArn = {reference.arn}]. Error message:  "
                    "FunctionUrlConfig exists for this Lambda function"
                )
            now = self._microseconds()
            url = FunctionUrl(
                id=self._ids.uuid().replace("-", ""),
                auth_type=params["AuthType"],
                created=now,
                last_modified=now,
                cors=cors,
                invoke_mode=params.get("InvokeMode"),
            )
            await self._save(function, reference, url)
        shown = _shown(caller, function, _qualifier(reference), url)
        return {**shown, "LastModifiedTime": None, "InvokeMode": url.invoke_mode}

    async def get_function_url_config(self, caller: Caller, params: Params) -> Params:
        reference = function_lookup.reference_to(caller, params, "GetFunctionUrlConfig")
        return _shown(caller, *self._found(reference))

    async def update_function_url_config(self, caller: Caller, params: Params) -> Params:
        reference = function_lookup.reference_to(caller, params, "UpdateFunctionUrlConfig")
        cors = _cors(params.get("Cors"))
        async with self._records.exclusive(reference.key):
            self._existing(reference)
            function, qualifier, current = self._found(reference)
            url = replace(
                current,
                auth_type=params.get("AuthType", current.auth_type),
                cors=cors if "Cors" in params else current.cors,
                invoke_mode=params.get("InvokeMode", current.invoke_mode),
                last_modified=self._microseconds(),
            )
            await self._save(function, reference, url)
        return {**_shown(caller, function, qualifier, url), "InvokeMode": url.invoke_mode}

    async def delete_function_url_config(self, caller: Caller, params: Params) -> Params:
        reference = function_lookup.reference_to(caller, params, "DeleteFunctionUrlConfig")
        async with self._records.exclusive(reference.key):
            function, qualifier, _ = self._found(reference)
            left = function.attachments.without(FunctionUrl, qualifier)
            await self._records.save(replace(function, attachments=left))
        return {}

    async def list_function_url_configs(self, caller: Caller, params: Params) -> Params:
        reference = function_lookup.reference_to(caller, params, "ListFunctionUrlConfigs")
        function = self._existing(reference)
        start = pages.start_of(params, "function URLs")
        behind = (found for found in function.attachments.of(FunctionUrl) if start is None or found[0] > start)
        page, marker = pages.page_of(behind, lambda found: found[0], params, "function URLs")
        return pages.answer("FunctionUrlConfigs", [_shown(caller, function, *found) for found in page], marker)

    def _existing(self, reference: FunctionReference) -> Function:
        function = self._records.get(reference.key)
        if function is None or lifecycle.revision_of(function, _qualifier(reference)) is None:
            raise ResourceNotFound("Function does not exist")
        return function

    def _found(self, reference: FunctionReference) -> tuple[Function, str, FunctionUrl]:
        function, qualifier = self._records.get(reference.key), _qualifier(reference)
        url = None if function is None else function.attachments.get(FunctionUrl, qualifier)
        if function is None or url is None:
            raise ResourceNotFound("The resource you requested does not exist.")
        return function, qualifier, url

    async def _save(self, function: Function, reference: FunctionReference, url: FunctionUrl) -> None:
        attached = function.attachments.having(_qualifier(reference), url)
        await self._records.save(replace(function, attachments=attached))

    def _microseconds(self) -> int:
        return int(self._clock.now() * 1_000_000)


def _qualifier(reference: FunctionReference) -> str:
    return reference.qualifier or LATEST


def _cors(given: Mapping[str, Any] | None) -> Cors | None:
    """What a request says of CORS, validated; None if it says nothing or clears it."""
    if not given:
        return None
    values: dict[str, Any] = {
        _CORS[member]: tuple(value) if isinstance(value, list) else value for member, value in given.items()
    }
    cors = Cors(**values)
    cors.validate()
    return cors


def _shown(caller: Caller, function: Function, qualifier: str, url: FunctionUrl) -> Params:
    """A FunctionUrlConfig."""
    return {
        "FunctionUrl": url.address(function.key.region, caller.base_url),
        "FunctionArn": str(FunctionArn.of(function.key, None if qualifier == LATEST else qualifier)),
        "AuthType": url.auth_type,
        "Cors": None if url.cors is None else _shown_cors(url.cors),
        "CreationTime": _iso(url.created),
        "LastModifiedTime": _iso(url.last_modified),
        "InvokeMode": url.invoke_mode or BUFFERED,
    }


def _shown_cors(cors: Cors) -> Params:
    found = {member: getattr(cors, name) for member, name in _CORS.items()}
    return {member: list(value) if isinstance(value, tuple) else value for member, value in found.items()}


def _iso(microseconds: int) -> str:
    """`2021-09-08T18:02:24.123456Z`."""
    seconds, rest = divmod(microseconds, 1_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:06d}Z"
