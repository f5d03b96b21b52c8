"""Environment variables at rest: where a value is while functions live, and what happens when its key does not work."""

from __future__ import annotations

import base64
import errno
import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from served import Server, package, refusal

MARKER = "a-value-that-lies-nowhere"
ROLE = "arn:aws:iam::000000000000:role/r"
SOURCE = """
import os

def handler(event, context):
    return os.environ["MARK"]
"""
OFTEN = {"Delay": 0.05, "MaxAttempts": 200}


def found_in(directory: Path, text: str = MARKER) -> list[str]:
    """The files of a directory that hold a text, as it is, in base64 or in hexadecimal."""
    forms = [text.encode(), text.encode().hex().encode()]
    # In base64 a text looks different at each of three offsets; what does not depend on its neighbours is sought.
    forms += [base64.b64encode(b"x" * offset + text.encode())[4:-4] for offset in range(3)]
    paths = [Path(root) / name for root, _, names in os.walk(directory) for name in names]
    contents = {str(path.relative_to(directory)): content(path) for path in paths}
    assert len(contents) > 5
    return [name for name, read in contents.items() if any(form in read for form in forms)]


def content(path: Path) -> bytes:
    """What a file holds: the holes of a file system's image are passed over. Nothing of what is gone by now."""
    parts = []
    try:
        if not path.is_file():
            return b""
        with path.open("rb") as file:
            place, size = 0, path.stat().st_size
            while place < size:
                start = os.lseek(file.fileno(), place, os.SEEK_DATA)
                place = os.lseek(file.fileno(), start, os.SEEK_HOLE)
                parts.append(os.pread(file.fileno(), place - start, start))
    except FileNotFoundError:
        return b""
    except OSError as error:
        if error.errno != errno.ENXIO:  # no data behind this place
            raise
    return b"".join(parts)


class Place:
    """A server of its own."""

    def __init__(self, directory: Path) -> None:
        self.data = directory / "data"
        self.server = Server(self.data)

    def start(self) -> Place:
        self.server.start()
        self.functions, self.kms = self.server.client("lambda"), self.server.client("kms")
        return self

    def create(self, name: str, source: str = SOURCE, **settings: Any) -> dict[str, Any]:
        request = {
            "Runtime": "python3.11", "Handler": "app.handler", "Role": ROLE,
            "Code": {"ZipFile": package({"app.py": source})},
            "Environment": {"Variables": {"MARK": MARKER}}, **settings,
        }  # fmt: skip
        made: dict[str, Any] = self.functions.create_function(FunctionName=name, **request)
        self.functions.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig=OFTEN)
        return made

    def update(self, name: str, **settings: Any) -> dict[str, Any]:
        made: dict[str, Any] = self.functions.update_function_configuration(FunctionName=name, **settings)
        self.functions.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=OFTEN)
        return made

    def invoke(self, name: str, **params: Any) -> Any:
        return json.loads(self.functions.invoke(FunctionName=name, **params)["Payload"].read())

    def said(self) -> str:
        """What the server has logged."""
        self.server.errors.seek(0)
        return self.server.errors.read()


@pytest.fixture
def place(directory: Path) -> Iterator[Place]:
    made = Place(directory).start()
    yield made
    assert made.server.stop() == 0


def ingle(place: Place, *arguments: str) -> subprocess.CompletedProcess[str]:
    """One run of a verb, by somebody who has the data directory."""
    command = [sys.executable, "-m", "ingle", *arguments]
    variables = {**os.environ, "INGLE_DATA_DIR": str(place.data)}
    return subprocess.run(command, capture_output=True, text=True, env=variables, timeout=60, check=False)


def command_lines() -> str:
    lines = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            lines.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
        except OSError:
            continue
    return "\n".join(lines)


