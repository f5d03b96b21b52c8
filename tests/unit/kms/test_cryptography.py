"""Encrypting, decrypting and data keys."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingle.domain.errors import NotImplementedByIngle
from ingle.supporting.kms.errors import InvalidCiphertext, KmsAccessDenied
from kms_world import World


async def test_a_ciphertext_needs_no_key_id_and_the_same_context(world: World):
    key = await world.key()
    context = {"LambdaFunctionName": "f", "b": "c"}
    answer = await world.call("Encrypt", KeyId=key, Plaintext=b"secret", EncryptionContext=context)
    assert (answer["KeyId"], answer["EncryptionAlgorithm"]) == (key, "SYMMETRIC_DEFAULT")
    blob = answer["CiphertextBlob"]
    assert b"secret" not in blob
    opened = await world.call("Decrypt", CiphertextBlob=blob, EncryptionContext=dict(reversed(context.items())))
    assert opened == {
        "KeyId": key, "Plaintext": b"secret", "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        "KeyMaterialId": (await world.described(key))["CurrentKeyMaterialId"],
    }  # fmt: skip
    for wrong in (
        {},
        {"LambdaFunctionName": "g", "b": "c"},
        {**context, "d": "e"},
        {"lambdafunctionname": "f", "b": "c"},
    ):
        refused = await world.refused("Decrypt", CiphertextBlob=blob, EncryptionContext=wrong)
        assert refused == ("InvalidCiphertextException", None)


async def test_a_key_that_is_named_has_to_be_the_one(world: World):
    key, other = await world.key(), await world.key()
    blob = await world.encrypt(key)
    assert (await world.call("Decrypt", CiphertextBlob=blob, KeyId=key))["Plaintext"] == b"secret"
    assert await world.refused("Decrypt", CiphertextBlob=blob, KeyId=other) == (
        "IncorrectKeyException", "The key ID in the request does not identify a CMK that can perform this operation.",
    )  # fmt: skip


async def test_ciphertexts_of_unknown_keys_and_of_other_regions_tell_nothing(world: World):
    blob = await world.encrypt(await world.key())
    text = (
        "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are "
        "not allowed to access."
    )
    elsewhere = world.caller(region="eu-west-1")
    assert await world.refused("Decrypt", elsewhere, CiphertextBlob=blob) == ("AccessDeniedException", text)
    assert await World().refused("Decrypt", CiphertextBlob=blob) == ("AccessDeniedException", text)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(data=st.data())
async def test_no_damaged_ciphertext_is_deciphered(data: st.DataObject):
    world = World()
    blob = bytearray(await world.encrypt(await world.key()))
    how = data.draw(st.sampled_from(["flip", "cut", "extend", "other"]))
    if how == "flip":
        blob[data.draw(st.integers(0, len(blob) - 1))] ^= data.draw(st.integers(1, 255))
    elif how == "cut":
        del blob[data.draw(st.integers(0, len(blob) - 1)) :]
    elif how == "extend":
        blob += data.draw(st.binary(min_size=1, max_size=20))
    else:
        blob[:] = data.draw(st.binary(max_size=200))
    with pytest.raises((InvalidCiphertext, KmsAccessDenied)):
        await world.call("Decrypt", CiphertextBlob=bytes(blob))


async def test_old_ciphertexts_stay_readable_after_rotations(world: World):
    key = await world.key()
    blobs = []
    for number in range(4):
        blobs.append(await world.encrypt(key, b"%d" % number))
        await world.call("RotateKeyOnDemand", KeyId=key)
    after = await world.restarted()
    opened = [await after.call("Decrypt", CiphertextBlob=blob) for blob in blobs]
    assert [answer["Plaintext"] for answer in opened] == [b"0", b"1", b"2", b"3"]
    assert len({answer["KeyMaterialId"] for answer in opened}) == 4


async def test_re_encrypting_changes_key_and_context(world: World):
    key, other = await world.key(), await world.key()
    blob = await world.encrypt(key, EncryptionContext={"a": "1"})
    answer = await world.call(
        "ReEncrypt", CiphertextBlob=blob, SourceEncryptionContext={"a": "1"}, SourceKeyId=key, DestinationKeyId=other,
        DestinationEncryptionContext={"b": "2"},
    )  # fmt: skip
    assert (answer["SourceKeyId"], answer["KeyId"]) == (key, other)
    assert answer["SourceKeyMaterialId"] != answer["DestinationKeyMaterialId"]
    opened = await world.call("Decrypt", CiphertextBlob=answer["CiphertextBlob"], EncryptionContext={"b": "2"})
    assert (opened["Plaintext"], opened["KeyId"]) == (b"secret", other)
    wrong = {"CiphertextBlob": blob, "DestinationKeyId": other}
    assert (await world.refused("ReEncrypt", **wrong))[0] == "InvalidCiphertextException"


@pytest.mark.parametrize(
    ("params", "size"), [({"KeySpec": "AES_256"}, 32), ({"KeySpec": "AES_128"}, 16), ({"NumberOfBytes": 64}, 64)]
)
async def test_a_data_key_comes_readable_and_encrypted(world: World, params: dict[str, Any], size: int):
    key = await world.key()
    answer = await world.call("GenerateDataKey", KeyId=key, EncryptionContext={"a": "b"}, **params)
    assert (len(answer["Plaintext"]), answer["KeyId"]) == (size, key)
    opened = await world.call("Decrypt", CiphertextBlob=answer["CiphertextBlob"], EncryptionContext={"a": "b"})
    assert (opened["Plaintext"], opened["KeyMaterialId"]) == (answer["Plaintext"], answer["KeyMaterialId"])
    without = await world.call("GenerateDataKeyWithoutPlaintext", KeyId=key, **params)
    assert "Plaintext" not in without
    assert len((await world.call("Decrypt", CiphertextBlob=without["CiphertextBlob"]))["Plaintext"]) == size


async def test_a_data_key_has_one_size(world: World):
    key = await world.key()
    for params in ({}, {"KeySpec": "AES_256", "NumberOfBytes": 32}):
        assert await world.refused("GenerateDataKey", KeyId=key, **params) == (
            "ValidationException", "Please specify either number of bytes or key spec.",
        )  # fmt: skip


async def test_random_bytes(world: World):
    found = {(await world.call("GenerateRandom", NumberOfBytes=32))["Plaintext"] for _ in range(10)}
    assert {len(item) for item in found} == {32}
    assert len(found) == 10
    assert (await world.refused("GenerateRandom"))[0] == "ValidationException"


async def test_dry_runs_say_what_would_happen_and_do_nothing(world: World):
    key = await world.key()
    blob = await world.encrypt(key)
    would = ("DryRunOperationException", "The request would have succeeded, but the DryRun option is set.")
    grant = {"GranteePrincipal": "arn:aws:iam::111111111111:role/r", "Operations": ["Decrypt"]}
    calls: dict[str, dict[str, Any]] = {
        "Encrypt": {"KeyId": key, "Plaintext": b"x"}, "Decrypt": {"CiphertextBlob": blob},
        "GenerateDataKey": {"KeyId": key, "KeySpec": "AES_256"}, "CreateGrant": {"KeyId": key, **grant},
        "ReEncrypt": {"CiphertextBlob": blob, "DestinationKeyId": key},
    }  # fmt: skip
    for operation, params in calls.items():
        assert await world.refused(operation, DryRun=True, **params) == would
    without = {"KeyId": key, "DryRun": True, "DryRunModifiers": ["IGNORE_CIPHERTEXT"]}
    assert await world.refused("Decrypt", **without) == would
    await world.call("DisableKey", KeyId=key)
    for operation, params in calls.items():
        assert (await world.refused(operation, DryRun=True, **params))[0] == "DisabledException"
    assert (await world.refused("Decrypt", **without))[0] == "DisabledException"
    assert world.store.grants == {}


async def test_what_symmetric_keys_do_not_have_is_refused(world: World):
    key = await world.key()
    blob = await world.encrypt(key)
    algorithm = {"EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}
    for operation, params in {
        "Encrypt": {"KeyId": key, "Plaintext": b"x"},
        "Decrypt": {"CiphertextBlob": blob},
    }.items():
        assert (await world.refused(operation, **params, **algorithm))[0] == "InvalidKeyUsageException"
    assert (await world.refused("Decrypt", KeyId=key))[0] == "ValidationException"
    assert (await world.refused("Decrypt", CiphertextBlob=blob, GrantTokens=["x"]))[0] == "InvalidGrantTokenException"
    long = {f"k{number}": "v" * 1000 for number in range(9)}
    assert (await world.refused("Encrypt", KeyId=key, Plaintext=b"x", EncryptionContext=long))[
        0
    ] == "ValidationException"
    with pytest.raises(NotImplementedByIngle, match="Recipient"):
        await world.call("Decrypt", CiphertextBlob=blob, Recipient={})
