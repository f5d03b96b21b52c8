"""The `ingle` command and the unmodified AWS CLI against served instances, as a user types them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import uuid
from pathlib import Path

import pytest

ROLE = "arn:aws:iam::000000000000:role/any"
RUNTIME = f"python3.{sys.version_info.minor}"
ECHO = """
def handler(event, context):
    print("said", event.get("word"))
    return {"echo": event}
"""
CALLS_BACK = """
import json
import boto3

def handler(event, context):
    client = boto3.client("lambda")
    answer = client.invoke(FunctionName=event["name"], Payload=json.dumps({"word": "inner"}))
    names = [function["FunctionName"] for function in client.list_functions()["Functions"]]
    return {"inner": json.loads(answer["Payload"].read()), "listed": event["name"] in names}
"""


def environ(**changes: str) -> dict[str, str]:
    """This process's environment without anybody's settings, and `changes`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    # The warnings of a CLI's own dependencies are not what is tested.
    return {**kept, "PYTHONWARNINGS": "ignore", "COLUMNS": "120", **changes}


@pytest.fixture
def ingle(server):
    """`ingle(*arguments, **variables)`: one run of the command against the session's server."""

    def run(*arguments: str, text: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "ingle", *arguments],
            capture_output=True,
            text=True,
            input=text,
            env=environ(**{"AWS_ENDPOINT_URL": server.url, "AWS_DEFAULT_REGION": "us-east-1", **variables}),
            timeout=60,
            check=False,
        )

    return run


@pytest.fixture
def aws(server, tmp_path):
    """`aws(*arguments)`: what one run of the AWS CLI prints, as JSON where it is."""

    def run(*arguments: str, region: str = "us-east-1", account: str = "test") -> dict:
        variables = {
            "AWS_ENDPOINT_URL": server.url,
            "AWS_DEFAULT_REGION": region,
            "AWS_ACCESS_KEY_ID": account,
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_CONFIG_FILE": str(tmp_path / "none"),
            "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        }
        result = subprocess.run(
            [sys.executable, "-m", "awscli", "--output", "json", *arguments],
            capture_output=True,
            text=True,
            env=environ(**variables),
            cwd=tmp_path,
            timeout=60,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout) if result.stdout.strip() else {}

    return run


@pytest.fixture
def start_server(server, data_dir):
    """`start_server(data_dir)`: another server of the same kind; stopped after the test, before its data goes."""
    started = []

    def start(data_dir: Path, **settings: str):
        another = type(server)(data_dir, **settings).start()
        started.append(another)
        return another

    yield start
    for another in started:
        if another.process.poll() is None:
            assert another.stop() == 0


@pytest.fixture
def data_dir():
    """Not below tmp_path, which pytest keeps: packages are trees without write permission."""
    directory = Path(tempfile.mkdtemp(prefix="ingle-cli-"))
    yield directory / "data"
    shutil.rmtree(directory)


def deploy(server, name: str, package: bytes, **settings) -> None:
    client = server.client("lambda")
    request = {"Runtime": RUNTIME, "Handler": "app.handler", "Role": ROLE, "Timeout": 20, **settings}
    client.create_function(FunctionName=name, Code={"ZipFile": package}, **request)
    client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 200})


def invoke(server, name: str, payload: dict) -> dict:
    answer = server.client("lambda").invoke(FunctionName=name, Payload=json.dumps(payload))
    return json.loads(answer["Payload"].read())


def one_line(result: subprocess.CompletedProcess[str]) -> str:
    """The one line of a failure: nothing on standard output, no traceback, a status that says so."""
    assert result.returncode not in (0, -signal.SIGKILL), result.stdout
    assert result.stdout == ""
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("ingle: ")
    return lines[0]


# --- client verbs ---------------------------------------------------------------------------------------------------


