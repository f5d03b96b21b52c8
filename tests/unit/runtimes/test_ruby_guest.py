"""The Ruby guest program against a Runtime API, outside any sandbox, on whatever Ruby this machine has."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

import ingle
from unit.runtimes.guest import Guest

BOOTSTRAP = Path(ingle.__file__).parent / "runtimes/ruby/bootstrap.rb"
RUBIES = [path for path in (shutil.which("ruby"), *map(str, sorted(Path("/opt").glob("ruby*/bin/ruby")))) if path]

pytestmark = pytest.mark.skipif(not RUBIES, reason="no ruby on this machine")

Start = Callable[..., Guest]


@pytest.fixture(params=RUBIES or ["ruby"], ids=lambda path: str(Path(path).parent.parent).strip("/"))
def start(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Start]:
    """`start(source, handler="app.handler")`: a running guest."""
    with ExitStack() as stack:

        def run(source: str | dict[str, str], handler: str = "app.handler", **settings: Any) -> Guest:
            files = {"app.rb": source} if isinstance(source, str) else source
            for name, content in files.items():
                (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / name).write_text(content)
            return stack.enter_context(Guest([request.param, str(BOOTSTRAP)], tmp_path, handler, **settings))

        yield run


class TestResults:
    def test_a_method_gets_event_and_context_as_keywords(self, start: Start) -> None:
        guest = start("def handler(event:, context:) = [event, context.aws_request_id]")
        assert guest.invoke({"ü": ["日本"]}).document == [{"ü": ["日本"]}, "request-1"]
        assert guest.invoke(2).document == [2, "request-2"]

    @pytest.mark.parametrize("value", [None, True, 0, -1.5, "", "\u2028\U0001f600", [], {"a": {"b": []}}])
    def test_values_both_ways(self, start: Start, value: Any) -> None:
        answer = start("def handler(event:, context:) = event").invoke(value)
        assert (answer.path, answer.document, answer.content_type) == ("response", value, "application/json")

    def test_a_class_method(self, start: Start) -> None:
        source = "module A\n  class B\n    def self.call(event:, context:)\n      event + 1\n    end\n  end\nend"
        assert start({"lib/app.rb": source}, "lib/app.A::B.call").invoke(1).document == 2

    def test_a_stream_is_passed_on_as_it_is(self, start: Start) -> None:
        answer = start('def handler(event:, context:) = StringIO.new("\\x00\\xff".b)').invoke()
        assert (answer.body, answer.content_type) == (b"\x00\xff", "application/unknown")

    def test_a_large_result(self, start: Start) -> None:
        guest = start("def handler(event:, context:) = event * 1_000_000")
        assert len(guest.invoke("abcde").document) == 5_000_000
        assert guest.invoke("x").document[:3] == "xxx"

    def test_functions_may_replace_the_marshaller(self, start: Start) -> None:
        source = """
module AwsLambda
  class Marshaller
    def self.marshall_request(raw) = raw.body.upcase
    def self.marshall_response(result) = result
  end
end
def handler(event:, context:) = event
"""
        assert start(source).invoke("a").body == b'"A"'

    def test_modules_beside_the_handler_are_found(self, start: Start) -> None:
        files = {"app.rb": "require 'other'\ndef handler(event:, context:) = VALUE", "other.rb": "VALUE = 7"}
        assert start(files).invoke().document == 7


def test_the_context(start: Start) -> None:
    source = """
def handler(event:, context:)
  { names: [context.function_name, context.function_version, context.memory_limit_in_mb, context.log_group_name,
            context.log_stream_name, context.invoked_function_arn, context.tenant_id],
    left: context.get_remaining_time_in_millis, identity: context.identity, client: context.client_context,
    trace: ENV['_X_AMZN_TRACE_ID'], deadline: context.deadline_ms }