def test_a_value_is_in_no_file_of_the_data_directory(directory: Path) -> None:
    place = Place(directory).start()
    key = place.kms.create_key()["KeyMetadata"]["Arn"]
    place.create("f")
    place.create("g", KMSKeyArn=key, Publish=True)
    for name in ("f", "g"):
        assert place.invoke(name) == MARKER
        assert (
            place.functions.get_function(FunctionName=name)["Configuration"]["Environment"]["Variables"]["MARK"]
            == MARKER
        )
    for number in range(5):
        place.update("f", Environment={"Variables": {"MARK": f"{MARKER}-{number}"}})
        place.functions.publish_version(FunctionName="f")
    assert place.invoke("f", Qualifier="3") == f"{MARKER}-2"
    place.update("g", KMSKeyArn="")
    place.functions.delete_function(FunctionName="g")
    # Running: the database with its log, the logs of functions, what is prepared.
    assert found_in(place.data) == []
    assert MARKER not in command_lines()
    place.server.kill()  # what a crash leaves
    assert found_in(place.data) == []
    place.server.start()
    assert json.loads(place.server.client("lambda").invoke(FunctionName="f")["Payload"].read()) == f"{MARKER}-4"
    assert MARKER not in place.said()
    copy = directory / "copy"
    assert ingle(place, "backup", str(copy)).returncode == 0
    assert place.server.stop() == 0
    assert found_in(directory) == []


def test_no_error_and_no_trace_shows_a_value(place: Place) -> None:
    """Requests that fail in every way that has to do with variables."""
    place.create("f")
    for variables in ({"MARK": MARKER, "1": "x"}, {"AWS_REGION": MARKER}):
        refused = refusal(place.functions.update_function_configuration, FunctionName="f",
                          Environment={"Variables": variables})  # fmt: skip
        assert MARKER not in refused[2]
    crash = "import os\nraise RuntimeError('no value here')\n"
    place.create("crashing", crash)
    place.functions.invoke(FunctionName="crashing")
    place.create("missing", SOURCE, Handler="app.missing")
    place.functions.invoke(FunctionName="missing")
    assert MARKER not in place.said()
    assert found_in(place.data) == []


def test_the_server_and_its_supervisor_leave_no_core_behind(place: Place) -> None:
    limits = Path(f"/proc/{place.server.process.pid}/limits").read_text()
    (line,) = [line for line in limits.splitlines() if line.startswith("Max core file size")]
    assert int(line.split()[4]) <= 1
    place.create("f", "import resource\n\ndef handler(e, c):\n    return resource.getrlimit(resource.RLIMIT_CORE)\n")
    assert place.invoke("f") == [10_737_418_240, 10_737_418_240]


def test_a_function_does_not_start_while_its_key_is_disabled(place: Place) -> None:
    key = place.kms.create_key()["KeyMetadata"]["Arn"]
    made = place.create("f", KMSKeyArn=key)
    assert (made["KMSKeyArn"], made["Environment"]["Variables"]) == (key, {"MARK": MARKER})
    assert place.invoke("f") == MARKER
    place.kms.disable_key(KeyId=key)
    assert place.invoke("f") == MARKER  # the environment that is there has its variables
    shown = place.functions.get_function_configuration(FunctionName="f")
    assert shown["Environment"] == {"Error": {
        "ErrorCode": "DisabledException",
        "Message": "Lambda was unable to decrypt your environment variables because the KMS key used is disabled. "
        f"Please check your KMS key settings. KMS Exception: DisabledException KMS Message: {key} is disabled.",
    }}  # fmt: skip
    listed = {item["FunctionName"]: item for item in place.functions.list_functions()["Functions"]}
    assert listed["f"]["Environment"] == shown["Environment"]
    updated = place.update("f", Description="changed")
    assert updated["Environment"] == shown["Environment"]
    text = (
        "Lambda was unable to decrypt the environment variables because the KMS key used is disabled. Please check the "
        "function's KMS key settings."
    )
    assert refusal(place.functions.invoke, FunctionName="f") == (502, "KMSDisabledException", text)
    assert refusal(place.functions.update_function_configuration, FunctionName="f", Environment={"Variables": {}}) == (
        400, "InvalidParameterValueException",
        "Lambda was unable to configure access to your environment variables because the KMS key is invalid for "
        "CreateGrant. Please check your KMS key settings. KMS Exception: DisabledException KMS Message: "
        f"{key} is disabled.",
    )  # fmt: skip
    events = eventually(lambda: lines_of(place, "/aws/lambda/f", "unable to decrypt"))
    assert {event["message"].strip() for event in events} == {text}
    assert len({event["logStreamName"] for event in events}) == 1
    place.kms.enable_key(KeyId=key)
    assert place.invoke("f") == MARKER
    assert place.functions.get_function_configuration(FunctionName="f")["Environment"]["Variables"]["MARK"] == MARKER


