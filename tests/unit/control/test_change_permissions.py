"""Resource policies: what belongs to what, revisions, limits, whole documents, and what outlives a restart."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ingle.domain.errors import ServiceError

pytestmark = pytest.mark.asyncio

ARN = "arn:aws:lambda:us-east-1:111111111111:function:F"
INVOKE = "lambda:InvokeFunction"


async def refusal(plane: Any, operation: str, **params: Any) -> tuple[str, str | None]:
    with pytest.raises(ServiceError) as raised:
        await plane.call(operation, **params)
    return raised.value.code, raised.value.message


async def add(plane: Any, sid: str = "s", **params: Any) -> dict[str, Any]:
    request = {"FunctionName": "F", "StatementId": sid, "Action": INVOKE, "Principal": "s3.amazonaws.com", **params}
    statement: dict[str, Any] = json.loads((await plane.call("AddPermission", **request))["Statement"])
    return statement


async def sids(plane: Any, **params: Any) -> list[str]:
    answer = await plane.call("GetPolicy", FunctionName="F", **params)
    return [statement["Sid"] for statement in json.loads(answer["Policy"])["Statement"]]


async def with_version_and_alias(plane: Any) -> None:
    assert (await plane.call("PublishVersion", FunctionName="F"))["Version"] == "1"
    await plane.call("CreateAlias", FunctionName="F", Name="live", FunctionVersion="1")


async def test_text_is_compact_and_its_members_are_in_order(plane: Any) -> None:
    await plane.create()
    statement = (
        f'{{"Sid":"s","Effect":"Allow","Principal":{{"Service":"s3.amazonaws.com"}},"Action":"{INVOKE}",'
        f'"Resource":"{ARN}","Condition":{{"StringEquals":{{"AWS:SourceAccount":"111111111111"}},'
        '"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::b"}}}'
    )
    added = await plane.call(
        "AddPermission", FunctionName="F", StatementId="s", Action=INVOKE, Principal="s3.amazonaws.com",
        SourceArn="arn:aws:s3:::b", SourceAccount="111111111111",
    )  # fmt: skip
    assert added == {"Statement": statement}
    policy = (await plane.call("GetPolicy", FunctionName="F"))["Policy"]
    assert policy == f'{{"Version":"2012-10-17","Id":"default","Statement":[{statement}]}}'


async def test_function_version_and_alias_have_policies_of_their_own(plane: Any) -> None:
    async with plane.active():
        await add(plane, "on-function")
        await with_version_and_alias(plane)
        assert await refusal(plane, "GetPolicy", FunctionName="F", Qualifier="1") == (
            "ResourceNotFoundException", "The resource you requested does not exist.",
        )  # fmt: skip
        assert (await add(plane, "s", Qualifier="1"))["Resource"] == f"{ARN}:1"
        assert (await add(plane, "s", FunctionName=f"{ARN}:live"))["Resource"] == f"{ARN}:live"
        assert await sids(plane) == ["on-function"]
        assert await sids(plane, Qualifier="1") == await sids(plane, Qualifier="live") == ["s"]


async def test_a_policy_goes_with_its_version_alias_or_function(plane: Any) -> None:
    async with plane.active():
        await add(plane)
        await with_version_and_alias(plane)
        await add(plane, Qualifier="1")
        await add(plane, Qualifier="live")
        await plane.call("DeleteAlias", FunctionName="F", Name="live")
        await plane.call("DeleteFunction", FunctionName="F", Qualifier="1")
        await plane.call("CreateAlias", FunctionName="F", Name="live", FunctionVersion="$LATEST")
        for qualifier in ("1", "live"):
            assert (await refusal(plane, "GetPolicy", FunctionName="F", Qualifier=qualifier))[0].startswith("Resource")
        assert await sids(plane) == ["s"]
        await plane.call("DeleteFunction", FunctionName="F")
    await plane.create()
    assert (await refusal(plane, "GetPolicy", FunctionName="F"))[0] == "ResourceNotFoundException"


@pytest.mark.parametrize("qualifier", [None, "1", "live"])
async def test_the_revision_of_what_is_addressed_guards_and_changes(plane: Any, qualifier: str | None) -> None:
    of = {} if qualifier is None else {"Qualifier": qualifier}
    async with plane.active():
        await with_version_and_alias(plane)
        stale = "00000000-0000-4000-8000-999999999999"
        mismatch = "The Revision Id provided does not match the latest Revision Id. Call the {} API to retrieve the "
        code, message = await refusal(
            plane, "AddPermission", FunctionName="F", StatementId="s", Action=INVOKE, Principal="*", RevisionId=stale,
            **of,
        )  # fmt: skip
        assert (code, message) == ("PreconditionFailedException", mismatch.format("GetPolicy") + "latest Revision Id")
        seen = [await self_revision(plane, qualifier)]
        await add(plane, RevisionId=seen[0], **of)
        seen.append((await plane.call("GetPolicy", FunctionName="F", **of))["RevisionId"])
        assert await self_revision(plane, qualifier) == seen[1] != seen[0]
        code, message = await refusal(
            plane, "RemovePermission", FunctionName="F", StatementId="s", RevisionId=seen[0], **of
        )
        assert code == "PreconditionFailedException"
        assert message == mismatch.format("GetFunction/GetAlias") + "latest Revision Id"
        assert await self_revision(plane, qualifier) == seen[1]
        await plane.call("RemovePermission", FunctionName="F", StatementId="s", RevisionId=seen[1], **of)
        assert await self_revision(plane, qualifier) not in seen
        assert (await refusal(plane, "GetPolicy", FunctionName="F", **of))[0] == "ResourceNotFoundException"


async def self_revision(plane: Any, qualifier: str | None) -> str:
    if qualifier == "live":
        answer = await plane.call("GetAlias", FunctionName="F", Name="live")
    else:
        answer = await plane.call("GetFunctionConfiguration", FunctionName="F", Qualifier=qualifier or "$LATEST")
    revision: str = answer["RevisionId"]
    return revision


async def test_a_permission_while_a_function_is_created_does_not_keep_it_from_becoming_active(plane: Any) -> None:
    async with plane.activating():
        await plane.create()
        await add(plane)
        await plane.settle()
        await plane.settle()
        assert (await plane.call("GetFunctionConfiguration", FunctionName="F"))["State"] == "Active"
        assert await sids(plane) == ["s"]


async def test_a_policy_has_a_size_limit(plane: Any) -> None:
    await plane.create()
    number, code, message = 0, "", None
    while not code:
        try:
            await add(plane, f"s{number:03}" + "x" * 96)
            number += 1
        except ServiceError as error:
            code, message = error.code, error.message
    assert code == "PolicyLengthExceededException"
    assert message is not None
    assert message.endswith("is bigger than the limit (20480).")
    answer = await plane.call("GetPolicy", FunctionName="F")
    assert len(json.loads(answer["Policy"])["Statement"]) == number
    assert 20_000 < len(answer["Policy"]) <= 20_480


@pytest.mark.parametrize(
    ("principal", "shown"),
    [
        ("events.amazonaws.com", {"Service": "events.amazonaws.com"}),
        ("logs.us-east-1.amazonaws.com", {"Service": "logs.us-east-1.amazonaws.com"}),
        ("alexa-appkit.amazon.com", {"Service": "alexa-appkit.amazon.com"}),
        ("arn:aws:iam::222222222222:root", {"AWS": "arn:aws:iam::222222222222:root"}),
        ("arn:aws:iam::222222222222:role/a/b", {"AWS": "arn:aws:iam::222222222222:role/a/b"}),
        ("arn:aws:sts::222222222222:assumed-role/r/s", {"AWS": "arn:aws:sts::222222222222:assumed-role/r/s"}),
        ("arn:aws-cn:iam::222222222222:root", None),
        ("arn:aws:iam::2222:root", None),
        ("arn:aws:s3:::bucket", None),
        ("12345678901", None),
        ("amazonaws.com", None),
        ("someone", None),
    ],
)
async def test_principals(plane: Any, principal: str, shown: Any) -> None:
    await plane.create()
    if shown is not None:
        assert (await add(plane, Principal=principal))["Principal"] == shown
        return
    with pytest.raises(ServiceError) as raised:
        await add(plane, Principal=principal)
    assert raised.value.message == "The provided principal was invalid. Please check the principal and try again."


async def test_conditions_of_function_urls(plane: Any) -> None:
    await plane.create()
    added = await add(plane, Principal="*", InvokedViaFunctionUrl=True)
    assert added["Condition"] == {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}
    code, message = await refusal(
        plane, "AddPermission", FunctionName="F", StatementId="t", Action=INVOKE, Principal="*",
        FunctionUrlAuthType="NONE",
    )  # fmt: skip
    assert code == "InvalidParameterValueException"
    assert message == "FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action"


async def test_a_commit_that_fails_changes_nothing(plane: Any) -> None:
    await plane.create()
    await add(plane, "kept")
    plane.store.failing = True
    with pytest.raises(OSError, match="disk full"):
        await add(plane, "lost")
    plane.store.failing = False
    assert await sids(plane) == ["kept"]


async def test_whole_documents_and_statements_share_one_store(plane: Any) -> None:
    await plane.create()
    await add(plane, "replaced")
    deny = {
        "Sid": "deny", "Effect": "Deny", "Principal": {"AWS": ["222222222222", "333333333333"]}, "Action": "lambda:*",
        "Resource": ARN, "Condition": {"StringNotEquals": {"aws:SourceVpc": ["vpc-1", "vpc-2"]}},
    }  # fmt: skip
    document = {"Version": "2012-10-17", "Statement": [deny, {**deny, "Sid": "other"}]}
    put = await plane.call("PutResourcePolicy", ResourceArn=ARN, Policy=json.dumps(document, indent=2))
    assert json.loads(put["Policy"]) == document
    assert await plane.call("GetResourcePolicy", ResourceArn=ARN) == put
    assert await plane.call("GetPolicy", FunctionName="F") == put
    await add(plane, "appended")
    assert await sids(plane) == ["deny", "other", "appended"]
    await plane.call("RemovePermission", FunctionName="F", StatementId="deny")
    assert await sids(plane) == ["other", "appended"]
    revision = put["RevisionId"]
    assert (await refusal(plane, "DeleteResourcePolicy", ResourceArn=ARN, RevisionId=revision))[0].startswith("Precond")
    assert (
        await refusal(plane, "PutResourcePolicy", ResourceArn=ARN, Policy=json.dumps(document), RevisionId=revision)
    )[0].startswith("Precond")
    await plane.call("DeleteResourcePolicy", ResourceArn=ARN)
    for operation in ("GetResourcePolicy", "DeleteResourcePolicy"):
        assert (await refusal(plane, operation, ResourceArn=ARN))[0] == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("arn", "code"),
    [
        (f"{ARN}:$LATEST", "InvalidParameterValueException"),
        (f"{ARN}:9", "ResourceNotFoundException"),
        (f"{ARN}:nothing", "ResourceNotFoundException"),
        (ARN.replace("us-east-1", "eu-west-1"), "ResourceNotFoundException"),
        (ARN.replace("function:F", "runtime/mine"), "ResourceNotFoundException"),
        (ARN.replace("111111111111", "222222222222"), "AccessDeniedException"),
    ],
)
async def test_what_has_no_policy(plane: Any, arn: str, code: str) -> None:
    await plane.create()
    statement = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": statement})
    assert (await refusal(plane, "PutResourcePolicy", ResourceArn=arn, Policy=policy))[0] == code


async def test_policies_are_there_after_a_restart(plane: Any, another_plane: Any) -> None:
    await plane.create()
    await add(plane)
    before = await plane.call("GetPolicy", FunctionName="F")
    assert await another_plane(plane).call("GetPolicy", FunctionName="F") == before