end
"""
    guest = start(source)
    result = guest.invoke(None, {"Lambda-Runtime-Trace-Id": "Root=1-a", "Lambda-Runtime-Aws-Tenant-Id": "t",
                                 "Lambda-Runtime-Client-Context": '{"custom":{"k":"v"}}',
                                 "Lambda-Runtime-Cognito-Identity": '{"cognitoIdentityId":"i"}'}).document  # fmt: skip
    arn = "arn:aws:lambda:us-east-1:000000000000:function:f"
    assert result["names"] == ["f", "$LATEST", "256", "/aws/lambda/f", "stream", arn, "t"]
    assert 0 < result["left"] <= 20_000
    assert (result["identity"], result["client"]) == ({"cognitoIdentityId": "i"}, {"custom": {"k": "v"}})
    assert result["trace"] == "Root=1-a"
    later = guest.invoke(None, {"Lambda-Runtime-Deadline-Ms": "1"}).document
    assert (later["left"], later["trace"], later["identity"]) == (0, None, None)


class TestErrors:
    def test_an_error_of_the_handler(self, start: Start, tmp_path: Path) -> None:
        guest = start("def handler(event:, context:)\n  fail(event)\nend\ndef fail(text)\n  raise text\nend\n")
        answer = guest.invoke("as asked")
        document = answer.document
        assert answer.path == "error"
        assert (document["errorMessage"], document["errorType"]) == ("as asked", "Function<RuntimeError>")
        assert [line.rpartition(":in")[0] for line in document["stackTrace"]] == [
            f"{tmp_path}/app.rb:5",
            f"{tmp_path}/app.rb:2",
        ]
        assert answer.error_type == "Function<UserException>"
        title, _, body = guest.events()[-1].partition("\n")
        assert (title, json.loads(body)) == ("Error raised from handler method", document)
        assert guest.invoke("again").document["errorMessage"] == "again"

    @pytest.mark.parametrize(
        ("code", "kind"),
        [("absent", "NameError"), ("nil.absent", "NoMethodError"), ("exit 3", "SystemExit"),
         ("raise Exception, 'x'", "Exception"), ("handler(event: 1, context: 2)", "SystemStackError")],
    )  # fmt: skip
    def test_critical_errors_end_the_process(self, start: Start, code: str, kind: str) -> None:
        guest = start(f"def handler(event:, context:)\n  {code}\nend\n")
        answer = guest.invoke()
        assert (answer.document["errorType"], answer.error_type) == (f"Function<{kind}>", f"Function<{kind}>")
        assert guest.status() == 255
        assert guest.events()[-1].startswith("Critical exception from handler\n")

    def test_a_handler_that_is_not_there(self, start: Start) -> None:
        guest = start("X = 1\n")
        assert guest.invoke().document["errorType"] == "Function<NoMethodError>"
        assert guest.status() == 255

    @pytest.mark.parametrize(
        ("source", "handler", "kind", "message"),
        [
            ("", "missing.handler", "Init<LoadError>", "cannot load such file -- missing"),
            ("def handler(", "app.handler", "Init<SyntaxError>", ""),
            ("raise 'at load'", "app.handler", "Init<RuntimeError>", "at load"),
            ("", "handler", "Init<ArgumentError>", 'Invalid handler ["handler"], must be of form FILENAME.METHOD'),
        ],
    )
    def test_errors_of_initialisation(self, start: Start, source: str, handler: str, kind: str, message: str) -> None:
        guest = start(source, handler)
        answer = guest.answer()
        assert (answer.path, answer.document["errorType"]) == ("init/error", kind)
        assert answer.document["errorMessage"].startswith(message)
        assert guest.status() == 252
        assert guest.events()[-1].startswith(f"Init error when loading handler {handler}\n")

    def test_exit_without_handlers_ends_at_once(self, start: Start) -> None:
        guest = start("def handler(event:, context:) = exit!(9)")
        with pytest.raises(AssertionError, match="the guest ended"):
            guest.invoke()
        assert guest.status() == 9


class TestStartedAhead:
    """Executed before the function is known, the runtime reads its variables from a descriptor."""

    def ahead(self, ruby: str, settings: bytes, pipe: tuple[int, int]) -> subprocess.Popen[str]:
        reader, writer = pipe
        process = subprocess.Popen([ruby, BOOTSTRAP], env={"_INGLE_SETTINGS_FD": str(reader), "LANG": "C.UTF-8"},
                                   pass_fds=[reader], stderr=subprocess.PIPE, text=True)  # fmt: skip
        os.close(reader)
        os.write(writer, settings)
        os.close(writer)
        return process

    def test_it_becomes_the_function(self, tmp_path: Path) -> None:
        (tmp_path / "app.rb").write_text("warn [ENV.to_h, Dir.pwd, Time.new(2030).utc_offset].to_json\nexit!(5)")
        variables = {"_HANDLER": "app.handler", "LAMBDA_TASK_ROOT": str(tmp_path), "MINE": "ü", "TZ": "UTC-2"}
        with Guest(["sleep", "60"], tmp_path, "") as api:
            variables["AWS_LAMBDA_RUNTIME_API"] = api.address
            settings = json.dumps({"variables": variables, "directory": str(tmp_path)}).encode()
            process = self.ahead(RUBIES[0], settings, os.pipe())
            output = process.communicate(timeout=20)[1]
        assert (json.loads(output), process.returncode) == ([variables, str(tmp_path), 7200], 5)

    def test_without_a_function_it_ends(self) -> None:
        process = self.ahead(RUBIES[0], b"", os.pipe())
        assert process.communicate(timeout=20)[1] == ""
        assert process.returncode == 0


class TestOutput:
    SOURCE = """