def lines_of(place: Place, group: str, pattern: str) -> list[dict[str, Any]]:
    logs = place.server.client("logs")
    found: list[dict[str, Any]] = logs.filter_log_events(logGroupName=group, filterPattern=f'"{pattern}"')["events"]
    return found


def eventually(look: Callable[[], Any]) -> Any:
    for _ in range(200):
        if found := look():
            return found
        time.sleep(0.02)
    raise AssertionError("it never came")


def test_a_key_that_is_to_be_deleted_is_in_an_invalid_state(place: Place) -> None:
    key = place.kms.create_key()["KeyMetadata"]["Arn"]
    place.create("f", KMSKeyArn=key, LoggingConfig={"LogFormat": "JSON"})
    place.kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert refusal(place.functions.invoke, FunctionName="f")[:2] == (502, "KMSInvalidStateException")
    (event, *_) = eventually(lambda: lines_of(place, "/aws/lambda/f", "unable to decrypt"))
    line = json.loads(event["message"])
    assert (line["level"], "is in an invalid state for Decrypt" in line["message"]) == ("ERROR", True)
    place.kms.cancel_key_deletion(KeyId=key)
    assert refusal(place.functions.invoke, FunctionName="f")[1] == "KMSDisabledException"
    place.kms.enable_key(KeyId=key)
    assert place.invoke("f") == MARKER


def test_key_and_variables_survive_a_restart_and_a_rotation_of_everything(place: Place) -> None:
    key = place.kms.create_key()["KeyMetadata"]["Arn"]
    place.create("f", KMSKeyArn=key)
    place.create("g")
    place.kms.rotate_key_on_demand(KeyId=key)
    done = ingle(place, "keys", "rotate-master", "--forget-former")
    assert (done.returncode, "3 keys are encrypted under it now" in done.stdout) == (0, True), done.stdout + done.stderr
    assert (place.invoke("f"), place.invoke("g")) == (MARKER, MARKER)
    assert place.server.stop() == 0
    place.start()
    assert (place.invoke("f"), place.invoke("g")) == (MARKER, MARKER)


def test_a_server_that_starts_while_a_key_is_disabled_serves_what_it_can(place: Place) -> None:
    key = place.kms.create_key()["KeyMetadata"]["Arn"]
    place.create("f", KMSKeyArn=key)
    place.create("g")
    place.kms.disable_key(KeyId=key)
    assert place.server.stop() == 0
    place.start()
    assert place.invoke("g") == MARKER
    assert refusal(place.functions.invoke, FunctionName="f")[1] == "KMSDisabledException"
    assert place.functions.get_function(FunctionName="f")["Configuration"]["State"] == "Active"
    place.kms.enable_key(KeyId=key)
    assert place.invoke("f") == MARKER


