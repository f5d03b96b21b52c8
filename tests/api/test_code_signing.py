"""Code signing from end to end: keys and signatures by the command line, deployments by boto3, functions that run."""

from __future__ import annotations

import io
import json
import os
import re
import stat
import time
import uuid
import zipfile
from datetime import UTC, datetime, timedelta

import pytest

from served import Server, package, refusal
from signer import Signer

ROLE = "arn:aws:iam::000000000000:role/r"
SETTINGS = {"Runtime": "python3.11", "Handler": "app.handler", "Role": ROLE}
SOON = {"Delay": 0.05, "MaxAttempts": 200}
SEAL = "META-INF/ingle-signature-v1"
VERIFICATION = (400, "CodeVerificationFailedException")
INTEGRITY = (400, "InvalidCodeSignatureException")
LISTING = """
import os

def handler(event, context):
    task = os.environ["LAMBDA_TASK_ROOT"]
    return sorted(os.path.relpath(os.path.join(at, name), task) for at, _, names in os.walk(task) for name in names)
"""


def code(text, **files):
    return package({"app.py": f"def handler(event, context):\n    return {text!r}\n", **files})


@pytest.fixture(scope="module")
def signer(server, tmp_path_factory):
    return Signer(server.data_dir, tmp_path_factory.mktemp("signer"))


@pytest.fixture(scope="module")
def team(signer):
    """The ARN of a version of the profile `team`."""
    return signer.create("team")


@pytest.fixture
def config(lambda_client):
    """`config(policy, *publishers)`: the ARN of a new code signing configuration."""

    def make(policy, *publishers, **more):
        made = lambda_client.create_code_signing_config(
            AllowedPublishers={"SigningProfileVersionArns": list(publishers)},
            CodeSigningPolicies={"UntrustedArtifactOnDeployment": policy},
            **more,
        )
        return made["CodeSigningConfig"]["CodeSigningConfigArn"]

    return make


@pytest.fixture
def create(lambda_client):
    """`create(zip, **settings)`: the name of a new active function, and what CreateFunction answered."""
    made = []

    def make(zip_bytes, **settings):
        name = f"f{uuid.uuid4().hex}"
        request = {**SETTINGS, **settings}
        created = lambda_client.create_function(FunctionName=name, Code={"ZipFile": zip_bytes}, **request)
        made.append(name)
        lambda_client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig=SOON)
        return name, created

    yield make
    for name in made:
        lambda_client.delete_function(FunctionName=name)


def update(client, name, zip_bytes):
    updated = client.update_function_code(FunctionName=name, ZipFile=zip_bytes)
    client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=SOON)
    return updated


def result(client, name):
    return json.loads(client.invoke(FunctionName=name)["Payload"].read())


def refused(client, name, zip_bytes):
    return refusal(client.update_function_code, FunctionName=name, ZipFile=zip_bytes)[:2]


def accepted(client, name, zip_bytes):
    try:
        client.update_function_code(FunctionName=name, ZipFile=zip_bytes, DryRun=True)
    except client.exceptions.CodeVerificationFailedException:
        return False
    return True


