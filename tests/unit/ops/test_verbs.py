"""The command as a user meets it: exit status, one line for a failure, no traceback."""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[3] / "src"


@pytest.fixture
def ingle(tmp_path):
    def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith(("INGLE_", "AWS_"))}
        return subprocess.run(
            [sys.executable, "-m", "ingle", *arguments],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**own, "PYTHONPATH": str(SOURCE), "XDG_DATA_HOME": str(tmp_path), **environ},
            timeout=60,
            check=False,
        )

    return run


class Service(http.server.BaseHTTPRequestHandler):
    """Answers as the API would: a Logs operation or an invocation, chosen by the path."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/":
            event = {"logStreamName": "s", "timestamp": 0, "message": "a line\n", "ingestionTime": 0, "eventId": "1"}
            self.answer({"events": [event]})
        elif "missing" in self.path:
            self.answer({"Message": "Function not found: x"}, 404, {"x-amzn-ErrorType": "ResourceNotFoundException"})
        else:
            failed = {"X-Amz-Function-Error": "Unhandled"} if b"fail" in body else {}
            self.answer({"echo": json.loads(body or b"null")}, 200, {"X-Amz-Log-Result": "bG9n", **failed})

    def answer(self, content: object, status: int = 200, headers: dict[str, str] | None = None) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def service():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_help_names_every_verb_without_colour(ingle):
    result = ingle("--help")
    assert result.returncode == 0
    assert "\x1b" not in result.stdout
    for verb in ("serve", "try", "invoke", "logs", "doctor", "runtimes", "backup", "version"):
        assert f"  {verb} " in result.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        (("serve", "--port", "x"), 2, "ingle: --port: 'x' is not a whole number from 0 to 65535"),
        (("serve", "--host", "0.0.0.0"), 2, "ingle: --host: '0.0.0.0' is not a loopback address"),
        (("invoke", "f", "--payload", "{"), 2, "ingle: --payload is not JSON"),
        (("invoke", "f", "--payload", "@none"), 2, "ingle: --payload: none: No such file"),
        (("invoke", "f", "--endpoint-url", "http://127.0.0.1:9"), 1, "ingle: nothing is listening at"),
        (("invoke", "f", "--endpoint-url", "ftp://x"), 2, "ingle: 'ftp://x' is not an http"),
        (("logs", "f", "--since", "soon"), 2, "ingle: --since: 'soon' is not a length of time"),
        (("runtimes", "install", "python2.7"), 2, "ingle: Ingle does not run the runtime python2.7"),
        (("try", "nowhere"), 2, "ingle: nowhere: no lambda_function.py in it"),
        (("backup", "copy"), 1, "ingle: "),
    ],
)
def test_a_failure_is_one_line(ingle, arguments, status, text):
    result = ingle(*arguments)
    assert result.returncode == status, result.stderr
    assert result.stdout == ""
    assert result.stderr.startswith(text)
    assert result.stderr.count("\n") == 1


def test_invoke_prints_the_payload_and_the_log_apart(ingle, service):
    result = ingle("invoke", "f", "--payload", '{"a": 1}', "--log", "--endpoint-url", service)
    assert (result.returncode, result.stdout, result.stderr) == (0, '{"echo": {"a": 1}}\n', "log")


def test_invoke_fails_when_the_function_did(ingle, service):
    result = ingle("invoke", "f", "--payload", '"fail"', AWS_ENDPOINT_URL=service)
    assert result.returncode == 1
    assert result.stdout == '{"echo": "fail"}\n'
    assert result.stderr == "ingle: the function failed (Unhandled)\n"


def test_an_error_of_the_service_is_told_with_its_code(ingle, service):
    result = ingle("invoke", "missing", "--endpoint-url", service)
    assert result.returncode == 1
    assert result.stderr == "ingle: ResourceNotFoundException: Function not found: x\n"


def test_logs_prints_events_with_their_time(ingle, service):
    result = ingle("logs", "f", "--endpoint-url", service)
    assert (result.returncode, result.stdout) == (0, "1970-01-01T00:00:00.000Z a line\n")


def test_a_closed_pipe_is_not_a_failure_with_a_traceback(tmp_path):
    environ = {**os.environ, "PYTHONPATH": str(SOURCE)}
    command = f"{sys.executable} -m ingle doctor --json | true"
    result = subprocess.run(command, shell=True, capture_output=True, text=True, env=environ, cwd=tmp_path, check=False)
    assert result.stderr == ""


def test_doctor_speaks_json(ingle):
    content = json.loads(ingle("doctor", "--json").stdout)
    assert content["isolation"] in ("root", "user", "process")
    assert {"subject", "level", "detail", "consequence"} == set(content["findings"][0])


def test_runtimes_are_listed_in_lines_that_can_be_cut(ingle):
    lines = ingle("runtimes").stdout.splitlines()
    assert lines[0].split() == ["RUNTIME", "VERSION", "INTERPRETER", "LIBRARIES"]
    assert any(line.startswith("python3.") for line in lines[1:])


def test_serving_imports_neither_rich_nor_botocore_before_it_needs_to():
    code = "import sys, ingle.cli; print([m for m in ('rich', 'botocore', 'structlog', 'asyncio') if m in sys.modules])"
    environ = {**os.environ, "PYTHONPATH": str(SOURCE)}
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environ, check=True)
    assert result.stdout.strip() == "[]"