def test_invoke_prints_the_answer_and_with_log_the_tail(ingle, function):
    name = function(ECHO)
    result = ingle("invoke", name, "--payload", '{"word": "hi"}', "--log")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == {"echo": {"word": "hi"}}
    assert "said hi" in result.stderr
    assert "REPORT RequestId: " in result.stderr
    assert json.loads(ingle("invoke", name, "--payload", "-", text='{"word": 1}').stdout) == {"echo": {"word": 1}}


def test_invoke_says_when_the_function_failed_or_does_not_exist(ingle, function):
    name = function("def handler(event, context):\n    raise ValueError('no')\n")
    result = ingle("invoke", name)
    assert result.returncode == 1
    assert json.loads(result.stdout)["errorType"] == "ValueError"
    assert "the function failed" in result.stderr
    assert "Function not found" in one_line(ingle("invoke", "missing"))
    assert "--payload is not JSON" in one_line(ingle("invoke", name, "--payload", "{"))
    assert "nothing is listening" in one_line(ingle("invoke", name, AWS_ENDPOINT_URL="http://127.0.0.1:9"))


def test_logs_prints_what_a_function_said(ingle, function):
    name = function(ECHO)
    ingle("invoke", name, "--payload", '{"word": "needle"}')
    result = ingle("logs", name)
    assert result.returncode == 0, result.stderr
    assert [line for line in result.stdout.splitlines() if line.endswith(" said needle")]
    assert "REPORT RequestId: " in result.stdout
    only = ingle("logs", name, "--filter-pattern", "needle").stdout.splitlines()
    assert [line.split(" ", 1)[1] for line in only] == ["said needle"]
    assert "has not been invoked yet" in one_line(ingle("logs", "missing"))


def test_logs_follow_shows_events_once_each_until_interrupted(server, function):
    name = function(ECHO)
    following = subprocess.Popen(
        [sys.executable, "-m", "ingle", "logs", name, "--follow"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environ(AWS_ENDPOINT_URL=server.url, AWS_DEFAULT_REGION="us-east-1"),
    )
    seen: list[str] = []
    reader = threading.Thread(target=lambda: seen.extend(following.stdout))
    reader.start()
    try:
        for word in ("first", "second"):
            invoke(server, name, {"word": word})
            assert eventually(lambda word=word: any(line.endswith(f"said {word}\n") for line in seen)), seen
        time.sleep(0.7)  # one more poll, which shows nothing again
    finally:
        following.send_signal(signal.SIGINT)
        status = following.wait(10)
        reader.join()
        errors = following.stderr.read()
        following.stdout.close()
        following.stderr.close()
    assert status == 130
    assert "Traceback" not in errors
    assert sum(" said " in line for line in seen) == 2


def eventually(condition, seconds: float = 15) -> bool:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def test_runtimes_lists_the_interpreter_of_the_tests(ingle):
    result = ingle("runtimes")
    assert result.returncode == 0
    assert [line for line in result.stdout.splitlines() if line.startswith(f"{RUNTIME} ")]
    assert "\x1b" not in result.stdout


def test_doctor_tells_what_the_machine_allows(ingle):
    found = json.loads(ingle("doctor", "--json").stdout)
    assert found["isolation"] in ("root", "user", "process")
    assert {"runtimes", "seccomp"} <= {finding["subject"].lower() for finding in found["findings"]}
    text = ingle("doctor").stdout
    assert all(finding["subject"] in text for finding in found["findings"])


# --- the server's life ----------------------------------------------------------------------------------------------


def test_functions_and_logs_outlive_a_restart(start_server, data_dir, zip_of):
    first = start_server(data_dir)
    deploy(first, "kept", zip_of({"app.py": ECHO}))
    before = first.client("lambda").get_function_configuration(FunctionName="kept")
    assert invoke(first, "kept", {"word": "before"}) == {"echo": {"word": "before"}}
    assert first.stop() == 0
    second = start_server(data_dir)
    after = second.client("lambda").get_function_configuration(FunctionName="kept")
    del before["ResponseMetadata"], after["ResponseMetadata"]
    assert after == before
    assert invoke(second, "kept", {"word": "after"}) == {"echo": {"word": "after"}}
    events = second.client("logs").filter_log_events(logGroupName="/aws/lambda/kept", filterPattern="said")["events"]
    assert [event["message"].strip() for event in events] == ["said before", "said after"]


def test_sigterm_lets_a_running_invocation_finish(start_server, data_dir, zip_of):
    running = start_server(data_dir)
    deploy(
        running, "slow", zip_of({"app.py": "import time\ndef handler(e, c):\n    time.sleep(1)\n    return 'done'\n"})
    )
    answers: list = []
    caller = threading.Thread(target=lambda: answers.append(invoke(running, "slow", {})))
    caller.start()
    time.sleep(0.5)
    assert running.stop() == 0
    caller.join(10)
    assert answers == ["done"]


def test_a_backup_of_a_live_server_can_be_served(ingle, start_server, data_dir, zip_of):
    live = start_server(data_dir)
    deploy(live, "saved", zip_of({"app.py": ECHO}))
    copy = data_dir.with_name("copy")
    result = ingle("backup", str(copy), INGLE_DATA_DIR=str(data_dir))
    assert result.returncode == 0, result.stderr
    deploy(live, "later", zip_of({"app.py": ECHO}))
    restored = start_server(copy)
    names = [function["FunctionName"] for function in restored.client("lambda").list_functions()["Functions"]]
    assert names == ["saved"]
    assert invoke(restored, "saved", {"word": "x"}) == {"echo": {"word": "x"}}
    assert "exists" in one_line(ingle("backup", str(copy), INGLE_DATA_DIR=str(data_dir)))


def test_a_taken_port_is_one_line(ingle, data_dir):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = one_line(ingle("serve", "--port", str(port), "--data-dir", str(data_dir)))
    assert str(port) in line
    assert "in use" in line


def test_a_second_server_on_a_data_directory_is_one_line(ingle, server):
    line = one_line(ingle("serve", "--port", "0", "--data-dir", str(server.data_dir)))
    assert str(server.data_dir) in line


def test_a_data_directory_that_cannot_be_used_is_one_line(ingle, tmp_path):
    (tmp_path / "file").write_text("")
    assert "file" in one_line(ingle("serve", "--port", "0", "--data-dir", str(tmp_path / "file" / "data")))


def test_a_data_directory_of_a_newer_release_is_one_line(ingle, data_dir):
    data_dir.mkdir(parents=True)
    (data_dir / "FORMAT").write_text("999\n")
    assert "knows up to" in one_line(ingle("serve", "--port", "0", "--data-dir", str(data_dir)))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "203.0.113.7"])