def test_a_snapshot_is_on_no_disk_and_needs_the_key_to_be_made_and_to_be_restored(place: Place) -> None:
    key = place.kms.create_key()["KeyMetadata"]["Arn"]
    snap_start = {"ApplyOn": "PublishedVersions"}
    initialised = "import os\nKEPT = os.environ['MARK'] * 3\n" + SOURCE
    place.create("f", initialised, KMSKeyArn=key, Runtime="python3.12", SnapStart=snap_start)

    def publish(description: str) -> tuple[str, str, str]:
        """Version, state, and what the state says: of a version that was published, once it is settled."""
        place.update("f", Description=description)
        number: str = place.functions.publish_version(FunctionName="f")["Version"]

        def state() -> Any:
            shown = place.functions.get_function_configuration(FunctionName="f", Qualifier=number)
            settled = shown["State"] != "Pending"
            return settled and (number, shown["State"], shown.get("StateReasonCode", ""))

        return eventually(state)

    number, state, _ = publish("usable")
    assert (state, place.invoke("f", Qualifier=number)) == ("Active", MARKER)
    assert found_in(place.data) == []
    place.kms.disable_key(KeyId=key)
    assert publish("disabled")[1:] == ("Failed", "DisabledKMSKey")
    # The environment that is there goes on; another one is not restored.
    assert place.invoke("f", Qualifier=number) == MARKER
    assert place.server.stop() == 0
    place.start()
    assert refusal(place.functions.invoke, FunctionName="f", Qualifier=number)[:2] == (502, "KMSDisabledException")
    place.kms.enable_key(KeyId=key)
    assert place.invoke("f", Qualifier=number) == MARKER


def test_provisioned_environments_wait_for_the_key(place: Place) -> None:
    key = place.kms.create_key()["KeyMetadata"]["Arn"]
    place.create("f", KMSKeyArn=key, Publish=True)
    place.kms.disable_key(KeyId=key)
    wanted = {"FunctionName": "f", "Qualifier": "1"}
    place.functions.put_provisioned_concurrency_config(ProvisionedConcurrentExecutions=1, **wanted)

    def status() -> str:
        answer: str = place.functions.get_provisioned_concurrency_config(**wanted)["Status"]
        return answer

    assert eventually(lambda: status() == "FAILED")
    place.kms.enable_key(KeyId=key)
    place.functions.put_provisioned_concurrency_config(ProvisionedConcurrentExecutions=2, **wanted)
    assert eventually(lambda: status() == "READY")
    assert place.invoke("f", Qualifier="1") == MARKER


def test_the_aws_cli_sets_and_gives_up_a_key(place: Place, directory: Path) -> None:
    (directory / "code.zip").write_bytes(package({"app.py": SOURCE}))

    def aws(*arguments: str) -> Any:
        variables = {"AWS_ENDPOINT_URL": place.server.url, "AWS_DEFAULT_REGION": "us-east-1",
                     "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
                     "PYTHONWARNINGS": "ignore"}  # fmt: skip
        command = [sys.executable, "-m", "awscli", "--output", "json", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **variables}, timeout=60)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout or "{}")

    key = aws("kms", "create-key")["KeyMetadata"]["Arn"]
    made = aws("lambda", "create-function", "--function-name", "f", "--runtime", "python3.11",
               "--handler", "app.handler", "--role", ROLE, "--zip-file", f"fileb://{directory}/code.zip",
               "--kms-key-arn", key, "--environment", f"Variables={{MARK={MARKER}}}")  # fmt: skip
    assert made["KMSKeyArn"] == key
    place.functions.get_waiter("function_active_v2").wait(FunctionName="f", WaiterConfig=OFTEN)
    assert len(aws("kms", "list-grants", "--key-id", key)["Grants"]) == 1
    restored = aws("lambda", "update-function-configuration", "--function-name", "f", "--kms-key-arn", "")
    assert ("KMSKeyArn" in restored, restored["Environment"]["Variables"]) == (False, {"MARK": MARKER})
    place.functions.get_waiter("function_updated_v2").wait(FunctionName="f", WaiterConfig=OFTEN)
    assert aws("kms", "list-grants", "--key-id", key)["Grants"] == []


