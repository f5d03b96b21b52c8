"""Environment variables under keys: what is kept, what is shown, and what happens when a key cannot be used."""

from __future__ import annotations

from typing import Any

import pytest

from ingle.domain.errors import (
    InvalidParameterValue,
    VariablesKeyAccessDenied,
    VariablesKeyDisabled,
    VariablesKeyInvalidState,
    VariablesKeyNotFound,
    VariablesUnreadable,
)
from ingle.domain.function import Function, FunctionKey, Version

MARKER = "a value that only callers see"
SET = {"Variables": {"NAME": MARKER}}
DAY = 86_400


def stored(plane: Any, name: str = "F") -> Function:
    function: Function = plane.store.functions[FunctionKey(account="111111111111", region="us-east-1", name=name)]
    return function


async def key_of(plane: Any, caller: Any = None) -> str:
    key: str = await plane.kms.key(caller or plane.CALLER)
    return key


async def grants(plane: Any, key: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await plane.kms.call("ListGrants", plane.CALLER, KeyId=key))["Grants"]
    return found


def opened(plane: Any, version: Version | None = None) -> dict[str, str]:
    found: dict[str, str] = plane.variables.open_for_execution(version or stored(plane).latest)
    return found


async def test_variables_are_encrypted_where_they_are_kept_and_readable_in_answers(plane: Any) -> None:
    async with plane.active(Environment=SET, Publish=True) as created:
        assert created["Environment"] == SET
        assert "KMSKeyArn" not in created
        for answer in (
            (await plane.call("GetFunction", FunctionName="F"))["Configuration"],
            await plane.call("GetFunctionConfiguration", FunctionName="F", Qualifier="1"),
            (await plane.call("ListFunctions"))["Functions"][0],
            (await plane.call("ListVersionsByFunction", FunctionName="F"))["Versions"][1],
        ):
            assert answer["Environment"] == SET
        for held in (stored(plane), plane.catalog.get(stored(plane).key)):
            sealed = held.latest.configuration.environment
            assert MARKER not in repr(held)
            assert MARKER.encode() not in sealed.data_key + sealed.ciphertext
            assert held.versions["1"].configuration.environment == sealed
        assert opened(plane) == {"NAME": MARKER}


async def test_the_managed_key_of_account_and_region_encrypts_what_has_no_other(plane: Any) -> None:
    await plane.create("F", Environment=SET)
    await plane.create("G", Environment={})
    await plane.create("H")
    (key,) = plane.kms.store.keys.values()
    assert (key.managed, key.account, key.region) == (True, "111111111111", "us-east-1")
    assert (await plane.call("GetFunctionConfiguration", FunctionName="G"))["Environment"] == {"Variables": {}}
    assert "Environment" not in await plane.call("GetFunctionConfiguration", FunctionName="H")


async def test_a_key_of_the_functions_own_is_shown_kept_in_versions_and_given_up(plane: Any) -> None:
    key = await key_of(plane)
    async with plane.active(Environment=SET, KMSKeyArn=key) as created:
        assert (created["KMSKeyArn"], created["Environment"]) == (key, SET)
        published = await plane.call("PublishVersion", FunctionName="F")
        assert published["KMSKeyArn"] == key
        restored = await plane.call("UpdateFunctionConfiguration", FunctionName="F", KMSKeyArn="")
        await plane.settle()
        assert ("KMSKeyArn" in restored, restored["Environment"]) == (False, SET)
        version = await plane.call("GetFunctionConfiguration", FunctionName="F", Qualifier="1")
        assert version["KMSKeyArn"] == key
        latest, one = stored(plane).latest.configuration, stored(plane).versions["1"].configuration
        managed = plane.kms.records.catalog.alias("111111111111", "us-east-1", "alias/aws/lambda")
        assert plane.kms.use.origin(latest.environment.data_key).id == managed.key_id
        assert plane.kms.use.origin(one.environment.data_key).arn == key


async def test_another_key_encrypts_the_variables_that_are_there(plane: Any) -> None:
    one, two = await key_of(plane), await key_of(plane)
    async with plane.active(Environment=SET, KMSKeyArn=one):
        changed = await plane.call("UpdateFunctionConfiguration", FunctionName="F", KMSKeyArn=two)
        assert (changed["KMSKeyArn"], changed["Environment"]) == (two, SET)
        await plane.settle()
        await plane.kms.call("DisableKey", plane.CALLER, KeyId=one)
        assert opened(plane) == {"NAME": MARKER}


