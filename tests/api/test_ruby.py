"""Functions in Ruby, through boto3: handlers, errors, output, gems and limits.

Runs on every Ruby here that AWS has a runtime of. Where there is an older one only (Debian 12 has 3.1), that stands in
for ruby3.2, as the setting `stand_ins` allows.
"""

from __future__ import annotations

import base64
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ingle.settings import load
from ingle.worker.families import ruby_interpreters
from served import Server, package

FOUND = {item.runtime: item for item in ruby_interpreters.search(load().ruby_paths).interpreters}
STAND_IN = None if FOUND else shutil.which("ruby")
RUNTIMES = [*FOUND, *(["ruby3.2"] if STAND_IN else [])]

pytestmark = pytest.mark.skipif(not RUNTIMES, reason="no Ruby on this machine")

Call = Callable[..., Any]
PROBE = """
$calls = 0
def handler(event:, context:)
  $calls += 1
  eval(event.fetch("code"))
end
"""


@pytest.fixture(scope="module")
def ruby_client() -> Iterator[Any]:
    directory = Path(tempfile.mkdtemp(prefix="ingle-ruby-"))
    settings = {"INGLE_STAND_INS": f"ruby3.2={STAND_IN}"} if STAND_IN else {}
    server = Server(directory / "data", **settings).start()
    yield server
    assert server.stop() == 0
    shutil.rmtree(directory)


@pytest.fixture(params=RUNTIMES or ["ruby3.2"])
def runtime(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def deploy(ruby_client: Server, runtime: str) -> Callable[..., str]:
    client = ruby_client.client("lambda")

    def create(files: str | dict[str, str | bytes], handler: str = "app.handler", **settings: Any) -> str:
        given = {"app.rb": files} if isinstance(files, str) else files
        name = f"f{time.time_ns()}"
        request = {"Timeout": 10, "MemorySize": 256, "Role": "arn:aws:iam::000000000000:role/r", **settings}
        client.create_function(
            FunctionName=name, Runtime=runtime, Handler=handler, Code={"ZipFile": package(given)}, **request
        )
        often = {"Delay": 0.05, "MaxAttempts": 200}
        client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig=often)
        return name

    return create


@pytest.fixture
def call(ruby_client: Server) -> Call:
    """`call(name, event)`: the document, the error, the end of the log."""
    client = ruby_client.client("lambda")

    def invoke(name: str, event: Any = None) -> tuple[Any, str | None, str]:
        answer = client.invoke(FunctionName=name, Payload=json.dumps(event), LogType="Tail")
        document = json.loads(answer["Payload"].read() or "null")
        return document, answer.get("FunctionError"), base64.b64decode(answer["LogResult"]).decode()

    return invoke


@pytest.fixture
def probe(deploy: Callable[..., str], call: Call) -> Callable[..., Any]:
    """`probe(code)`: what Ruby code gives, in a function of this test."""
    made: list[str] = []

    def run(code: str, **settings: Any) -> Any:
        if not made or settings:
            made[:] = [deploy(PROBE, **settings)]
        document, error, log = call(made[0], {"code": code})
        assert error is None, log
        return document

    return run


class TestHandlers:
    def test_a_method_and_its_process(self, deploy: Callable[..., str], call: Call) -> None:
        name = deploy("$n = 0\ndef handler(event:, context:) = [$n += 1, event, context.aws_request_id]")
        (first, _, log), (second, _, _) = call(name, {"ü": [1]}), call(name, None)
        assert (first[:2], second[:2]) == ([1, {"ü": [1]}], [2, None])
        assert first[2] in log

    def test_a_class_method_in_a_directory(self, deploy: Callable[..., str], call: Call) -> None:
        source = "require_relative 'b'\nmodule A\n  class H\n    def self.run(event:, context:) = event + B\n  end\nend"
        name = deploy({"lib/a.rb": source, "lib/b.rb": "B = 5"}, "lib/a.A::H.run")
        assert call(name, 1)[0] == 6

    def test_the_version_is_that_of_the_runtime(self, probe: Callable[..., Any], runtime: str) -> None:
        if STAND_IN:
            pytest.skip("an older Ruby stands in for the runtime")
        assert probe("RUBY_VERSION") == FOUND[runtime].version

    def test_the_standard_library(self, probe: Callable[..., Any]) -> None:
        names = ["set", "time", "net/http", "openssl", "yaml", "digest", "erb", "securerandom", "zlib", "bundler"]
        assert probe(f"{json.dumps(names)}.reject {{ |name| require(name) || true }}") == []
        assert probe("Gem::Version.new('1.2') < Gem::Version.new('1.10')") is True

    def test_a_program_of_its_own(self, probe: Callable[..., Any]) -> None:
        assert probe("`#{RbConfig.ruby} -rjson -e 'puts [1].to_json'`") == "[1]\n"