def handler(event:, context:)
  puts "one\\ntwo"
  $stdout.puts "three", "four"
  print "five\\n"
  warn "six"
  p({ seven: 7 })
  $stderr << "eight\\n"
  puts
  Logger.new($stdout).info("nine")
end
"""

    def test_events_keep_their_order(self, start: Start) -> None:
        guest = start(self.SOURCE)
        guest.invoke()
        events = guest.events()
        assert events[:5] == ["one\ntwo\n", "three\n", "four\n", "five\n", "six\n"]
        assert "seven" in events[5]
        assert events[6:8] == ["eight\n", "\n"]
        initial, _, rest = events[8].partition(", [")
        assert initial == "I"
        assert rest.endswith("]  INFO request-1 -- : nine\n")
        assert guest.plain() == ""

    def test_lines_without_a_channel(self, start: Start) -> None:
        guest = start(self.SOURCE, framed=False)
        guest.invoke()
        assert guest.plain().splitlines()[:5] == ["one", "two", "three", "four", "five"]

    def test_threads_do_not_mix_their_events(self, start: Start) -> None:
        source = """
def handler(event:, context:)
  4.times.map { |n| Thread.new { 50.times { puts n.to_s * 9_000 } } }.each(&:join)
end
"""
        guest = start(source)
        guest.invoke()
        events = guest.events()
        assert len(events) == 200
        assert all(len(set(event.strip())) == 1 and len(event) == 9_001 for event in events)

    LOGS = """
LOG = Logger.new($stdout)
def handler(event:, context:)
  LOG.debug("low")
  LOG.info("text")
  LOG.error(ArgumentError.new("bad"))
  Logger.new($stderr, level: Logger::DEBUG).debug("own level")
end
"""

    def test_json_from_ruby_4_on(self, start: Start) -> None:
        variables = {"AWS_EXECUTION_ENV": "AWS_Lambda_ruby4.0", "AWS_LAMBDA_LOG_FORMAT": "JSON",
                     "AWS_LAMBDA_LOG_LEVEL": "INFO"}  # fmt: skip
        guest = start(self.LOGS, variables=variables)
        guest.invoke()
        text, error, own = [json.loads(event) for event in guest.events()]
        assert text.pop("timestamp").endswith("Z")
        assert text == {"level": "INFO", "message": "text", "requestId": "request-1"}
        assert (error["level"], error["message"], error["errorType"]) == ("ERROR", "bad", "ArgumentError")
        assert (own["level"], own["message"]) == ("DEBUG", "own level")

    def test_text_before_ruby_4(self, start: Start) -> None:
        variables = {"AWS_EXECUTION_ENV": "AWS_Lambda_ruby3.3", "AWS_LAMBDA_LOG_FORMAT": "JSON"}
        guest = start(self.LOGS, variables=variables)
        guest.invoke()
        assert [event[0] for event in guest.events()][:3] == ["D", "I", "E"]

    def test_loggers_on_files_are_left_alone(self, start: Start, tmp_path: Path) -> None:
        guest = start(f"def handler(event:, context:) = Logger.new('{tmp_path}/log').info('to a file')")
        guest.invoke()
        assert "to a file" in (tmp_path / "log").read_text()
        assert guest.events() == []