async def test_the_same_variables_again_are_no_change(plane: Any) -> None:
    async with plane.active(Environment=SET):
        await plane.call("PublishVersion", FunctionName="F")
        await plane.call("UpdateFunctionConfiguration", FunctionName="F", Environment=SET)
        await plane.settle()
        assert (await plane.call("PublishVersion", FunctionName="F"))["Version"] == "1"
        await plane.call("UpdateFunctionConfiguration", FunctionName="F", Environment={"Variables": {"NAME": "other"}})
        await plane.settle()
        assert (await plane.call("PublishVersion", FunctionName="F"))["Version"] == "2"


async def test_ciphertexts_belong_to_their_function(plane: Any) -> None:
    await plane.create("F", Environment=SET)
    await plane.create("G")
    moved = stored(plane).latest.configuration.environment
    with pytest.raises(Exception, match="None"):
        plane.variables.open(plane.CALLER, stored(plane, "G").key, moved)


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("arn:aws:kms:us-east-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab",
         "NotFoundException KMS Message: Key "
         "'arn:aws:kms:us-east-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab' does not exist"),
        ("arn:aws:kms:eu-west-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab",
         "NotFoundException KMS Message: Invalid arn eu-west-1"),
        ("arn:aws:kms:us-east-1:111111111111:alias/a",
         "InvalidArnException KMS Message: Key Aliases are not supported for this operation."),
        ("arn:aws:s3:::bucket", "NotFoundException KMS Message: Invalid arn arn:aws:s3:::bucket"),
    ],
)  # fmt: skip
async def test_a_key_that_does_not_exist_is_told_as_aws_does(plane: Any, key: str, said: str) -> None:
    prefix = (
        "Lambda was unable to configure access to your environment variables because the KMS key is invalid for "
        "CreateGrant. Please check your KMS key settings. KMS Exception: "
    )
    with pytest.raises(InvalidParameterValue) as raised:
        await plane.create(KMSKeyArn=key, Environment=SET)
    assert raised.value.message == prefix + said
    assert plane.store.functions == {}
    async with plane.active():
        before = stored(plane)
        with pytest.raises(InvalidParameterValue) as raised:
            await plane.call("UpdateFunctionConfiguration", FunctionName="F", KMSKeyArn=key)
        assert (raised.value.message, stored(plane)) == (prefix + said, before)


async def test_a_key_that_cannot_be_used_sets_nothing_and_hides_what_was_set(plane: Any) -> None:
    key = await key_of(plane)
    async with plane.active(Environment=SET, KMSKeyArn=key):
        await plane.call("PublishVersion", FunctionName="F")
        for operation, code, said, unreadable, at_start in (
            ("DisableKey", "DisabledException", f"{key} is disabled.",
             "the KMS key used is disabled", VariablesKeyDisabled),
            ("ScheduleKeyDeletion", "KMSInvalidStateException", f"{key} is pending deletion.",
             "the KMS key used is in an invalid state for Decrypt", VariablesKeyInvalidState),
        ):  # fmt: skip
            await plane.kms.call(operation, plane.CALLER, KeyId=key)
            for change in ({"Environment": SET}, {"Role": plane.ROLE}, {"KMSKeyArn": key}):
                with pytest.raises(InvalidParameterValue, match=f"KMS Exception: {code} KMS Message: {said}"):
                    await plane.call("UpdateFunctionConfiguration", FunctionName="F", **change)
            with pytest.raises(InvalidParameterValue, match=code):
                await plane.create("G", KMSKeyArn=key)
            error = {
                "ErrorCode": code,
                "Message": f"Lambda was unable to decrypt your environment variables because {unreadable}. "
                f"Please check your KMS key settings. KMS Exception: {code} KMS Message: {said}",
            }
            # Everything else of the function can be changed.
            updated = await plane.call("UpdateFunctionConfiguration", FunctionName="F", Timeout=7)
            await plane.settle()
            coded = await plane.call("UpdateFunctionCode", FunctionName="F", ZipFile=plane.OTHER_ZIP)
            await plane.settle()
            for answer in (
                updated, coded, (await plane.call("GetFunction", FunctionName="F"))["Configuration"],
                await plane.call("GetFunctionConfiguration", FunctionName="F", Qualifier="1"),
                (await plane.call("ListFunctions"))["Functions"][0],
                await plane.call("PublishVersion", FunctionName="F"),
            ):  # fmt: skip
                assert (answer["Environment"], answer["KMSKeyArn"]) == ({"Error": error}, key)
            with pytest.raises(at_start) as raised:
                opened(plane)
            assert raised.value.message == (
                f"Lambda was unable to decrypt the environment variables because {unreadable}. Please check the "
                "function's KMS key settings."
            )
        await plane.kms.call("CancelKeyDeletion", plane.CALLER, KeyId=key)
        await plane.kms.call("EnableKey", plane.CALLER, KeyId=key)
        assert (await plane.call("GetFunctionConfiguration", FunctionName="F"))["Environment"] == SET
        assert opened(plane) == {"NAME": MARKER}