class TestErrors:
    def test_an_error_and_its_log(self, deploy: Callable[..., str], call: Call) -> None:
        name = deploy("$n = 0\ndef handler(event:, context:)\n  $n += 1\n  raise ArgumentError, $n.to_s\nend")
        document, error, log = call(name)
        assert (error, document["errorType"], document["errorMessage"]) == ("Unhandled", "Function<ArgumentError>", "1")
        assert document["stackTrace"][0].startswith("/var/task/app.rb:4:in ")
        assert "Error raised from handler method\n{" in log
        assert call(name)[0]["errorMessage"] == "2"

    def test_a_critical_error_ends_the_process(self, deploy: Callable[..., str], call: Call) -> None:
        name = deploy("$n = 0\ndef handler(event:, context:)\n  $n += 1\n  event ? absent : $n\nend")
        document, _, log = call(name, True)
        assert document["errorType"] == "Function<NameError>"
        assert "Critical exception from handler" in log
        assert call(name)[0] == 1

    def test_a_file_that_is_missing(self, deploy: Callable[..., str], call: Call) -> None:
        document, error, log = call(deploy("", "other.handler"))
        assert (error, document["errorType"]) == ("Unhandled", "Init<LoadError>")
        assert document["errorMessage"] == "cannot load such file -- other"
        assert "INIT_REPORT" in log or "Status: error\tError Type: Runtime.Unknown" in log

    def test_an_exit_and_a_signal(self, deploy: Callable[..., str], call: Call) -> None:
        name = deploy(PROBE)
        assert call(name, {"code": "exit!(7)"})[0]["errorMessage"].endswith("Runtime exited with error: exit status 7")
        killed = call(name, {"code": "Process.kill(:KILL, Process.pid); sleep"})[0]
        assert killed["errorMessage"].endswith("Runtime exited with error: signal: killed")
        assert call(name, {"code": "$calls"})[0] == 1

    def test_a_time_out(self, deploy: Callable[..., str], call: Call) -> None:
        document, _, log = call(deploy("def handler(event:, context:) = sleep", Timeout=1))
        assert document["errorType"] == "Sandbox.Timedout"
        assert "Status: timeout" in log


class TestEnvironment:
    def test_variables(self, probe: Callable[..., Any], runtime: str) -> None:
        found = probe("ENV.to_h")
        abi = f"{runtime.removeprefix('ruby')}.0"
        assert found["GEM_HOME"] == "/var/runtime"
        assert found["GEM_PATH"] == (
            f"/var/task/vendor/bundle/ruby/{abi}:/opt/ruby/gems/{abi}:/var/runtime:/var/runtime/ruby/{abi}"
        )
        assert found["RUBYLIB"].startswith("/var/task:/var/runtime/lib:/opt/ruby/lib")
        assert (found["AWS_EXECUTION_ENV"], found["PWD"]) == (f"AWS_Lambda_{runtime}", "/var/task")
        assert not {"_LAMBDA_TELEMETRY_LOG_FD", "_INGLE_SETTINGS_FD"} & set(found)

    def test_gems_of_the_package(self, deploy: Callable[..., str], call: Call, runtime: str) -> None:
        bundle = f"vendor/bundle/ruby/{runtime.removeprefix('ruby')}.0"
        spec = 'Gem::Specification.new { |s| s.name = "mine"; s.version = "1.0"; s.require_paths = ["lib"] }'
        files = {"app.rb": "require 'mine'\ndef handler(event:, context:) = MINE",
                 f"{bundle}/gems/mine-1.0/lib/mine.rb": "MINE = 'a gem'",
                 f"{bundle}/specifications/mine-1.0.gemspec": spec}  # fmt: skip
        assert call(deploy(files))[0] == "a gem"

    def test_a_wrapper(self, deploy: Callable[..., str], call: Call) -> None:
        script = '#!/bin/sh\nexport WRAPPED="$#"\nexec "$@"\n'
        name = deploy({"app.rb": "def handler(event:, context:) = ENV['WRAPPED'].to_i", "wrap": script},
                      Environment={"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/wrap"}})  # fmt: skip
        assert call(name)[0] >= 2

    def test_nothing_of_the_package_is_written(self, probe: Callable[..., Any]) -> None:
        code = "begin; File.write('/var/task/x', 'x'); rescue SystemCallError => e; e.class.to_s; end"
        assert probe(code) == "Errno::EROFS"


def test_lines_and_events(ruby_client: Server, deploy: Callable[..., str], call: Call, runtime: str) -> None:
    source = "def handler(event:, context:)\n  puts \"one\\ntwo\"\n  $stdout.puts 'three'\n  warn 'four'\nend"
    name = deploy(source)
    call(name)
    events = ruby_client.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
    messages = [event["message"] for event in events]
    start = next(index for index, message in enumerate(messages) if message.startswith("START"))
    end = next(index for index, message in enumerate(messages) if message.startswith("END"))
    assert [message.rstrip("\n") for message in messages[start + 1 : end]] == ["one\ntwo", "three", "four"]
    assert messages[0].startswith(f"INIT_START Runtime Version: ruby:{runtime.removeprefix('ruby')}.v1\t")


def test_a_ruby_that_is_not_here(ruby_client: Server) -> None:
    missing = next((name for name in ("ruby3.4", "ruby4.0", "ruby3.3") if name not in RUNTIMES), None)
    if missing is None:
        pytest.skip("this machine has every Ruby")
    client = ruby_client.client("lambda")
    code = {"ZipFile": package({"app.rb": ""})}
    role = "arn:aws:iam::000000000000:role/r"
    client.create_function(FunctionName="missing", Runtime=missing, Handler="app.handler", Code=code, Role=role)
    deadline = time.monotonic() + 20
    while (configuration := client.get_function_configuration(FunctionName="missing"))["State"] == "Pending":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert configuration["State"] == "Failed"
    assert f"There is no Ruby {missing.removeprefix('ruby')} on this machine" in configuration["StateReason"]
