"""`provided` runtimes: AWS's own Python runtime client, a program of one's own, and bootstraps that cannot start."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest

from kernel.sandboxed import FunctionFailed, Sandboxed, distributions

pytestmark = pytest.mark.kernel

#: In the sandbox of a custom runtime the interpreter that environments are forked from is at /var/lang.
PYTHON = "/var/lang/bin/python3.11"
PLAIN = f"""#!{PYTHON}
import http.client, json, os

api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
while True:
    api.request("GET", "/2018-06-01/runtime/invocation/next")
    poll = api.getresponse()
    event, request = json.loads(poll.read()), poll.headers["Lambda-Runtime-Aws-Request-Id"]
    if event == "fail":
        path, body = "error", {{"errorType": "Mine.Failed", "errorMessage": "as asked"}}
    else:
        arn = poll.headers["Lambda-Runtime-Invoked-Function-Arn"]
        path, body = "response", [event, os.environ["_HANDLER"], arn, os.getcwd()]
    api.request("POST", "/2018-06-01/runtime/invocation/%s/%s" % (request, path), json.dumps(body))
    api.getresponse().read()
"""
HANDLER = """
import awslambdaric, json, sys

def handler(event, context):
    print("to the log")
    if event == "fail":
        raise ValueError("as asked")
    return {"event": event, "request": context.aws_request_id, "left": context.get_remaining_time_in_millis() > 0,
            "client": awslambdaric.__file__}
"""


@pytest.fixture(scope="module")
def custom(walled: Sandboxed) -> Sandboxed:
    return walled


def create(custom: Sandboxed, files: dict[str, str | bytes], **settings: object) -> str:
    return custom.create(files, Runtime="provided.al2023", Handler="app.handler", **settings)


def test_awslambdaric_serves_as_a_bootstrap(custom: Sandboxed) -> None:
    bootstrap = f'#!/bin/sh\nexec {PYTHON} -m awslambdaric "$_HANDLER"\n'
    client = distributions("awslambdaric", "simplejson", "snapshot-restore-py")
    name = create(custom, {"bootstrap": bootstrap, "app.py": HANDLER, **client}, MemorySize=512)
    answers = [custom.call(name, {"n": n}) for n in range(3)]
    assert [answer["event"] for answer in answers] == [{"n": 0}, {"n": 1}, {"n": 2}]
    assert all(answer["left"] and answer["client"].startswith("/var/task/") for answer in answers)
    assert len({answer["request"] for answer in answers}) == 3
    with pytest.raises(FunctionFailed) as raised:
        custom.call(name, "fail")
    assert (raised.value.kind, raised.value.message) == ("ValueError", "as asked")
    assert custom.call(name, "more")["event"] == "more"


def test_a_program_of_ones_own_serves(custom: Sandboxed) -> None:
    name = create(custom, {"bootstrap": PLAIN})
    event, handler, arn, directory = custom.call(name, {"n": 1})
    assert (event, handler, directory) == ({"n": 1}, "app.handler", "/var/task")
    assert arn.endswith(f":function:{name}")
    with pytest.raises(FunctionFailed) as raised:
        custom.call(name, "fail")
    assert (raised.value.kind, raised.value.message) == ("Mine.Failed", "as asked")
    assert custom.call(name, 2)[0] == 2


def test_a_bootstrap_may_be_a_link(custom: Sandboxed) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, mode, content in (("bootstrap", 0o120777, "bin/start"), ("bin/start", 0o100755, PLAIN)):
            info = zipfile.ZipInfo(name)
            info.create_system, info.external_attr = 3, mode << 16
            archive.writestr(info, content)
    name = custom.create({}, zipped=buffer.getvalue(), Runtime="provided.al2023")
    assert custom.call(name, 3)[0] == 3


@pytest.fixture
def foreign_elf() -> bytes:
    """The start of a program for a machine that nobody has (MIPS)."""
    return b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHI", 2, 8, 1) + bytes(40)


def failure(custom: Sandboxed, name: str) -> FunctionFailed:
    with pytest.raises(FunctionFailed) as raised:
        custom.call(name)
    return raised.value


def test_a_missing_bootstrap(custom: Sandboxed) -> None:
    failed = failure(custom, create(custom, {"app.py": HANDLER}))
    assert failed.kind == "Runtime.InvalidEntrypoint"
    assert "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]" in failed.message


def test_a_bootstrap_that_is_not_executable(custom: Sandboxed) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = zipfile.ZipInfo("bootstrap")
        info.create_system, info.external_attr = 3, 0o100644 << 16
        archive.writestr(info, PLAIN)
    failed = failure(custom, custom.create({}, zipped=buffer.getvalue(), Runtime="provided.al2023"))
    assert failed.kind == "Runtime.InvalidEntrypoint"
    assert "permission denied" in failed.message


def test_a_bootstrap_of_another_architecture(custom: Sandboxed, foreign_elf: bytes) -> None:
    failed = failure(custom, create(custom, {"bootstrap": foreign_elf}))
    assert failed.kind == "Runtime.InvalidEntrypoint"
    assert "exec format error" in failed.message


def test_a_bootstrap_whose_interpreter_is_missing(custom: Sandboxed) -> None:
    failed = failure(custom, create(custom, {"bootstrap": "#!/absent/shell\n"}))
    assert failed.kind in ("Runtime.ExitError", "Runtime.InvalidEntrypoint")


def test_a_bootstrap_that_ends(custom: Sandboxed) -> None:
    failed = failure(custom, create(custom, {"bootstrap": "#!/bin/sh\nexit 7\n"}))
    assert failed.kind == "Runtime.ExitError"
    assert failed.message.endswith("Runtime exited with error: exit status 7")
