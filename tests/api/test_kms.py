"""KMS over the API, as boto3 and the AWS CLI use it, and the master key of a server that runs."""

from __future__ import annotations

import base64
import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from served import Server, refusal


@pytest.fixture(scope="session")
def kms(server: Server) -> Any:
    return server.client("kms")


@pytest.fixture
def key(kms: Any) -> str:
    arn: str = kms.create_key(Description="of a test")["KeyMetadata"]["Arn"]
    return arn


def ingle(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **variables}
    command = [sys.executable, "-m", "ingle", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)


def aws(server: Server, *arguments: str) -> Any:
    variables = {"AWS_ENDPOINT_URL": server.url, "AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test",
                 "AWS_SECRET_ACCESS_KEY": "test", "PYTHONWARNINGS": "ignore"}  # fmt: skip
    command = [sys.executable, "-m", "awscli", "--output", "json", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **variables}, timeout=60)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout or "{}")


def test_boto3_encrypts_and_decrypts_with_a_context(kms: Any, key: str) -> None:
    sealed = kms.encrypt(KeyId=key, Plaintext=b"secret", EncryptionContext={"a": "b"})
    opened = kms.decrypt(CiphertextBlob=sealed["CiphertextBlob"], EncryptionContext={"a": "b"})
    assert (opened["Plaintext"], opened["KeyId"]) == (b"secret", key)
    with pytest.raises(kms.exceptions.InvalidCiphertextException):
        kms.decrypt(CiphertextBlob=sealed["CiphertextBlob"], EncryptionContext={"a": "c"})
    with pytest.raises(kms.exceptions.InvalidCiphertextException) as raised:
        kms.decrypt(CiphertextBlob=b"nonsense")
    assert raised.value.response["Error"]["Message"] == ""


def test_errors_have_the_models_types_and_statuses(kms: Any, key: str) -> None:
    with pytest.raises(kms.exceptions.NotFoundException):
        kms.describe_key(KeyId="alias/none")
    kms.disable_key(KeyId=key)
    disabled = refusal(kms.encrypt, KeyId=key, Plaintext=b"x")
    assert disabled == (400, "DisabledException", f"{key} is disabled.")
    assert refusal(kms.cancel_key_deletion, KeyId=key)[:2] == (400, "KMSInvalidStateException")
    assert refusal(kms.sign, KeyId=key, Message=b"x", SigningAlgorithm="ECDSA_SHA_256")[:2] == (
        501, "NotImplementedException",
    )  # fmt: skip
    assert refusal(kms.encrypt, KeyId=key, Plaintext=b"x" * 4097) == (
        400, "ValidationException",
        "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length less "
        "than or equal to 4096",
    )  # fmt: skip
    kms.enable_key(KeyId=key)


def test_paginators_read_every_page(kms: Any) -> None:
    made = {kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(5)}
    pages = kms.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 2})
    assert made <= {entry["KeyId"] for page in pages for entry in page["Keys"]}


def test_the_aws_cli_makes_and_uses_a_key(server: Server, tmp_path: Path) -> None:
    key = aws(server, "kms", "create-key")["KeyMetadata"]["KeyId"]
    name = f"alias/cli/{key}"
    aws(server, "kms", "create-alias", "--alias-name", name, "--target-key-id", key)
    (tmp_path / "plain").write_bytes(b"secret")
    sealed = aws(server, "kms", "encrypt", "--key-id", name, "--plaintext", f"fileb://{tmp_path}/plain",
                 "--encryption-context", "a=b")  # fmt: skip
    (tmp_path / "sealed").write_bytes(base64.b64decode(sealed["CiphertextBlob"]))
    opened = aws(server, "kms", "decrypt", "--ciphertext-blob", f"fileb://{tmp_path}/sealed", "--encryption-context",
                 "a=b")  # fmt: skip
    assert base64.b64decode(opened["Plaintext"]) == b"secret"
    assert len(base64.b64decode(aws(server, "kms", "generate-random", "--number-of-bytes", "16")["Plaintext"])) == 16
    aws(server, "kms", "schedule-key-deletion", "--key-id", key, "--pending-window-in-days", "7")
    assert aws(server, "kms", "describe-key", "--key-id", key)["KeyMetadata"]["KeyState"] == "PendingDeletion"


def test_keys_survive_a_crash(directory: Path) -> None:
    server = Server(directory / "data").start()
    try:
        client = server.client("kms")
        key = client.create_key()["KeyMetadata"]["Arn"]
        blob = client.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
        client.rotate_key_on_demand(KeyId=key)
    finally:
        server.kill()
    server = Server(directory / "data").start()
    try:
        assert server.client("kms").decrypt(CiphertextBlob=blob)["Plaintext"] == b"secret"
    finally:
        server.stop()