def test_an_address_that_others_reach_is_refused_without_authentication(ingle, data_dir, host):
    line = one_line(ingle("serve", "--host", host, "--port", "0", "--data-dir", str(data_dir)))
    assert "authentication" in line
    assert not data_dir.exists()


# --- the AWS CLI ----------------------------------------------------------------------------------------------------


def test_the_aws_cli_takes_a_function_through_its_life(aws, zip_of, tmp_path):
    name = f"cli-{uuid.uuid4().hex[:8]}"
    package = zip_of({"app.py": ECHO})
    (tmp_path / "first.zip").write_bytes(package)
    (tmp_path / "second.zip").write_bytes(zip_of({"app.py": "def handler(event, context):\n    return 2\n"}))
    created = aws(
        "lambda", "create-function", "--function-name", name, "--runtime", RUNTIME, "--handler", "app.handler",
        "--role", ROLE, "--timeout", "20", "--zip-file", "fileb://first.zip",
    )  # fmt: skip
    assert created["State"] == "Pending"
    aws("lambda", "wait", "function-active-v2", "--function-name", name)
    answer = aws("lambda", "invoke", "--function-name", name, "--payload", '{"word": "hi"}', "out.json")
    assert answer["StatusCode"] == 200
    assert json.loads((tmp_path / "out.json").read_text()) == {"echo": {"word": "hi"}}
    location = aws("lambda", "get-function", "--function-name", name)["Code"]["Location"]
    with urllib.request.urlopen(location, timeout=10) as download:
        assert hashlib.sha256(download.read()).digest() == hashlib.sha256(package).digest()
    assert name in [item["FunctionName"] for item in aws("lambda", "list-functions")["Functions"]]
    aws("lambda", "update-function-code", "--function-name", name, "--zip-file", "fileb://second.zip")
    aws("lambda", "wait", "function-updated-v2", "--function-name", name)
    aws("lambda", "update-function-configuration", "--function-name", name, "--timeout", "7", "--description", "new")
    aws("lambda", "wait", "function-updated-v2", "--function-name", name)
    configuration = aws("lambda", "get-function-configuration", "--function-name", name)
    assert (configuration["Timeout"], configuration["Description"]) == (7, "new")
    aws("lambda", "invoke", "--function-name", name, "out.json")
    assert (tmp_path / "out.json").read_text() == "2"
    aws("lambda", "delete-function", "--function-name", name)
    assert name not in [item["FunctionName"] for item in aws("lambda", "list-functions")["Functions"]]


