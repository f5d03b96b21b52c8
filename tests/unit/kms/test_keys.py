"""Keys from their creation to their deletion."""

from __future__ import annotations

import json
import re

import pytest

from ingle.domain.errors import NotImplementedByIngle
from kms_world import World

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"


async def test_a_new_key_is_described_as_aws_does(world: World):
    made = (await world.call("CreateKey", Description="d", Tags=[{"TagKey": "k", "TagValue": "v"}]))["KeyMetadata"]
    assert re.fullmatch(UUID, made["KeyId"])
    assert made["Arn"] == f"arn:aws:kms:us-east-1:111111111111:key/{made['KeyId']}"
    assert re.fullmatch("[0-9a-f]{64}", made["CurrentKeyMaterialId"])
    rest = {name: made[name] for name in made if name not in ("KeyId", "Arn", "CurrentKeyMaterialId")}
    assert rest == {
        "AWSAccountId": "111111111111", "CreationDate": world.clock.seconds, "Enabled": True, "Description": "d",
        "KeyUsage": "ENCRYPT_DECRYPT", "KeyState": "Enabled", "Origin": "AWS_KMS", "KeyManager": "CUSTOMER",
        "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT", "KeySpec": "SYMMETRIC_DEFAULT",
        "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"], "MultiRegion": False,
    }  # fmt: skip
    for name in (made["KeyId"], made["Arn"]):
        assert await world.described(name) == made
    assert (await world.call("ListResourceTags", KeyId=made["KeyId"]))["Tags"] == [{"TagKey": "k", "TagValue": "v"}]