def test_a_data_directory_of_an_older_release_is_encrypted_and_goes_on(directory: Path) -> None:
    place = Place(directory).start()
    place.create("f", Environment={"Variables": {}}, Publish=True)
    place.server.stop()
    make_old(place.data / "ingle.db", {"MARK": MARKER})
    assert found_in(place.data) == ["ingle.db"]
    place.start()
    try:
        assert place.invoke("f") == MARKER
        assert place.invoke("f", Qualifier="1") == MARKER
        assert found_in(place.data) == []
        sealed = place.data / "backups" / "schema-0007.db.sealed"
        readable = directory / "readable.db"
        done = ingle(place, "keys", "unseal", str(sealed), str(readable))
        assert done.returncode == 0, done.stderr
        assert MARKER.encode() in readable.read_bytes()
    finally:
        assert place.server.stop() == 0
    assert found_in(place.data) == []


def make_old(database: Path, variables: dict[str, str]) -> None:
    """What releases before KMS stored: no tables of what came later, and variables in clear."""
    with closing(sqlite3.connect(database)) as connection:
        for table in ("kms_keys", "kms_aliases", "kms_grants", "identities", "network_records", "test_events"):
            connection.execute(f"DROP TABLE {table}")
        rows = connection.execute("SELECT rowid, document FROM versions").fetchall()
        for number, text in rows:
            document = json.loads(text)
            document["configuration"]["environment"] = variables
            connection.execute("UPDATE versions SET document = ? WHERE rowid = ?", (json.dumps(document), number))
        connection.execute("UPDATE alembic_version SET version_num = '0007'")
        connection.commit()


IN_TRANSIT = """
import base64, os
import boto3

def handler(event, context):
    blob = base64.b64decode(os.environ["CIPHER"])
    answer = boto3.client("kms").decrypt(
        CiphertextBlob=blob, EncryptionContext={"LambdaFunctionName": os.environ["AWS_LAMBDA_FUNCTION_NAME"]}
    )
    return answer["Plaintext"].decode()
"""


def in_transit(place: Place, name: str, cipher: str) -> Any:
    """What the function decrypts of its variable."""
    place.create(name, IN_TRANSIT, Environment={"Variables": {"CIPHER": cipher}}, Timeout=20)
    return place.invoke(name)


def test_a_value_travels_encrypted_and_the_functions_code_decrypts_it(place: Place) -> None:
    key = place.kms.create_key()["KeyMetadata"]["KeyId"]
    context = {"LambdaFunctionName": "f"}
    sealed = place.kms.encrypt(KeyId=key, Plaintext=MARKER.encode(), EncryptionContext=context)
    cipher = base64.b64encode(sealed["CiphertextBlob"]).decode()
    assert in_transit(place, "f", cipher) == MARKER
    # Nothing is decrypted on the way, and nobody else's function can use it.
    assert place.functions.get_function_configuration(FunctionName="f")["Environment"]["Variables"] == {
        "CIPHER": cipher
    }
    assert in_transit(place, "other", cipher)["errorType"] == "InvalidCiphertextException"
    assert found_in(place.data) == []


def test_a_value_is_encrypted_on_the_command_line(place: Place) -> None:
    key = place.kms.create_key()["KeyMetadata"]["KeyId"]
    place.kms.create_alias(AliasName="alias/env", TargetKeyId=key)

    def encrypt(value: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "ingle", "env", "encrypt", "f", "--key", "alias/env", *arguments]
        environment = {**os.environ, "AWS_ENDPOINT_URL": place.server.url, "AWS_DEFAULT_REGION": "us-east-1"}
        return subprocess.run(command, input=value, capture_output=True, text=True, env=environment, timeout=60)

    done = encrypt(MARKER + "\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert in_transit(place, "f", done.stdout.strip()) == MARKER
    missing = encrypt(MARKER, "--key", "alias/none")
    assert (missing.returncode, "NotFoundException: Alias" in missing.stderr) == (1, True)
    for value in ("", "x" * 5000):
        assert (encrypt(value).returncode, "from 1 to 4096 bytes" in encrypt(value).stderr) == (2, True)
    assert done.stdout.count("\n") == 1