def test_regions_and_accounts_do_not_see_each_other(server, zip_of):
    name = f"here-{uuid.uuid4().hex[:8]}"
    deploy(server, name, zip_of({"app.py": ECHO}))
    home = server.client("lambda")
    others = [server.client("lambda", region="eu-west-1"), server.client("lambda", account="123456789012")]
    for other in others:
        with pytest.raises(other.exceptions.ResourceNotFoundException):
            other.invoke(FunctionName=name)
        assert name not in [item["FunctionName"] for item in other.list_functions()["Functions"]]
    arn = home.get_function_configuration(FunctionName=name)["FunctionArn"]
    assert arn == f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
    home.delete_function(FunctionName=name)


def test_a_function_of_another_account_has_its_own_name_space(server, zip_of):
    client = server.client("lambda", account="123456789012", region="eu-west-1")
    code = {"ZipFile": zip_of({"app.py": ECHO})}
    role = "arn:aws:iam::123456789012:role/any"
    made = client.create_function(FunctionName="mine", Runtime=RUNTIME, Handler="app.handler", Role=role, Code=code)
    assert made["FunctionArn"] == "arn:aws:lambda:eu-west-1:123456789012:function:mine"
    client.get_waiter("function_active_v2").wait(FunctionName="mine", WaiterConfig={"Delay": 0.05, "MaxAttempts": 200})
    answer = client.invoke(FunctionName="mine", Payload=b'{"word": "x"}')
    assert json.loads(answer["Payload"].read()) == {"echo": {"word": "x"}}
    groups = server.client("logs", account="123456789012", region="eu-west-1").describe_log_groups()["logGroups"]
    assert [group["logGroupName"] for group in groups] == ["/aws/lambda/mine"]
    client.delete_function(FunctionName="mine")


def test_a_function_calls_ingle_with_its_own_boto3(ingle, server, function):
    if f"none: ingle runtimes install {RUNTIME}\n" in ingle("runtimes").stdout:
        pytest.skip(f"no boto3 for functions here: ingle runtimes install {RUNTIME}")
    inner = function(ECHO)
    outer = function(CALLS_BACK, Timeout=20)
    assert invoke(server, outer, {"name": inner}) == {"inner": {"echo": {"word": "inner"}}, "listed": True}


def test_try_serves_a_function_until_it_is_interrupted(data_dir):
    example = Path(__file__).parents[2] / "examples/hello"
    command = [sys.executable, "-m", "ingle", "try", str(example), "--port", "0", "--data-dir", str(data_dir)]
    for _ in range(2):  # the second time the function is there already
        trying = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ())
        shown = ""
        for line in trying.stdout:
            shown += line
            if "Ctrl-C stops it" in line:
                break
        trying.send_signal(signal.SIGINT)
        _, errors = trying.communicate(timeout=30)
        assert trying.returncode == 0, errors
        assert "Traceback" not in errors
        for expected in ("Hello, world!", "REPORT RequestId: ", "Endpoint: http://127.0.0.1:", "aws logs tail"):
            assert expected in shown