async def test_a_deleted_key_is_not_found_and_the_function_can_get_another(plane: Any) -> None:
    key = await key_of(plane)
    async with plane.active(Environment=SET, KMSKeyArn=key):
        await plane.kms.call("ScheduleKeyDeletion", plane.CALLER, KeyId=key, PendingWindowInDays=7)
        plane.kms.clock.seconds += 7 * DAY
        for clear_away in (False, True):
            if clear_away:
                await plane.kms.records.do_what_is_due()
            shown = (await plane.call("GetFunctionConfiguration", FunctionName="F"))["Environment"]["Error"]
            assert (shown["ErrorCode"], "the KMS key was not found" in shown["Message"]) == ("NotFoundException", True)
            with pytest.raises(VariablesKeyNotFound, match="because the KMS key was not found"):
                opened(plane)
        with pytest.raises(InvalidParameterValue, match="NotFoundException"):
            await plane.call("UpdateFunctionConfiguration", FunctionName="F", KMSKeyArn="")
        changed = await plane.call("UpdateFunctionConfiguration", FunctionName="F", KMSKeyArn="", Environment=SET)
        assert changed["Environment"] == SET


async def test_denied_access_is_told_to_callers_and_to_invocations(plane: Any) -> None:
    key = await key_of(plane)
    async with plane.active(Environment=SET, KMSKeyArn=key):
        plane.kms.authority.refused = {"kms:Decrypt"}
        shown = (await plane.call("GetFunction", FunctionName="F"))["Configuration"]["Environment"]
        assert shown == {"Error": {
            "ErrorCode": "AccessDeniedException",
            "Message": "Lambda was unable to decrypt your environment variables because the KMS access was denied. "
            "Please check your KMS permissions. KMS Exception: AccessDeniedException KMS Message: no kms:Decrypt",
        }}  # fmt: skip
        with pytest.raises(VariablesKeyAccessDenied) as raised:
            opened(plane)
        assert raised.value.message == (
            "Lambda was unable to decrypt the environment variables because KMS access was denied. Please check the "
            "function's KMS key settings. KMS Exception: AccessDeniedException KMS Message: no kms:Decrypt"
        )
        asked = plane.kms.authority.asked[-1]
        arn = "arn:aws:lambda:us-east-1:111111111111:function:F"
        assert (asked.via, asked.function, asked.role) == ("lambda", arn, plane.ROLE)
        assert (asked.context, len(asked.grants)) == ({"aws:lambda:FunctionArn": arn}, 1)
        plane.kms.authority.refused = {"kms:CreateGrant"}
        with pytest.raises(InvalidParameterValue, match="AccessDeniedException KMS Message: no kms:CreateGrant"):
            await plane.call("UpdateFunctionConfiguration", FunctionName="F", Environment=SET)
        plane.kms.authority.refused = {"kms:Encrypt"}
        with pytest.raises(InvalidParameterValue, match="AccessDeniedException KMS Message: no kms:Encrypt"):
            await plane.call("UpdateFunctionConfiguration", FunctionName="F", Environment={"Variables": {"OTHER": "x"}})


