"""The operations on rotation: new material for a key, by itself or when asked. Old material goes on decrypting."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ingle.domain.caller import Caller
from ingle.domain.kms import KmsKey
from ingle.supporting.kms import pages
from ingle.supporting.kms.errors import KmsLimitExceeded
from ingle.supporting.kms.operations import Answer, Handler, any_key, own_key
from ingle.supporting.kms.records import DAY, ON_DEMAND, YEAR_DAYS
from ingle.supporting.kms.use import KeyUse, require_enabled

#: Rotations of one key that may be asked for (API reference, RotateKeyOnDemand).
MOST_ON_DEMAND = 25


class Rotation:
    def __init__(self, use: KeyUse) -> None:
        self._use = use
        self._records = use.records

    def handlers(self) -> dict[str, Handler]:
        """By operation name."""
        return {
            "DisableKeyRotation": self.disable_key_rotation,
            "EnableKeyRotation": self.enable_key_rotation,
            "GetKeyRotationStatus": self.get_key_rotation_status,
            "ListKeyRotations": self.list_key_rotations,
            "RotateKeyOnDemand": self.rotate_key_on_demand,
        }

    async def enable_key_rotation(self, caller: Caller, params: Answer) -> Answer:
        async with self._records.exclusive:
            key = own_key(self._use, caller, "EnableKeyRotation", params["KeyId"])
            require_enabled(key)
            days = params.get("RotationPeriodInDays", YEAR_DAYS)
            following = self._records.clock.now() + days * DAY
            await self._records.save(replace(key, rotation_days=days, next_rotation=following))
        return {}

    async def disable_key_rotation(self, caller: Caller, params: Answer) -> Answer:
        async with self._records.exclusive:
            key = own_key(self._use, caller, "DisableKeyRotation", params["KeyId"])
            require_enabled(key)
            await self._records.save(replace(key, rotation_days=None, next_rotation=None))
        return {}

    async def get_key_rotation_status(self, caller: Caller, params: Answer) -> Answer:
        key = any_key(self._use, caller, "GetKeyRotationStatus", params["KeyId"])
        shown: Answer = {"KeyRotationEnabled": key.rotation_days is not None, "KeyId": key.arn}
        if key.rotation_days is not None:
            shown |= {"RotationPeriodInDays": key.rotation_days, "NextRotationDate": key.next_rotation}
        return shown

    async def rotate_key_on_demand(self, caller: Caller, params: Answer) -> Answer:
        async with self._records.exclusive:
            key = own_key(self._use, caller, "RotateKeyOnDemand", params["KeyId"])
            require_enabled(key)
            if sum(material.rotation == ON_DEMAND for material in key.materials) >= MOST_ON_DEMAND:
                raise KmsLimitExceeded(f"The key has been rotated on demand {MOST_ON_DEMAND} times already.")
            await self._records.save(self._records.rotated(key, ON_DEMAND))
        return {"KeyId": key.arn}

    async def list_key_rotations(self, caller: Caller, params: Answer) -> Answer:
        start = pages.start_of(params, "rotations")
        key = own_key(self._use, caller, "ListKeyRotations", params["KeyId"])
        with_first = params.get("IncludeKeyMaterial") == "ALL_KEY_MATERIAL"
        found = _entries(key, with_first)
        left = found if start is None else [entry for entry in found if entry["_place"] > start]
        return pages.answer(
            "Rotations", "rotations", left, lambda entry: entry, lambda entry: entry["_place"], params,
            usual=100, most=1000,
        )  # fmt: skip


def _entries(key: KmsKey, with_first: bool) -> Iterable[Answer]:
    """In the order of the rotations. `_place` is for paging; the model does not have it, so no answer does."""
    for number, material in enumerate(key.materials):
        entry: Answer = {"KeyId": key.id, "KeyMaterialId": material.id, "_place": f"{number:06d}"}
        entry["KeyMaterialState"] = "CURRENT" if material is key.material else "NON_CURRENT"
        if material.rotation is not None:
            yield {**entry, "RotationDate": material.created, "RotationType": material.rotation}
        elif with_first:
            yield entry