def tampered(zip_bytes, **files):
    """The package packed again with other files, the signature still in it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(zip_bytes)) as before, zipfile.ZipFile(buffer, "w") as after:
        for info in before.infolist():
            changed = files.pop(info.filename.replace(".", "_"), None)
            after.writestr(info, before.read(info) if changed is None else changed)
        for name, content in files.items():
            after.writestr(name, content)
    return buffer.getvalue()


def faults(client, name):
    """The sum of the metric, as it is now."""
    now = datetime.now(UTC)
    points = client.get_metric_statistics(
        Namespace="AWS/Lambda", MetricName="SignatureValidationErrors", Statistics=["Sum"], Period=3600,
        Dimensions=[{"Name": "FunctionName", "Value": name}],
        StartTime=now - timedelta(hours=1), EndTime=now + timedelta(minutes=1),
    )["Datapoints"]  # fmt: skip
    return sum(point["Sum"] for point in points)


def test_signed_code_is_deployed_runs_and_keeps_its_signature(lambda_client, signer, team, config, create):
    zip_bytes, job = signer.sign(package({"app.py": LISTING, "lib/__init__.py": ""}), "team")
    assert re.fullmatch(r"arn:aws:signer:us-east-1:000000000000:/signing-profiles/team/[a-zA-Z0-9]{10}", team)
    assert re.fullmatch(r"arn:aws:signer:us-east-1:000000000000:/signing-jobs/[0-9a-f-]{36}", job)
    enforcing = config("Enforce", team)
    name, created = create(zip_bytes, CodeSigningConfigArn=enforcing, Publish=True)
    assert (created["SigningProfileVersionArn"], created["SigningJobArn"]) == (team, job)
    assert result(lambda_client, name) == [SEAL, "app.py", "lib/__init__.py"]
    for qualifier in ("$LATEST", "1"):
        read = lambda_client.get_function(FunctionName=name, Qualifier=qualifier)["Configuration"]
        assert (read["SigningProfileVersionArn"], read["SigningJobArn"]) == (team, job)
    bound = lambda_client.get_function_code_signing_config(FunctionName=name)
    assert (bound["CodeSigningConfigArn"], bound["FunctionName"]) == (enforcing, name)
    listed = lambda_client.list_functions_by_code_signing_config(CodeSigningConfigArn=enforcing)["FunctionArns"]
    assert listed == [f"arn:aws:lambda:us-east-1:000000000000:function:{name}"]


def test_what_is_not_trusted_is_refused_and_the_function_goes_on(lambda_client, signer, team, config, create):
    stranger = signer.create("stranger")
    zip_bytes, _ = signer.sign(code("trusted"), "team")
    name, _ = create(zip_bytes, CodeSigningConfigArn=config("Enforce", team))
    before = lambda_client.get_function(FunctionName=name)["Configuration"]
    foreign, _ = signer.sign(code("foreign"), "stranger")
    for untrusted in (code("unsigned"), foreign):
        status, error, text = refusal(lambda_client.update_function_code, FunctionName=name, ZipFile=untrusted)
        assert (status, error) == VERIFICATION
        assert text.endswith(f"Check the provided signature for {before['FunctionArn']}.")
        dry = {"FunctionName": name, "ZipFile": untrusted, "DryRun": True}
        assert refusal(lambda_client.update_function_code, **dry)[:2] == VERIFICATION
    assert lambda_client.get_function(FunctionName=name)["Configuration"] == before
    assert result(lambda_client, name) == "trusted"
    both = config("Enforce", team, stranger)
    lambda_client.put_function_code_signing_config(FunctionName=name, CodeSigningConfigArn=both)
    assert update(lambda_client, name, foreign)["SigningProfileVersionArn"] == stranger
    assert result(lambda_client, name) == "foreign"


@pytest.mark.parametrize("policy", ["Warn", "Enforce"])
def test_code_that_was_tampered_with_is_never_deployed(lambda_client, signer, team, config, create, policy):
    zip_bytes, _ = signer.sign(code("trusted"), "team")
    name, _ = create(zip_bytes, CodeSigningConfigArn=config(policy, team))
    half = len(zip_bytes) // 2
    for changed in (
        tampered(zip_bytes, app_py="def handler(event, context):\n    return 'mine'\n"),
        tampered(zip_bytes, more="x"),
        zip_bytes[:half] + bytes([zip_bytes[half] ^ 1]) + zip_bytes[half + 1 :],
    ):
        assert refused(lambda_client, name, changed) == INTEGRITY
        request = {"FunctionName": "never", "Code": {"ZipFile": changed}, **SETTINGS}
        arn = lambda_client.get_function_code_signing_config(FunctionName=name)["CodeSigningConfigArn"]
        assert refusal(lambda_client.create_function, CodeSigningConfigArn=arn, **request)[:2] == INTEGRITY
    assert result(lambda_client, name) == "trusted"


def test_signatures_expire(lambda_client, signer, config, create):
    short = signer.create("short", "--validity", "2s")
    zip_bytes, _ = signer.sign(code("expired"), "short")
    enforcing = config("Enforce", short)
    request = {"FunctionName": f"f{uuid.uuid4().hex}", "Code": {"ZipFile": zip_bytes}, **SETTINGS}
    name, _ = create(code("before"))
    lambda_client.put_function_code_signing_config(FunctionName=name, CodeSigningConfigArn=enforcing)
    deadline = time.monotonic() + 30
    while accepted(lambda_client, name, zip_bytes):
        assert time.monotonic() < deadline, "the signature does not expire"
        time.sleep(0.1)
    update_code = {"FunctionName": name, "ZipFile": zip_bytes}
    assert "has expired" in refusal(lambda_client.update_function_code, **update_code)[2]
    assert refusal(lambda_client.create_function, CodeSigningConfigArn=enforcing, **request)[:2] == VERIFICATION
    assert result(lambda_client, name) == "before"


def test_a_job_and_then_the_whole_version_of_a_profile_are_revoked(lambda_client, signer, config, create):
    old = signer.create("rotated")
    first, job = signer.sign(code("first"), "rotated")
    second, _ = signer.sign(code("second"), "rotated")
    new = signer.create("rotated")
    third, _ = signer.sign(code("third"), "rotated")
    assert old.rpartition("/")[0] == new.rpartition("/")[0] != new
    name, _ = create(first, CodeSigningConfigArn=config("Enforce", old, new))
    signer.revoke(job)
    assert refused(lambda_client, name, first) == VERIFICATION
    assert result(lambda_client, name) == "first"
    update(lambda_client, name, second)
    signer.revoke(old)
    assert refused(lambda_client, name, second) == VERIFICATION
    update(lambda_client, name, third)
    assert result(lambda_client, name) == "third"
    listed = signer.run("signer", "list").stdout
    assert [re.search(rf"{re.escape(arn)} .* (\w+)\n", listed)[1] for arn in (old, new)] == ["revoked", "active"]


def test_with_a_warning_it_is_deployed_and_counted(server, lambda_client, signer, team, config, create):
    metrics = server.client("cloudwatch")
    zip_bytes, job = signer.sign(code("signed"), "team")
    name, _ = create(zip_bytes, CodeSigningConfigArn=config("Warn", team))
    assert faults(metrics, name) == 0
    assert "SigningJobArn" not in update(lambda_client, name, code("unsigned"))
    assert result(lambda_client, name) == "unsigned"
    assert faults(metrics, name) == 1
    signer.revoke(job)
    assert update(lambda_client, name, zip_bytes)["SigningJobArn"] == job
    assert faults(metrics, name) == 2
    enforcing = config("Enforce", team)
    lambda_client.put_function_code_signing_config(FunctionName=name, CodeSigningConfigArn=enforcing)
    assert refused(lambda_client, name, code("unsigned")) == VERIFICATION
    assert faults(metrics, name) == 3
    lambda_client.delete_function_code_signing_config(FunctionName=name)
    assert "SigningJobArn" not in update(lambda_client, name, code("unbound"))
    assert faults(metrics, name) == 3
    assert result(lambda_client, name) == "unbound"


def test_layers_are_signed_too(lambda_client, signer, team, config, create):
    content, job = signer.sign(package({"python/helper.py": "SAID = 'from a layer'\n"}), "team")
    app, _ = signer.sign(
        package({"app.py": "import helper\ndef handler(event, context):\n    return helper.SAID\n"}), "team"
    )
    unsigned = package({"python/helper.py": "SAID = 'mine'\n"})
    arns = []
    for zip_bytes in (content, unsigned):
        layer = lambda_client.publish_layer_version(LayerName=f"l{uuid.uuid4().hex}", Content={"ZipFile": zip_bytes})
        arns.append(layer["LayerVersionArn"])
    signed = lambda_client.get_layer_version_by_arn(Arn=arns[0])["Content"]
    assert (signed["SigningProfileVersionArn"], signed["SigningJobArn"]) == (team, job)
    assert "SigningJobArn" not in lambda_client.get_layer_version_by_arn(Arn=arns[1])["Content"]
    enforcing = config("Enforce", team)
    name, created = create(app, CodeSigningConfigArn=enforcing, Layers=[arns[0]])
    assert created["Layers"][0]["SigningJobArn"] == job
    assert result(lambda_client, name) == "from a layer"
    change = {"FunctionName": name, "Layers": [arns[1]]}
    status, error, text = refusal(lambda_client.update_function_configuration, **change)
    assert (status, error) == VERIFICATION
    assert text.endswith(f"signature for {arns[1]}.")
    assert result(lambda_client, name) == "from a layer"


def test_a_function_cannot_be_bound_to_what_is_not_there(lambda_client):
    absent = "arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-00000000000000000"
    request = {"FunctionName": "never", "Code": {"ZipFile": code("x")}, "CodeSigningConfigArn": absent, **SETTINGS}
    assert refusal(lambda_client.create_function, **request) == (
        404,
        "CodeSigningConfigNotFoundException",
        "The code signing configuration cannot be found. Check that the provided configuration is not deleted: "
        f"{absent}.",
    )


def test_tags_of_configurations(server, lambda_client, config):
    tagging, run = server.client("resourcegroupstaggingapi"), uuid.uuid4().hex
    publisher = "arn:aws:signer:us-east-1:000000000000:/signing-profiles/team/AbCdEfGh01"
    arn = config("Warn", publisher, Tags={run: "live", "team": "x"})
    other = config("Warn", publisher, Tags={run: "test"})
    lambda_client.tag_resource(Resource=arn, Tags={"team": "y", "größe": ""})
    lambda_client.untag_resource(Resource=arn, TagKeys=["größe"])
    assert lambda_client.list_tags(Resource=arn)["Tags"] == {run: "live", "team": "y"}

    def found(**more):
        mapped = tagging.get_resources(TagFilters=[{"Key": run}], **more)["ResourceTagMappingList"]
        return sorted(item["ResourceARN"] for item in mapped)

    assert found() == found(ResourceTypeFilters=["lambda:code-signing-config"]) == sorted([arn, other])
    assert found(ResourceTypeFilters=["lambda:function"]) == []
    assert run in [key for page in tagging.get_paginator("get_tag_keys").paginate() for key in page["TagKeys"]]
    assert tagging.get_tag_values(Key=run)["TagValues"] == ["live", "test"]
    tagging.tag_resources(ResourceARNList=[arn], Tags={run: "moved"})
    assert lambda_client.list_tags(Resource=arn)["Tags"][run] == "moved"
    lambda_client.delete_code_signing_config(CodeSigningConfigArn=arn)
    assert found() == [other]
    assert refusal(lambda_client.list_tags, Resource=arn)[:2] == (404, "ResourceNotFoundException")


def test_everything_is_there_after_a_restart(tmp_path):
    """Keys can be made before there is a server, and backups hold no private one."""
    data = tmp_path / "data"
    (tmp_path / "signer").mkdir()
    signer = Signer(data, tmp_path / "signer")
    profile = signer.create("team")
    zip_bytes, job = signer.sign(code("signed"), "team")
    running = Server(data).start()
    client = running.client("lambda")
    made = client.create_code_signing_config(
        AllowedPublishers={"SigningProfileVersionArns": [profile]}, Tags={"a": "b"},
        CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Enforce"},
    )  # fmt: skip
    arn = made["CodeSigningConfig"]["CodeSigningConfigArn"]
    client.create_function(FunctionName="f", Code={"ZipFile": zip_bytes}, CodeSigningConfigArn=arn, **SETTINGS)
    client.get_waiter("function_active_v2").wait(FunctionName="f", WaiterConfig=SOON)
    running.kill()
    assert signer.run("backup", str(tmp_path / "copy")).returncode == 0
    (key,) = signer.keys.iterdir()
    assert (stat.S_IMODE(key.stat().st_mode), stat.S_IMODE(signer.keys.stat().st_mode)) == (0o600, 0o700)
    secret = bytes.fromhex(json.loads(key.read_text())["private_key"])
    for kept in (data, tmp_path / "copy"):
        files = [path.read_bytes() for path in kept.rglob("*") if path.is_file()]
        assert not any(form in content for content in files for form in (secret, secret.hex().encode()))
    running = Server(tmp_path / "copy").start()
    client = running.client("lambda")
    assert client.list_tags(Resource=arn)["Tags"] == {"a": "b"}
    assert client.get_function(FunctionName="f")["Configuration"]["SigningJobArn"] == job
    assert refused(client, "f", code("unsigned")) == VERIFICATION
    assert update(client, "f", zip_bytes)["SigningProfileVersionArn"] == profile
    assert result(client, "f") == "signed"
    assert running.stop() == 0


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        (("sign", "absent.zip", "x.zip", "--profile", "team"), 1, "absent.zip: No such file"),
        (("sign", "x", "y", "--profile", "nobody"), 1, "there is no private key of a profile nobody"),
        (("sign", "x", "y", "--profile", "../team"), 2, "is not 2 to 64 letters"),
        (("sign", __file__, "y", "--profile", "team"), 1, "Not a zip archive"),
        (("signer", "create", "a-b"), 2, "is not 2 to 64 letters"),
        (("signer", "create", "ab", "--validity", "soon"), 2, "is not a length of time"),
        (("signer", "create", "ab", "--region", "../x"), 2, "is not the name of a region"),
        (("signer", "revoke", "arn:aws:signer:us-east-1:000000000000:/signing-profiles/x"), 2, "is no ARN of"),
        (("signer", "revoke", "arn:aws:signer:us-east-1:000000000000:/signing-profiles/xx/AbCdEfGh01"), 1, "no arn:"),
    ],
)
def test_the_command_says_what_is_wrong(signer, team, arguments, status, text):
    keys = ("--keys", str(signer.keys)) if "revoke" not in arguments else ()
    done = signer.run(*arguments, *keys)
    assert done.returncode == status
    assert text in done.stderr
    assert "Traceback" not in done.stderr
    assert not os.path.exists("y")


def test_a_package_is_signed_once(signer, team, tmp_path):
    zip_bytes, _ = signer.sign(code("x"), "team")
    (tmp_path / "signed.zip").write_bytes(zip_bytes)
    paths = (str(tmp_path / "signed.zip"), str(tmp_path / "again.zip"))
    done = signer.run("sign", *paths, "--profile", "team", "--keys", str(signer.keys))
    assert (done.returncode, "signed already" in done.stderr) == (1, True)
    assert not (tmp_path / "again.zip").exists()
