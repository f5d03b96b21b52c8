"""Aliases, key policies, grants, rotation and tags."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kms_world import World

ROLE = "arn:aws:iam::111111111111:role/r"
GRANT: dict[str, Any] = {"GranteePrincipal": ROLE, "Operations": ["Decrypt", "RetireGrant"]}


async def test_an_alias_moves_from_key_to_key(world: World):
    one, two = await world.key(), await world.key()
    await world.call("CreateAlias", AliasName="alias/a", TargetKeyId=one)
    assert await world.refused("CreateAlias", AliasName="alias/a", TargetKeyId=two) == (
        "AlreadyExistsException", "An alias with the name arn:aws:kms:us-east-1:111111111111:alias/a already exists",
    )  # fmt: skip
    before = await world.encrypt("alias/a")
    world.clock.seconds += 5
    await world.call("UpdateAlias", AliasName="alias/a", TargetKeyId=two)
    (shown,) = (await world.call("ListAliases"))["Aliases"]
    assert shown == {
        "AliasName": "alias/a", "AliasArn": "arn:aws:kms:us-east-1:111111111111:alias/a",
        "TargetKeyId": two.rpartition("/")[2], "CreationDate": world.clock.seconds - 5,
        "LastUpdatedDate": world.clock.seconds,
    }  # fmt: skip
    assert (await world.call("ListAliases", KeyId=one))["Aliases"] == []
    assert (await world.call("Decrypt", CiphertextBlob=before))["KeyId"] == one
    assert (await world.refused("Decrypt", CiphertextBlob=before, KeyId="alias/a"))[0] == "IncorrectKeyException"
    await world.call("DeleteAlias", AliasName="alias/a")
    for operation, params in {"DeleteAlias": {}, "UpdateAlias": {"TargetKeyId": two}}.items():
        assert await world.refused(operation, AliasName="alias/a", **params) == (
            "NotFoundException", "Alias arn:aws:kms:us-east-1:111111111111:alias/a is not found.",
        )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "code"),
    [("a", "ValidationException"), ("alias/", "InvalidAliasNameException"), ("alias/a:b", "InvalidAliasNameException"),
     ("alias/aws/x", "NotAuthorizedException")],
)  # fmt: skip
async def test_bad_names_of_aliases(world: World, name: str, code: str):
    key = await world.key()
    assert (await world.refused("CreateAlias", AliasName=name, TargetKeyId=key))[0] == code


async def test_an_alias_names_a_key_and_no_alias(world: World):
    key = await world.key()
    await world.call("CreateAlias", AliasName="alias/a", TargetKeyId=key)
    assert await world.refused("CreateAlias", AliasName="alias/b", TargetKeyId="alias/a") == (
        "ValidationException", "Aliases must refer to keys. Not aliases",
    )  # fmt: skip


async def test_a_key_has_fifty_aliases_at_the_most(world: World):
    key = await world.key()
    for number in range(50):
        await world.call("CreateAlias", AliasName=f"alias/{number}", TargetKeyId=key)
    assert (await world.refused("CreateAlias", AliasName="alias/51", TargetKeyId=key))[0] == "LimitExceededException"
    page = await world.call("ListAliases", Limit=1000)
    assert (len(page["Aliases"]), page["Truncated"]) == (50, False)


async def test_a_key_policy_is_kept_as_it_was_given(world: World):
    key = await world.key()
    default = json.loads((await world.call("GetKeyPolicy", KeyId=key))["Policy"])
    assert default["Statement"][0]["Principal"] == {"AWS": "arn:aws:iam::111111111111:root"}
    text = (
        '{"Version":"2012-10-17", "Statement": {"Effect":"Deny","Principal":"*","Action":"kms:Decrypt","Resource":"*"}}'
    )
    await world.call("PutKeyPolicy", KeyId=key, Policy=text)
    assert await world.call("GetKeyPolicy", KeyId=key, PolicyName="default") == {
        "Policy": text,
        "PolicyName": "default",
    }
    assert (await world.call("ListKeyPolicies", KeyId=key))["PolicyNames"] == ["default"]
    assert (await world.refused("GetKeyPolicy", KeyId=key, PolicyName="AWS_RAM"))[0] == "NotFoundException"
    assert await world.refused("PutKeyPolicy", KeyId=key, PolicyName="AWS_RAM", Policy=text) == (
        "ValidationException", "The AWS_RAM policy can only be managed by the RAM service.",
    )  # fmt: skip


@pytest.mark.parametrize(
    "policy",
    ["", "[]", "{}", '{"Statement":[]}', '{"Statement":["x"]}', '{"Statement":[{"Effect":"Allow"}]}', "[" * 5000,
     '{"Statement":[{"Effect":"Maybe","Principal":"*","Action":"*","Resource":"*"}]}',
     '{"Statement":[{"Effect":"Allow","Principal":{"AWS":[]},"Action":"*","Resource":"*"}]}',
     '{"Statement":[{"Effect":"Allow","Principal":"*","Action":1,"Resource":"*"}]}',
     '{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":[]}]}',
     '{"Version":["2012-10-17"],"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}'],
)  # fmt: skip
async def test_a_policy_that_is_none(world: World, policy: str):
    key = await world.key()
    assert (await world.refused("PutKeyPolicy", KeyId=key, Policy=policy))[0] == "MalformedPolicyDocumentException"
    assert (await world.refused("CreateKey", Policy=policy))[0] == "MalformedPolicyDocumentException"


async def test_a_policy_that_shuts_its_author_out_is_refused(world: World):
    key = await world.key()
    text = (await world.call("GetKeyPolicy", KeyId=key))["Policy"]

    class Careful:
        """Who has put a policy may not put another one."""

        def refusal(self, request: Any) -> str | None:
            return "no" if request.key is not None and "locked" in request.key.policy else None

    world.use.authority = Careful()
    locked = text.replace("Enable IAM", "locked IAM")
    assert await world.refused("PutKeyPolicy", KeyId=key, Policy=locked) == (
        "MalformedPolicyDocumentException",
        "The new key policy will not allow you to update the key policy in the future.",
    )  # fmt: skip
    await world.call("PutKeyPolicy", KeyId=key, Policy=locked, BypassPolicyLockoutSafetyCheck=True)
    assert (await world.refused("PutKeyPolicy", KeyId=key, Policy=text))[0] == "AccessDeniedException"


async def test_a_policy_of_more_than_32_kb(world: World):
    key = await world.key()
    statement = {"Sid": "s" * 33_000, "Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    assert (await world.refused("PutKeyPolicy", KeyId=key, Policy=policy))[0] == "LimitExceededException"


async def test_grants_come_and_go(world: World):
    key = await world.key()
    constraints = {"EncryptionContextEquals": {"aws:lambda:FunctionArn": "arn"}}
    made = await world.call(
        "CreateGrant", KeyId=key, Name="n", Constraints=constraints, RetiringPrincipal=ROLE, **GRANT
    )
    (shown,) = (await world.call("ListGrants", KeyId=key))["Grants"]
    assert shown == {
        "KeyId": key, "GrantId": made["GrantId"], "Name": "n", "CreationDate": world.clock.seconds,
        "GranteePrincipal": ROLE, "RetiringPrincipal": ROLE, "IssuingAccount": "arn:aws:iam::111111111111:root",
        "Operations": ["Decrypt", "RetireGrant"], "Constraints": constraints,
    }  # fmt: skip
    assert (await world.call("ListRetirableGrants", RetiringPrincipal=ROLE))["Grants"] == [shown]
    assert (await world.call("ListGrants", KeyId=key, GranteePrincipal=ROLE + "x"))["Grants"] == []
    assert (await world.call("ListGrants", KeyId=key, GrantId=made["GrantId"]))["Grants"] == [shown]
    await world.call("RevokeGrant", KeyId=key, GrantId=made["GrantId"])
    assert (await world.call("ListGrants", KeyId=key))["Grants"] == []
    assert (await world.refused("RevokeGrant", KeyId=key, GrantId=made["GrantId"]))[0] == "NotFoundException"
    assert (await world.refused("RevokeGrant", KeyId=key, GrantId="x"))[0] == "InvalidGrantIdException"


async def test_a_repeated_request_for_a_named_grant_makes_no_second_one(world: World):
    key = await world.key()
    made = [await world.call("CreateGrant", KeyId=key, Name="n", **GRANT) for _ in range(2)]
    assert made[0]["GrantId"] == made[1]["GrantId"]
    assert made[0]["GrantToken"] != made[1]["GrantToken"]
    other = await world.call("CreateGrant", KeyId=key, Name="n", **{**GRANT, "Operations": ["Encrypt"]})
    unnamed = {(await world.call("CreateGrant", KeyId=key, **GRANT))["GrantId"] for _ in range(2)}
    assert len({made[0]["GrantId"], other["GrantId"], *unnamed}) == 4


async def test_a_grant_is_retired_by_its_token_or_by_its_id(world: World):
    key = await world.key()
    for by_token in (True, False):
        made = await world.call("CreateGrant", KeyId=key, **GRANT)
        by_id = {"KeyId": key, "GrantId": made["GrantId"]}
        await world.call("RetireGrant", **({"GrantToken": made["GrantToken"]} if by_token else by_id))
        assert (await world.call("ListGrants", KeyId=key))["Grants"] == []
    assert (await world.refused("RetireGrant"))[0] == "ValidationException"
    assert (await world.refused("RetireGrant", GrantToken="bm9uc2Vuc2U="))[0] == "InvalidGrantTokenException"


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"Operations": ["Decrypt"]}, "ValidationException"),
        ({**GRANT, "GranteeServicePrincipal": "s3.amazonaws.com"}, "ValidationException"),
        ({**GRANT, "Operations": []}, "ValidationException"),
        ({**GRANT, "Operations": ["Sign"]}, "ValidationException"),
        ({**GRANT, "GranteePrincipal": "nobody"}, "InvalidArnException"),
        ({"GranteeServicePrincipal": "lambda.amazonaws.com", "Operations": ["Decrypt"]}, "ValidationException"),
        ({**GRANT, "Constraints": {"EncryptionContextSubset": {str(n): "" for n in range(9)}}}, "ValidationException"),
        ({**GRANT, "Constraints": {"EncryptionContextEquals": {"a": "b" * 385}}}, "ValidationException"),
    ],
)
async def test_bad_grants(world: World, params: dict[str, Any], code: str):
    key = await world.key()
    assert (await world.refused("CreateGrant", KeyId=key, **params))[0] == code


async def test_grants_are_listed_in_pages(world: World):
    key = await world.key()
    made = []
    for _ in range(5):
        world.clock.seconds += 1
        made.append((await world.call("CreateGrant", KeyId=key, **GRANT))["GrantId"])
    found, params = [], {}
    while True:
        page = await world.call("ListGrants", KeyId=key, Limit=2, **params)
        found += [grant["GrantId"] for grant in page["Grants"]]
        if not page["Truncated"]:
            break
        params = {"Marker": page["NextMarker"]}
    assert found == made


async def test_a_key_rotates_by_itself_once_its_period_is_over(world: World):
    key = await world.key()
    assert await world.call("GetKeyRotationStatus", KeyId=key) == {"KeyRotationEnabled": False, "KeyId": key}
    await world.call("EnableKeyRotation", KeyId=key, RotationPeriodInDays=90)
    due = world.clock.seconds + 90 * world.DAY
    status = await world.call("GetKeyRotationStatus", KeyId=key)
    assert (status["RotationPeriodInDays"], status["NextRotationDate"]) == (90, due)
    blob = await world.encrypt(key)
    world.clock.seconds = due
    for _ in range(2):
        await world.records.do_what_is_due()
    (rotation,) = (await world.call("ListKeyRotations", KeyId=key))["Rotations"]
    assert (rotation["RotationType"], rotation["RotationDate"], rotation["KeyMaterialState"]) == (
        "AUTOMATIC", due, "CURRENT",
    )  # fmt: skip
    assert (await world.call("GetKeyRotationStatus", KeyId=key))["NextRotationDate"] == due + 90 * world.DAY
    assert (await world.call("Decrypt", CiphertextBlob=blob))["Plaintext"] == b"secret"
    await world.call("DisableKeyRotation", KeyId=key)
    world.clock.seconds += 1000 * world.DAY
    await world.records.do_what_is_due()
    assert len((await world.call("ListKeyRotations", KeyId=key))["Rotations"]) == 1


async def test_rotations_are_listed_with_their_materials(world: World):
    key = await world.key()
    first = (await world.described(key))["CurrentKeyMaterialId"]
    await world.call("RotateKeyOnDemand", KeyId=key)
    entries = (await world.call("ListKeyRotations", KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL"))["Rotations"]
    shown = [(entry["KeyMaterialId"], entry["KeyMaterialState"], entry.get("RotationType")) for entry in entries]
    assert shown == [
        (first, "NON_CURRENT", None), ((await world.described(key))["CurrentKeyMaterialId"], "CURRENT", "ON_DEMAND"),
    ]  # fmt: skip
    assert len((await world.call("ListKeyRotations", KeyId=key))["Rotations"]) == 1


async def test_a_key_is_rotated_on_demand_25_times(world: World):
    key = await world.key()
    for _ in range(25):
        await world.call("RotateKeyOnDemand", KeyId=key)
    assert (await world.refused("RotateKeyOnDemand", KeyId=key))[0] == "LimitExceededException"


async def test_tags_come_and_go(world: World):
    key = await world.key()
    await world.call("TagResource", KeyId=key, Tags=[{"TagKey": "a", "TagValue": "1"}, {"TagKey": "b", "TagValue": ""}])
    await world.call("TagResource", KeyId=key, Tags=[{"TagKey": "a", "TagValue": "2"}])
    await world.call("UntagResource", KeyId=key, TagKeys=["b", "c"])
    assert (await world.call("ListResourceTags", KeyId=key))["Tags"] == [{"TagKey": "a", "TagValue": "2"}]
    twice = [{"TagKey": "a", "TagValue": "1"}] * 2
    assert await world.refused("TagResource", KeyId=key, Tags=twice) == ("TagException", "Duplicate tag keys")
    aws = [{"TagKey": "AWS:x", "TagValue": ""}]
    assert await world.refused("TagResource", KeyId=key, Tags=aws) == (
        "TagException", "Tags beginning with aws: are reserved",
    )  # fmt: skip
    many = [{"TagKey": f"k{number}", "TagValue": ""} for number in range(50)]
    assert (await world.refused("TagResource", KeyId=key, Tags=many))[0] == "LimitExceededException"


async def test_a_description_is_changed(world: World):
    key = await world.key()
    await world.call("UpdateKeyDescription", KeyId=key, Description="new")
    assert (await world.described(key))["Description"] == "new"
