"""The operations on test events: events that whoever uses a function keeps with it, shared by all who may.

They are in the store, sealed, and in no memory; they go with their function. AWS's console keeps them with EventBridge
Schemas, whose limits for names these are.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from ingle.control.function_records import FunctionRecords
from ingle.domain.arn import FunctionArn
from ingle.domain.caller import Caller
from ingle.domain.clock import Clock
from ingle.domain.function import FunctionKey
from ingle.domain.sealing import Sealer
from ingle.domain.test_event import LONGEST, MOST, TestEvent
from ingle.json_check import is_json
from ingle.own.errors import OwnInvalidParameter, OwnLimitExceeded, OwnNotFound
from ingle.own.functions import existing, key_meant
from ingle.own.pages import page_of, start_of
from ingle.storage.store import TestEventStore
from ingle.supporting.ports import Handler

Params = dict[str, Any]

PAGE = 100


class TestEvents:
    #: Nothing for pytest.
    __test__ = False

    def __init__(self, records: FunctionRecords, store: TestEventStore, sealer: Sealer, clock: Clock) -> None:
        self._records = records
        self._store = store
        self._sealer = sealer
        self._clock = clock

    def handlers(self) -> dict[str, Handler]:
        return {
            "PutTestEvent": self.put_test_event,
            "GetTestEvent": self.get_test_event,
            "ListTestEvents": self.list_test_events,
            "DeleteTestEvent": self.delete_test_event,
        }

    async def put_test_event(self, caller: Caller, params: Params) -> Params:
        key, name = self._key(caller, "PutTestEvent", params), params["EventName"]
        content = params["Event"].encode()
        if len(content) > LONGEST:
            raise OwnInvalidParameter(f"The event has {len(content)} bytes; {LONGEST} are allowed.")
        sealed = await asyncio.to_thread(self._sealed, key, name, content)
        event = TestEvent(name=name, size=len(content), modified=int(self._clock.now() * 1000), sealed=sealed)
        async with self._records.exclusive(key):
            existing(self._records.catalog, key)
            there = await self._store.list_test_events(key)
            if len(there) >= MOST and name not in {item.name for item in there}:
                raise OwnLimitExceeded(f"A function has {MOST} test events at the most.")
            await self._store.save_test_event(key, event)
        return _shown(event)

    async def get_test_event(self, caller: Caller, params: Params) -> Params:
        key, name = self._key(caller, "GetTestEvent", params), params["EventName"]
        event = await self._store.load_test_event(key, name)
        if event is None:
            raise _missing(key, name)
        content = await asyncio.to_thread(self._sealer.open, event.sealed, _context(key, name))
        return {**_shown(event), "Event": content.decode()}

    async def list_test_events(self, caller: Caller, params: Params) -> Params:
        start = start_of(params, str)
        key = self._key(caller, "ListTestEvents", params)
        found = await self._store.list_test_events(key)
        behind = (event for event in found if start is None or (event.name,) > start)
        page, token = page_of(behind, params.get("MaxResults", PAGE), lambda event: (event.name,))
        return {"TestEvents": [_shown(event) for event in page], "NextToken": token}

    async def delete_test_event(self, caller: Caller, params: Params) -> Params:
        key, name = self._key(caller, "DeleteTestEvent", params), params["EventName"]
        async with self._records.exclusive(key):
            if not await self._store.delete_test_event(key, name):
                raise _missing(key, name)
        return {}

    def _key(self, caller: Caller, operation: str, params: Params) -> FunctionKey:
        """Raises what a function that is not there, or not the caller's, raises."""
        key = key_meant(caller, operation, params)
        existing(self._records.catalog, key)
        return key

    def _sealed(self, key: FunctionKey, name: str, content: bytes) -> bytes:
        """Blocks. Raises OwnInvalidParameter."""
        if not is_json(content):
            raise OwnInvalidParameter("The event is not JSON.")
        return self._sealer.seal(content, _context(key, name))


def _context(key: FunctionKey, name: str) -> str:
    """What is sealed is good for this event of this function only."""
    return f"test event {name} of {FunctionArn.of(key)}"


def _missing(key: FunctionKey, name: str) -> OwnNotFound:
    return OwnNotFound(f"There is no test event {name} of {FunctionArn.of(key)}.")


def _shown(event: TestEvent) -> Params:
    return {
        "EventName": event.name,
        "Size": event.size,
        "LastModifiedAt": datetime.fromtimestamp(event.modified / 1000, UTC),
    }