@pytest.mark.parametrize(
    ("params", "named"),
    [
        ({"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"}, "KeySpec RSA_2048"),
        ({"CustomerMasterKeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}, "KeySpec HMAC_256"),
        ({"Origin": "EXTERNAL"}, "Origin EXTERNAL"),
        ({"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": "cks-1"}, "Origin AWS_CLOUDHSM"),
        ({"XksKeyId": "x"}, "XksKeyId"),
        ({"MultiRegion": True}, "MultiRegion"),
    ],
)
async def test_other_kinds_of_keys_are_refused_by_name(world: World, params, named: str):
    with pytest.raises(NotImplementedByIngle, match=named):
        await world.call("CreateKey", **params)
    assert world.store.keys == {}


async def test_what_no_key_can_be_is_a_validation_error(world: World):
    code, text = await world.refused("CreateKey", KeyUsage="SIGN_VERIFY")
    assert (code, text) == (
        "ValidationException",
        "KeyUsage SIGN_VERIFY is not compatible with KeySpec SYMMETRIC_DEFAULT",
    )
    both = {"KeySpec": "SYMMETRIC_DEFAULT", "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT"}
    assert (await world.refused("CreateKey", **both))[0] == "ValidationException"


async def test_keys_are_named_by_id_arn_alias_and_alias_arn(world: World):
    key = await world.key()
    await world.call("CreateAlias", AliasName="alias/a/b_c-d", TargetKeyId=key)
    names = (key, key.rpartition("/")[2], "alias/a/b_c-d", "arn:aws:kms:us-east-1:111111111111:alias/a/b_c-d")
    assert {(await world.described(name))["Arn"] for name in names} == {key}


async def test_a_name_that_means_nothing_is_told_in_awss_words(world: World):
    here = "arn:aws:kms:us-east-1:111111111111:"
    missing = "1234abcd-12ab-34cd-56ef-1234567890ab"
    for name, text in {
        missing: f"Key '{here}key/{missing}' does not exist",
        f"{here}key/{missing}": f"Key '{here}key/{missing}' does not exist",
        "alias/none": f"Alias {here}alias/none is not found.",
        f"{here}alias/none": f"Alias {here}alias/none is not found.",
        "nonsense": "Invalid keyId 'nonsense'",
        "arn:aws:kms:eu-west-1:111111111111:key/" + missing: "Invalid arn eu-west-1",
        "arn:nonsense": "Invalid arn arn:nonsense",
    }.items():
        assert await world.refused("DescribeKey", KeyId=name) == ("NotFoundException", text)


async def test_operations_on_keys_take_no_aliases(world: World):
    key = await world.key()
    await world.call("CreateAlias", AliasName="alias/a", TargetKeyId=key)
    assert await world.refused("DisableKey", KeyId="alias/a") == ("NotFoundException", "Invalid keyId 'alias/a'")
    assert await world.refused("DisableKey", KeyId="arn:aws:kms:us-east-1:111111111111:alias/a") == (
        "InvalidArnException", "Key Aliases are not supported for this operation.",
    )  # fmt: skip


async def test_a_disabled_key_encrypts_nothing_until_it_is_enabled(world: World):
    key = await world.key()
    blob = await world.encrypt(key)
    await world.call("DisableKey", KeyId=key)
    assert (await world.described(key))["KeyState"] == "Disabled"
    assert (await world.described(key))["Enabled"] is False
    refusal = ("DisabledException", f"{key} is disabled.")
    assert await world.refused("Encrypt", KeyId=key, Plaintext=b"x") == refusal
    assert await world.refused("Decrypt", CiphertextBlob=blob) == refusal
    assert await world.refused("GenerateDataKey", KeyId=key, KeySpec="AES_256") == refusal
    assert await world.refused("CreateGrant", KeyId=key, **GRANT) == refusal
    assert await world.refused("EnableKeyRotation", KeyId=key) == refusal
    await world.call("EnableKey", KeyId=key)
    assert (await world.call("Decrypt", CiphertextBlob=blob))["Plaintext"] == b"secret"


GRANT = {"GranteePrincipal": "arn:aws:iam::111111111111:role/r", "Operations": ["Decrypt"]}


async def test_a_key_waits_for_its_deletion_and_then_is_gone_with_its_material(world: World):
    key = await world.key()
    await world.call("CreateAlias", AliasName="alias/a", TargetKeyId=key)
    await world.call("CreateGrant", KeyId=key, **GRANT)
    blob = await world.encrypt(key)
    due = world.clock.seconds + 7 * world.DAY
    scheduled = await world.call("ScheduleKeyDeletion", KeyId=key, PendingWindowInDays=7)
    assert scheduled == {"KeyId": key, "DeletionDate": due, "KeyState": "PendingDeletion", "PendingWindowInDays": 7}
    assert (await world.described(key))["DeletionDate"] == due
    refusal = ("KMSInvalidStateException", f"{key} is pending deletion.")
    target = {"AliasName": "alias/b", "TargetKeyId": key}
    for operation, params in {
        "Decrypt": {"CiphertextBlob": blob}, "Encrypt": {"KeyId": key, "Plaintext": b"x"}, "EnableKey": {"KeyId": key},
        "ScheduleKeyDeletion": {"KeyId": key}, "CreateAlias": target, "TagResource": {"KeyId": key, "Tags": []},
        "UpdateKeyDescription": {"KeyId": key, "Description": ""}, "RotateKeyOnDemand": {"KeyId": key},
    }.items():  # fmt: skip
        assert await world.refused(operation, **params) == refusal, operation
    world.clock.seconds = due - 1
    await world.records.do_what_is_due()
    assert (await world.described(key))["KeyState"] == "PendingDeletion"
    world.clock.seconds = due
    gone = ("NotFoundException", f"Key '{key}' does not exist")
    # At once, before anything was cleared away.
    assert await world.refused("DescribeKey", KeyId=key) == gone
    assert (await world.call("ListKeys"))["Keys"] == (await world.call("ListAliases"))["Aliases"] == []
    await world.records.do_what_is_due()
    assert (world.store.keys, world.store.aliases, world.store.grants) == ({}, {}, {})
    assert await world.refused("CancelKeyDeletion", KeyId=key) == gone
    assert (await world.refused("Decrypt", CiphertextBlob=blob))[0] == "AccessDeniedException"


async def test_a_deletion_that_is_cancelled_leaves_a_disabled_key(world: World):
    key = await world.key()
    assert await world.refused("CancelKeyDeletion", KeyId=key) == (
        "KMSInvalidStateException", f"{key} is not pending deletion.",
    )  # fmt: skip
    assert (await world.call("ScheduleKeyDeletion", KeyId=key))["PendingWindowInDays"] == 30
    assert await world.call("CancelKeyDeletion", KeyId=key) == {"KeyId": key}
    described = await world.described(key)
    assert (described["KeyState"], "DeletionDate" in described) == ("Disabled", False)
    world.clock.seconds += 100 * world.DAY
    await world.records.do_what_is_due()
    await world.call("EnableKey", KeyId=key)


@pytest.mark.parametrize("days", [1, 6, 31, 365])
async def test_a_waiting_period_is_from_7_to_30_days(world: World, days: int):
    key = await world.key()
    code, _ = await world.refused("ScheduleKeyDeletion", KeyId=key, PendingWindowInDays=days)
    assert (code, (await world.described(key))["KeyState"]) == ("ValidationException", "Enabled")


async def test_keys_are_listed_by_account_and_region_in_pages(world: World):
    made = {await world.key() for _ in range(7)}
    await world.key(world.caller(account="222222222222"))
    await world.key(world.caller(region="eu-west-1"))
    found: list[str] = []
    params: dict = {}
    while True:
        page = await world.call("ListKeys", Limit=3, **params)
        found += [entry["KeyArn"] for entry in page["Keys"]]
        if not page["Truncated"]:
            break
        params = {"Marker": page["NextMarker"]}
    assert (len(found), set(found), "NextMarker" in page) == (7, made, False)
    assert (await world.call("ListKeys", ResourceOwners=["OTHER_ACCOUNTS_VIA_RAM"]))["Keys"] == []
    for marker in ("nonsense", page_of_aliases(await world.call("ListKeys", Limit=3))):
        assert (await world.refused("ListAliases", Marker=marker))[0] == "InvalidMarkerException"


def page_of_aliases(page: dict) -> str:
    """A marker of another list."""
    marker: str = page["NextMarker"]
    return marker


async def test_a_key_of_another_account_is_used_and_not_changed(world: World):
    key = await world.key()
    other = world.caller(account="222222222222")
    blob = (await world.call("Encrypt", other, KeyId=key, Plaintext=b"x"))["CiphertextBlob"]
    assert (await world.call("Decrypt", other, CiphertextBlob=blob))["Plaintext"] == b"x"
    assert (await world.call("DescribeKey", other, KeyId=key))["KeyMetadata"]["AWSAccountId"] == "111111111111"
    code, text = await world.refused("DisableKey", other, KeyId=key)
    assert (code, "222222222222:root is not authorized to perform: kms:DisableKey" in str(text)) == (
        "AccessDeniedException", True,
    )  # fmt: skip
    assert (await world.refused("DescribeKey", other, KeyId=key.rpartition("/")[2]))[0] == "NotFoundException"


async def test_the_managed_key_is_made_when_it_is_named_and_nobody_changes_it(world: World):
    assert (await world.call("ListAliases"))["Aliases"] == []
    described = await world.described("alias/aws/lambda")
    key = described["Arn"]
    assert (described["KeyManager"], described["KeyState"]) == ("AWS", "Enabled")
    assert await world.described("alias/aws/lambda") == described
    assert [alias["AliasName"] for alias in (await world.call("ListAliases"))["Aliases"]] == ["alias/aws/lambda"]
    assert json.loads((await world.call("GetKeyPolicy", KeyId=key))["Policy"])["Id"] == "auto-awslambda"
    assert (await world.call("GetKeyRotationStatus", KeyId=key))["RotationPeriodInDays"] == 365
    for operation, params in {
        "DisableKey": {}, "ScheduleKeyDeletion": {}, "EnableKey": {}, "UpdateKeyDescription": {"Description": "x"},
        "TagResource": {"Tags": [{"TagKey": "a", "TagValue": "b"}]}, "PutKeyPolicy": {"Policy": "{}"},
        "EnableKeyRotation": {}, "DisableKeyRotation": {}, "RotateKeyOnDemand": {}, "Encrypt": {"Plaintext": b"x"},
        "GenerateDataKey": {"KeySpec": "AES_256"}, "CreateGrant": GRANT,
    }.items():  # fmt: skip
        if operation == "PutKeyPolicy":
            params = {"Policy": (await world.call("GetKeyPolicy", KeyId=key))["Policy"]}
        code, text = await world.refused(operation, KeyId=key, **params)
        assert (code, f"kms:{operation} on resource: {key}" in str(text)) == ("AccessDeniedException", True), operation
    for operation in ("CreateAlias", "UpdateAlias"):
        params = {"AliasName": "alias/aws/lambda", "TargetKeyId": key}
        assert await world.refused(operation, **params) == ("NotAuthorizedException", None)
    assert await world.refused("DeleteAlias", AliasName="alias/aws/lambda") == ("NotAuthorizedException", None)
    assert await world.described("alias/aws/lambda") == described


async def test_a_refusal_of_the_authority_is_told_and_changes_nothing(world: World):
    key = await world.key()
    world.authority.refused = {"kms:DisableKey", "kms:Encrypt"}
    assert await world.refused("DisableKey", KeyId=key) == ("AccessDeniedException", "no kms:DisableKey")
    context = {"a": "b"}
    refused = await world.refused("Encrypt", KeyId=key, Plaintext=b"x", EncryptionContext=context)
    assert refused == ("AccessDeniedException", "no kms:Encrypt")
    asked = world.authority.asked[-1]
    assert asked.key is not None
    assert (asked.key.arn, asked.context, asked.via) == (key, context, None)
    assert (await world.described(key))["KeyState"] == "Enabled"


async def test_a_store_that_fails_is_told_as_kms_does_and_changes_nothing(world: World):
    key = await world.key()
    world.store.failing = True
    for operation, params in {
        "DisableKey": {"KeyId": key},
        "CreateKey": {},
        "RotateKeyOnDemand": {"KeyId": key},
    }.items():
        assert (await world.refused(operation, **params))[0] == "KMSInternalException"
    assert (await world.described(key))["KeyState"] == "Enabled"
    assert len((await world.call("ListKeys"))["Keys"]) == 1


async def test_everything_survives_a_restart(world: World):
    key = await world.key(Description="d", Tags=[{"TagKey": "k", "TagValue": "v"}])
    await world.call("CreateAlias", AliasName="alias/a", TargetKeyId=key)
    grant = await world.call("CreateGrant", KeyId=key, Name="n", **GRANT)
    await world.call("RotateKeyOnDemand", KeyId=key)
    blob = await world.encrypt("alias/a")
    after = await world.restarted()
    assert await after.described("alias/a") == await world.described(key)
    assert (await after.call("Decrypt", CiphertextBlob=blob))["Plaintext"] == b"secret"
    assert (await after.call("ListGrants", KeyId=key))["Grants"][0]["GrantId"] == grant["GrantId"]
