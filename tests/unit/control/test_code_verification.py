"""What a code signing configuration does to deployments: what is refused, what is told, what is shown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ingle.control.code_signing_records import binding_of
from ingle.domain.errors import (
    CodeSigningConfigNotFound,
    CodeVerificationFailed,
    InvalidCodeSignature,
    InvalidParameterValue,
    ResourceConflict,
    ServiceError,
)
from ingle.domain.function import Signature
from ingle.domain.signing import ALTERED, Evidence

pytestmark = pytest.mark.asyncio

PROFILE = "arn:aws:signer:us-east-1:111111111111:/signing-profiles/team/AbCdEfGh01"
OTHER_PROFILE = "arn:aws:signer:us-east-1:111111111111:/signing-profiles/team/AbCdEfGh02"
JOB = "arn:aws:signer:us-east-1:111111111111:/signing-jobs/00000000-0000-4000-8000-000000000001"
ABSENT = "arn:aws:lambda:us-east-1:111111111111:code-signing-config:csc-00000000000000000"
FUNCTION = "arn:aws:lambda:us-east-1:111111111111:function:F"
#: After the clock of the tests, and before it.
LATER, EARLIER = 1_800_000_000, 1_700_000_000
GOOD = Evidence(signature=Signature(profile_version_arn=PROFILE, job_arn=JOB), expires=LATER)
FOREIGN = replace(GOOD, signature=Signature(profile_version_arn=OTHER_PROFILE, job_arn=JOB))
EXPIRED = replace(GOOD, expires=EARLIER)
REVOKED = replace(GOOD, revoked=True)
#: By what is wrong: the evidence (None: unsigned) and the words that tell it.
FAULTS = {
    "mismatch": (None, "not configured to accept"),
    "foreign": (FOREIGN, "not configured to accept"),
    "expired": (EXPIRED, "has expired"),
    "revoked": (REVOKED, "was revoked"),
    "everything": (replace(FOREIGN, expires=EARLIER, revoked=True), "has expired"),
}
SHOWN = {"SigningProfileVersionArn": PROFILE, "SigningJobArn": JOB}


async def make_config(plane: Any, policy: str, publishers: tuple[str, ...] = (PROFILE,)) -> str:
    made = await plane.call(
        "CreateCodeSigningConfig",
        AllowedPublishers={"SigningProfileVersionArns": list(publishers)},
        CodeSigningPolicies={"UntrustedArtifactOnDeployment": policy},
    )
    arn: str = made["CodeSigningConfig"]["CodeSigningConfigArn"]
    return arn


async def bind(plane: Any, policy: str) -> str:
    arn = await make_config(plane, policy)
    await plane.call("PutFunctionCodeSigningConfig", FunctionName="F", CodeSigningConfigArn=arn)
    return arn


def shown(answer: dict[str, Any]) -> dict[str, Any]:
    return {member: answer[member] for member in SHOWN if member in answer}


async def test_signed_code_is_shown_wherever_the_function_is(plane: Any, another_plane: Callable[[Any], Any]) -> None:
    plane.signatures.sign(plane.ZIP, GOOD)
    arn = await make_config(plane, "Enforce")
    async with plane.active(CodeSigningConfigArn=arn) as created:
        assert shown(created) == SHOWN
        await plane.call("PublishVersion", FunctionName="F")
        for server in (plane, another_plane(plane)):
            for qualifier in ("$LATEST", "1"):
                read = await server.call("GetFunctionConfiguration", FunctionName="F", Qualifier=qualifier)
                assert shown(read) == SHOWN
            (listed,) = (await server.call("ListFunctions"))["Functions"]
            assert shown(listed) == SHOWN
    assert plane.faulty == []


async def test_a_signature_is_shown_without_a_configuration_and_never_refused(plane: Any) -> None:
    async with plane.active():
        assert shown(await plane.call("GetFunctionConfiguration", FunctionName="F")) == {}
        for evidence, expected in ((ALTERED, {}), (REVOKED, SHOWN), (EXPIRED, SHOWN)):
            plane.signatures.sign(plane.OTHER_ZIP, evidence)
            updated = await plane.call("UpdateFunctionCode", FunctionName="F", ZipFile=plane.OTHER_ZIP)
            assert shown(updated) == expected
            await plane.settle()
    assert plane.faulty == []


async def test_a_function_is_bound_from_its_beginning(plane: Any, another_plane: Callable[[Any], Any]) -> None:
    arn = await make_config(plane, "Warn")
    await plane.create(CodeSigningConfigArn=arn)
    with pytest.raises(ResourceConflict):
        await plane.call("DeleteCodeSigningConfig", CodeSigningConfigArn=arn)
    found = await another_plane(plane).call("GetFunctionCodeSigningConfig", FunctionName="F")
    assert found == {"CodeSigningConfigArn": arn, "FunctionName": "F"}


async def test_nothing_is_made_that_should_be_bound_to_what_is_not_there(plane: Any) -> None:
    with pytest.raises(CodeSigningConfigNotFound, match=f"not deleted: {ABSENT}."):
        await plane.create(CodeSigningConfigArn=ABSENT)
    assert (plane.store.functions, plane.packages.kept) == ({}, set())


async def test_a_configuration_that_goes_while_code_is_on_its_way(plane: Any) -> None:
    arn = await make_config(plane, "Warn")
    plane.objects.found["b", "k", None] = plane.ZIP
    plane.objects.meanwhile = lambda: plane.call("DeleteCodeSigningConfig", CodeSigningConfigArn=arn)
    with pytest.raises(CodeSigningConfigNotFound):
        await plane.create(Code={"S3Bucket": "b", "S3Key": "k"}, CodeSigningConfigArn=arn)
    assert (plane.store.functions, plane.packages.kept) == ({}, set())


async def test_binding_and_deleting_at_the_same_time_leave_no_function_bound_to_nothing(plane: Any) -> None:
    arn = await make_config(plane, "Warn")
    async with plane.active():
        outcomes = await asyncio.gather(
            plane.create("G", CodeSigningConfigArn=arn),
            plane.call("PutFunctionCodeSigningConfig", FunctionName="F", CodeSigningConfigArn=arn),
            plane.call("DeleteCodeSigningConfig", CodeSigningConfigArn=arn),
            return_exceptions=True,
        )
    assert all(isinstance(outcome, dict | ServiceError) for outcome in outcomes)
    bound = {binding_of(function) for function in plane.store.functions.values()} - {None}
    assert bound <= {config.key.arn for config in plane.store.code_signing.values()}
    assert bound == ({arn} if any(isinstance(outcome, dict) for outcome in outcomes[:2]) else set())


async def test_code_signing_is_for_packages_only(plane: Any) -> None:
    arn = await make_config(plane, "Warn")
    with pytest.raises(InvalidParameterValue, match=r"CodeSigningConfigArn .* with packageType Image"):
        await plane.create(
            PackageType="Image", Code={"ImageUri": "uri"}, Runtime=None, Handler=None, CodeSigningConfigArn=arn
        )


@pytest.mark.parametrize("fault", FAULTS)
async def test_enforcement_refuses_and_changes_nothing(
    plane: Any, fault: str, capsys: pytest.CaptureFixture[str]
) -> None:
    evidence, words = FAULTS[fault]
    if evidence is not None:
        plane.signatures.sign(plane.OTHER_ZIP, evidence)
    async with plane.active():
        arn = await bind(plane, "Enforce")
        before, kept = plane.store.functions.copy(), plane.packages.kept.copy()
        with pytest.raises(CodeVerificationFailed, match=f"^Lambda cannot.*{words}.*signature for {FUNCTION}.$"):
            await plane.call("UpdateFunctionCode", FunctionName="F", ZipFile=plane.OTHER_ZIP)
        with pytest.raises(CodeVerificationFailed, match=f"{words}.*signature for G.$"):
            await plane.create("G", Code={"ZipFile": plane.OTHER_ZIP}, CodeSigningConfigArn=arn)
        assert (plane.store.functions, plane.packages.kept) == (before, kept)
    assert plane.faulty == ["F", "G"]
    assert "code that is not trusted is refused" in "".join(capsys.readouterr())


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_warning_lets_it_in_and_tells(plane: Any, fault: str, capsys: pytest.CaptureFixture[str]) -> None:
    evidence, _ = FAULTS[fault]
    if evidence is not None:
        plane.signatures.sign(plane.OTHER_ZIP, evidence)
    async with plane.active():
        arn = await bind(plane, "Warn")
        assert plane.faulty == []
        capsys.readouterr()
        updated = await plane.call("UpdateFunctionCode", FunctionName="F", ZipFile=plane.OTHER_ZIP)
        logged = "".join(capsys.readouterr())
        assert ("SigningJobArn" in updated) == (evidence is not None)
        await plane.create("G", Code={"ZipFile": plane.OTHER_ZIP}, CodeSigningConfigArn=arn)
    assert plane.faulty == ["F", "G"]
    assert "code that is not trusted was deployed" in logged
    assert arn in logged


@pytest.mark.parametrize("policy", ["Warn", "Enforce"])
async def test_altered_code_is_refused_whatever_the_policy(plane: Any, policy: str) -> None:
    plane.signatures.sign(plane.OTHER_ZIP, ALTERED)
    async with plane.active():
        arn = await bind(plane, policy)
        before, kept = plane.store.functions.copy(), plane.packages.kept.copy()
        for operation, params in (
            ("UpdateFunctionCode", {"FunctionName": "F", "ZipFile": plane.OTHER_ZIP}),
            ("UpdateFunctionCode", {"FunctionName": "F", "ZipFile": plane.OTHER_ZIP, "DryRun": True}),
        ):
            with pytest.raises(InvalidCodeSignature, match="changed after it was signed"):
                await plane.call(operation, **params)
        with pytest.raises(InvalidCodeSignature):
            await plane.create("G", Code={"ZipFile": plane.OTHER_ZIP}, CodeSigningConfigArn=arn)
        assert (plane.store.functions, plane.packages.kept) == (before, kept)


async def test_a_dry_run_is_checked_and_counts_nothing(plane: Any) -> None:
    dry = {"FunctionName": "F", "ZipFile": plane.OTHER_ZIP, "DryRun": True}
    async with plane.active():
        await bind(plane, "Warn")
        assert shown(await plane.call("UpdateFunctionCode", **dry)) == {}
        await bind(plane, "Enforce")
        with pytest.raises(CodeVerificationFailed):
            await plane.call("UpdateFunctionCode", **dry)
        plane.signatures.sign(plane.OTHER_ZIP, GOOD)
        assert shown(await plane.call("UpdateFunctionCode", **dry)) == SHOWN
        assert shown(await plane.call("GetFunctionConfiguration", FunctionName="F")) == {}
    assert plane.faulty == []


async def test_code_from_s3_is_checked_alike(plane: Any) -> None:
    plane.objects.found["b", "k", None] = plane.OTHER_ZIP
    source = {"S3Bucket": "b", "S3Key": "k"}
    async with plane.active():
        arn = await bind(plane, "Enforce")
        with pytest.raises(CodeVerificationFailed):
            await plane.call("UpdateFunctionCode", FunctionName="F", **source)
        with pytest.raises(CodeVerificationFailed):
            await plane.create("G", Code=source, CodeSigningConfigArn=arn)
        plane.signatures.sign(plane.OTHER_ZIP, GOOD)
        assert shown(await plane.call("UpdateFunctionCode", FunctionName="F", **source)) == SHOWN


@pytest.mark.parametrize("policy", ["Warn", "Enforce"])
async def test_what_is_no_package_is_told_as_that(plane: Any, policy: str) -> None:
    async with plane.active():
        await bind(plane, policy)
        with pytest.raises(InvalidParameterValue, match="Could not unzip uploaded file"):
            await plane.call("UpdateFunctionCode", FunctionName="F", ZipFile=plane.NOT_A_ZIP)
    assert plane.faulty == []


async def test_code_that_is_there_is_not_checked_again(plane: Any) -> None:
    async with plane.active():
        arn = await bind(plane, "Enforce")
        await plane.call("UpdateFunctionConfiguration", FunctionName="F", Description="x")
        await plane.settle()
        await plane.call("PublishVersion", FunctionName="F")
        await plane.call("DeleteFunctionCodeSigningConfig", FunctionName="F")
        await plane.call("UpdateFunctionCode", FunctionName="F", ZipFile=plane.OTHER_ZIP)
        await plane.call("DeleteCodeSigningConfig", CodeSigningConfigArn=arn)
    assert plane.faulty == []


async def test_a_changed_configuration_counts_at_the_next_deployment(plane: Any) -> None:
    plane.signatures.sign(plane.OTHER_ZIP, FOREIGN)
    update = {"FunctionName": "F", "ZipFile": plane.OTHER_ZIP}
    async with plane.active():
        arn = await bind(plane, "Warn")
        await plane.call("UpdateFunctionCode", **update)
        await plane.settle()
        enforce = {"UntrustedArtifactOnDeployment": "Enforce"}
        await plane.call("UpdateCodeSigningConfig", CodeSigningConfigArn=arn, CodeSigningPolicies=enforce)
        with pytest.raises(CodeVerificationFailed):
            await plane.call("UpdateFunctionCode", **update)
        publishers = {"SigningProfileVersionArns": [PROFILE, OTHER_PROFILE]}
        await plane.call("UpdateCodeSigningConfig", CodeSigningConfigArn=arn, AllowedPublishers=publishers)
        assert (await plane.call("UpdateFunctionCode", **update))["SigningProfileVersionArn"] == OTHER_PROFILE
        await plane.settle()
    assert plane.faulty == ["F", "F"]


async def publish_layer(plane: Any, content: bytes, name: str = "L") -> dict[str, Any]:
    published: dict[str, Any] = await plane.call("PublishLayerVersion", LayerName=name, Content={"ZipFile": content})
    return published


async def test_a_signed_layer_is_shown_and_any_layer_can_be_published(plane: Any) -> None:
    for evidence, expected in ((GOOD, SHOWN), (REVOKED, SHOWN), (ALTERED, {})):
        plane.signatures.sign(plane.ZIP, evidence)
        published = await publish_layer(plane, plane.ZIP)
        read = await plane.call("GetLayerVersion", LayerName="L", VersionNumber=published["Version"])
        assert shown(published["Content"]) == shown(read["Content"]) == expected
    assert plane.faulty == []


@pytest.mark.parametrize(("evidence", "error"), [(None, CodeVerificationFailed), (ALTERED, InvalidCodeSignature)])
async def test_layers_are_checked_when_a_function_gets_them(
    plane: Any, evidence: Evidence | None, error: type[Exception]
) -> None:
    plane.signatures.sign(plane.ZIP, GOOD)
    if evidence is not None:
        plane.signatures.sign(plane.OTHER_ZIP, evidence)
    signed = (await publish_layer(plane, plane.ZIP, "signed"))["LayerVersionArn"]
    other = (await publish_layer(plane, plane.OTHER_ZIP, "other"))["LayerVersionArn"]
    async with plane.active():
        arn = await bind(plane, "Enforce")
        before = plane.store.functions.copy()
        with pytest.raises(error, match=f"signature for {other}.$"):
            await plane.call("UpdateFunctionConfiguration", FunctionName="F", Layers=[signed, other])
        with pytest.raises(error, match=f"signature for {other}.$"):
            await plane.create("G", Layers=[other], CodeSigningConfigArn=arn)
        assert plane.store.functions == before
        updated = await plane.call("UpdateFunctionConfiguration", FunctionName="F", Layers=[signed])
        assert shown(updated["Layers"][0]) == SHOWN
        await plane.settle()


async def test_layers_that_are_let_in_are_told(plane: Any) -> None:
    layer = (await publish_layer(plane, plane.OTHER_ZIP))["LayerVersionArn"]
    plane.signatures.sign(plane.ZIP, GOOD)
    arn = await make_config(plane, "Warn")
    async with plane.active(CodeSigningConfigArn=arn):
        assert plane.faulty == []
        await plane.call("UpdateFunctionConfiguration", FunctionName="F", Layers=[layer])
        await plane.settle()
        assert plane.faulty == ["F"]
        await plane.call("UpdateFunctionCode", FunctionName="F", ZipFile=plane.ZIP)
        await plane.create("G", Layers=[layer], CodeSigningConfigArn=arn)
    assert plane.faulty == ["F", "G"]


async def test_a_deployment_that_fails_to_commit_is_not_told(plane: Any) -> None:
    async with plane.active():
        await bind(plane, "Warn")
        plane.store.failing = True
        with pytest.raises(OSError, match="disk full"):
            await plane.call("UpdateFunctionCode", FunctionName="F", ZipFile=plane.OTHER_ZIP)
    assert plane.faulty == []