async def test_the_managed_key_needs_no_permission_and_a_denial_hides_values_all_the_same(plane: Any) -> None:
    async with plane.active(Environment=SET):
        first = plane.kms.authority.asked[0]
        assert (first.action, first.via) == ("kms:Encrypt", "lambda")
        plane.kms.authority.refused = {"kms:Decrypt"}
        shown = (await plane.call("GetFunctionConfiguration", FunctionName="F"))["Environment"]
        assert shown["Error"]["ErrorCode"] == "AccessDeniedException"


async def test_an_execution_role_has_a_grant_for_as_long_as_a_version_needs_it(plane: Any) -> None:
    key, other = await key_of(plane), await key_of(plane)
    arn = "arn:aws:lambda:us-east-1:111111111111:function:F"
    async with plane.active(Environment=SET, KMSKeyArn=key):
        (grant,) = await grants(plane, key)
        assert grant["GranteePrincipal"] == "arn:aws:sts::111111111111:assumed-role/lambda-role/F@lambda_function"
        assert grant["Operations"] == ["Decrypt", "RetireGrant"]
        assert grant["Constraints"] == {"EncryptionContextEquals": {"aws:lambda:FunctionArn": arn}}
        await plane.call("UpdateFunctionConfiguration", FunctionName="F", Environment={"Variables": {"NAME": "new"}})
        await plane.settle()
        assert await grants(plane, key) == [grant]
        await plane.call("PublishVersion", FunctionName="F")
        await plane.call("UpdateFunctionConfiguration", FunctionName="F", KMSKeyArn=other)
        await plane.settle()
        assert (len(await grants(plane, key)), len(await grants(plane, other))) == (1, 1)
        await plane.call("DeleteFunction", FunctionName="F", Qualifier="1")
        assert (await grants(plane, key), len(await grants(plane, other))) == ([], 1)
        role = plane.ROLE + "-2"
        await plane.call("UpdateFunctionConfiguration", FunctionName="F", Role=role)
        await plane.settle()
        (grant,) = await grants(plane, other)
        assert grant["GranteePrincipal"] == "arn:aws:sts::111111111111:assumed-role/lambda-role-2/F@lambda_function"
        await plane.call("DeleteFunction", FunctionName="F")
        assert await grants(plane, other) == []


async def test_a_function_that_updates_keeps_the_grant_of_what_still_serves(plane: Any) -> None:
    key = await key_of(plane)
    async with plane.active(Environment=SET, KMSKeyArn=key):
        await plane.call("UpdateFunctionConfiguration", FunctionName="F", KMSKeyArn="")
        assert len(await grants(plane, key)) == 1
        await plane.settle()
        assert await grants(plane, key) == []


async def test_a_store_that_fails_leaves_the_function_as_it_was(plane: Any) -> None:
    key = await key_of(plane)
    async with plane.active(Environment=SET):
        before = stored(plane)
        plane.kms.store.failing = True
        with pytest.raises(Exception, match="no space"):
            await plane.call("UpdateFunctionConfiguration", FunctionName="F", KMSKeyArn=key)
        assert stored(plane) == before
        # A grant that cannot be retired now does not undo what was done.
        plane.kms.store.failing = False
        await plane.call("UpdateFunctionConfiguration", FunctionName="F", KMSKeyArn=key)
        await plane.settle()
        plane.kms.store.failing = True
        await plane.call("DeleteFunction", FunctionName="F")
        assert plane.store.functions == {}


async def test_a_restarted_server_reads_what_was_stored(plane: Any, another_plane: Any) -> None:
    key = await key_of(plane)
    async with plane.active(Environment=SET, KMSKeyArn=key):
        pass
    after = another_plane(plane)
    assert (await after.call("GetFunctionConfiguration", FunctionName="F"))["Environment"] == SET


def test_every_error_at_a_start_is_one_of_the_model() -> None:
    from ingle.wire.model import load_model

    model = load_model("lambda")
    kinds = VariablesUnreadable.__subclasses__()
    assert len(kinds) == 4
    for kind in kinds:
        assert model.shape(kind.code).raw["error"]["httpStatusCode"] == 502
        assert kind.state_code in model.shape("StateReasonCode").raw["enum"]
        assert kind.state_code in model.shape("LastUpdateStatusReasonCode").raw["enum"]