def test_the_master_key_is_a_file_of_its_owner_and_rotates_while_the_server_runs(directory: Path) -> None:
    data = directory / "data"
    server = Server(data).start()
    try:
        file = data / "master.key"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        client = server.client("kms")
        key = client.create_key()["KeyMetadata"]["Arn"]
        blob = client.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
        first = file.read_text()
        rotated = ingle("keys", "rotate-master", "--forget-former", INGLE_DATA_DIR=str(data))
        assert (rotated.returncode, "1 keys are encrypted under it now" in rotated.stdout) == (0, True), rotated.stderr
        assert not set(first.splitlines()[1:]) & set(file.read_text().splitlines())
        assert client.decrypt(CiphertextBlob=blob)["Plaintext"] == b"secret"
        later = client.encrypt(KeyId=key, Plaintext=b"later")["CiphertextBlob"]
    finally:
        assert server.stop() == 0
    server = Server(data).start()
    try:
        client = server.client("kms")
        assert client.decrypt(CiphertextBlob=blob)["Plaintext"] == b"secret"
        assert client.decrypt(CiphertextBlob=later)["Plaintext"] == b"later"
    finally:
        server.stop()


def test_without_a_server_the_next_start_takes_the_new_master_key(directory: Path) -> None:
    data = directory / "data"
    server = Server(data).start()
    client = server.client("kms")
    blob = client.encrypt(KeyId=client.create_key()["KeyMetadata"]["Arn"], Plaintext=b"secret")["CiphertextBlob"]
    server.stop()
    rotated = ingle("keys", "rotate-master", INGLE_DATA_DIR=str(data))
    assert "the next one that starts takes" in rotated.stdout
    new = (data / "master.key").read_text().splitlines()[1]
    for content in ((data / "master.key").read_text(), new):
        (data / "master.key").write_text(content)  # the second time without the former key
        server = Server(data).start()
        assert server.client("kms").decrypt(CiphertextBlob=blob)["Plaintext"] == b"secret"
        server.stop()


def test_a_master_key_that_is_missing_or_another_stops_the_start_with_one_line(directory: Path) -> None:
    data = directory / "data"
    server = Server(data).start()
    server.client("kms").create_key()
    server.stop()
    kept = (data / "master.key").read_bytes()
    (data / "master.key").unlink()
    with pytest.raises(RuntimeError, match=r"master\.key is missing, and the data directory is encrypted under a key"):
        Server(data).start()
    assert not (data / "master.key").exists()
    other = base64.b64encode(b"x" * 32).decode()
    with pytest.raises(RuntimeError, match=r"The master key [0-9a-f]{16}, which .* is missing.*the variable OTHER_KEY"):
        Server(data, INGLE_MASTER_KEY="env:OTHER_KEY", OTHER_KEY=other).start()
    (data / "master.key").write_bytes(kept)
    (data / "master.key").chmod(0o644)
    with pytest.raises(RuntimeError, match="can be read by others"):
        Server(data).start()
    (data / "master.key").chmod(0o600)
    Server(data).start().stop()


@pytest.mark.parametrize("kind", ["file", "env", "command"])
def test_the_master_key_comes_from_where_the_setting_says(directory: Path, kind: str) -> None:
    data, secret = directory / "data", base64.b64encode(os.urandom(32)).decode()
    (directory / "printed").write_text(secret)
    source = {
        "file": f"file:{directory}/elsewhere.key", "env": "env:OTHER_KEY",
        "command": f"command:cat '{directory}/printed'",
    }[kind]  # fmt: skip
    settings = {"INGLE_MASTER_KEY": source, "OTHER_KEY": secret}
    server = Server(data, **settings).start()
    client = server.client("kms")
    blob = client.encrypt(KeyId=client.create_key()["KeyMetadata"]["Arn"], Plaintext=b"secret")["CiphertextBlob"]
    try:
        if kind != "file":
            new = base64.b64encode(os.urandom(32)).decode()
            (directory / "printed").write_text(f"{new}\n{secret}\n")
            settings["OTHER_KEY"] = f"{new} {secret}"
        rotated = ingle("keys", "rotate-master", INGLE_DATA_DIR=str(data), **settings)
        assert rotated.returncode == 0, rotated.stderr
        assert client.decrypt(CiphertextBlob=blob)["Plaintext"] == b"secret"
    finally:
        server.stop()
    if kind != "file":
        (directory / "printed").write_text(new)
        settings["OTHER_KEY"] = new
    server = Server(data, **settings).start()
    try:
        assert server.client("kms").decrypt(CiphertextBlob=blob)["Plaintext"] == b"secret"
    finally:
        server.stop()
    assert not (data / "master.key").exists()


def test_a_backup_says_that_the_master_key_is_not_in_it(directory: Path) -> None:
    data, copy = directory / "data", directory / "copy"
    server = Server(data).start()
    try:
        client = server.client("kms")
        blob = client.encrypt(KeyId=client.create_key()["KeyMetadata"]["Arn"], Plaintext=b"secret")["CiphertextBlob"]
        done = ingle("backup", str(copy), INGLE_DATA_DIR=str(data))
        assert (done.returncode, "master.key) is not in the copy" in done.stderr) == (0, True)
    finally:
        server.stop()
    assert not (copy / "master.key").exists()
    server = Server(copy, INGLE_MASTER_KEY=f"file:{data}/master.key").start()
    try:
        assert server.client("kms").decrypt(CiphertextBlob=blob)["Plaintext"] == b"secret"
    finally:
        server.stop()
