"""Ingle's Python runtime beside AWS's own, awslambdaric: the same functions, the same invocations, the same answers,
log events, output and endings.

What differs on purpose is in docs/reference/python-runtime.md.
"""

from __future__ import annotations

import json
import re
import struct
import textwrap
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from .played import AWS, INGLE, Event, Played, play

Both = Callable[..., Played]
#: Runs the code of its event and returns what that leaves in `result`.
PROBE = """
import collections, datetime, decimal, enum, json, logging, os, sys, threading, time

class Mine(Exception):
    pass

class Unspeakable(Exception):
    def __str__(self):
        raise ValueError("no text")

Point = collections.namedtuple("Point", "x y")
Colour = enum.Enum("Colour", "RED")
Number = enum.IntEnum("Number", "ONE")
Word = type("Word", (str,), {"__str__": lambda self: "other"})
Whole = type("Whole", (int,), {"__repr__": lambda self: "other"})

def again(depth=0):
    return again(depth + 1)

def ping(n):
    return pong(n)

def pong(n):
    return ping(n)

def handler(event, context):
    scope = {**globals(), "event": event, "context": context, "result": None}
    exec(compile(event, "probe", "exec"), scope)
    return scope["result"]
"""
JSON_LOG = {"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "INFO"}


def comparable(text: str) -> str:
    """Without what differs by how deep and where the runtime itself stands on the stack."""
    text = re.sub(r"Previous line repeated \d+ more times", "Previous line repeated", text)
    own = r'File \\?"[^"]*(bootstrap|lambda_runtime_hooks_runner)\.py\\?", line \d+, in \w+(\\n|\n).*?(?=\\n|\n|$)'
    return re.sub(own, "<runtime>", text).replace('"  <runtime>\\n", ', "")


@pytest.fixture
def both(tmp_path: Path) -> Both:
    """Play a function in both runtimes and compare all that came of it; Ingle's is returned."""
    pytest.importorskip("awslambdaric", reason="AWS's runtime client is not installed")

    def run(files: str | Mapping[str, str | bytes], *events: Event, **settings: Any) -> Played:
        for name, content in ({"app.py": files} if isinstance(files, str) else files).items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content)
        ours, theirs = play(INGLE, tmp_path, events, **settings), play(AWS, tmp_path, events, **settings)
        assert seen(ours) == seen(theirs)
        return ours

    return run


def seen(played: Played) -> dict[str, Any]:
    """What a function's owner sees of it."""
    documents = [(call.path, call.headers.get("content-type"), comparable(call.body.decode("latin-1")))
                 for call in played.calls]  # fmt: skip
    return {
        "calls": documents if played.status is None else [(path, body) for path, _, body in documents],
        "events": [comparable(event) for event in played.events],
        "types": played.types,
        "status": played.status,
        "printed": played.printed if played.status is None else played.last_words,
    }


def probes(*codes: str, **headers: str) -> list[Event]:
    return [Event(textwrap.dedent(code), **headers) for code in codes]


class TestResults:
    @pytest.mark.parametrize(
        "expression",
        ["None", "'text'", "'ü\\u2028\\U0001f600'", "'\\ud800'", "b'raw \\xff'", "b''", "1.5", "-0.0", "1e400",
         "float('nan')",
         "2 ** 100", "10 ** 5000", "True", "(1, (2,))", "[]", "{}", "{1: 2, None: 3, True: 4, 1.5: 5}", "{(1, 2): 3}",
         "{b'k': b'v'}", "{'a': b'\\xff'}", "Point(1, Point(2, b'x'))", "[Point(1, [Point(2, 3)])]", "Colour.RED",
         "{Colour.RED: 1}", "[Number.ONE, {Number.ONE: Number.ONE}]", "[Word('w'), {Word('w'): 1}]",
         "[Whole(3), {Whole(3): 1}]",
         "decimal.Decimal('1.10')", "[decimal.Decimal('1E+5'), decimal.Decimal('-Infinity'), decimal.Decimal('sNaN')]",
         "{decimal.Decimal(1): 1}", "{'\\ue000': [decimal.Decimal('0.1'), '\\ue000']}", "datetime.datetime(2020, 1, 1)",
         "{1, 2}", "bytearray(b'x')", "collections.OrderedDict(b=1, a=[Point(1, 2)])", "collections.deque()", "object",
         "(n for n in ())", "1j", "collections.defaultdict(list, a=[decimal.Decimal(1)])"],
    )  # fmt: skip
    def test_what_a_handler_returns(self, both: Both, expression: str) -> None:
        both(PROBE, *probes(f"result = {expression}", "result = 'served after'"))

    @pytest.mark.parametrize(
        "code",
        ["result = []\nfor _ in range(100_000): result = [result]", "result = []\nresult.append(result)",
         "result = {}\nresult['a'] = [Point(1, result)]"],
    )  # fmt: skip
    def test_results_without_an_end(self, both: Both, code: str) -> None:
        played = both(PROBE, *probes(code))
        assert played.calls[0].document["errorType"] == "Runtime.MarshalError"

    def test_a_coroutine_is_no_result(self, both: Both) -> None:
        both("async def handler(event, context):\n    return 1\n", Event(1), PYTHONWARNINGS="ignore")

    @pytest.mark.parametrize("runtime", [INGLE, AWS])
    def test_a_result_that_is_too_large_ends_the_runtime(self, runtime: str, tmp_path: Path) -> None:
        (tmp_path / "app.py").write_text(PROBE)
        played = play(runtime, tmp_path, probes("result = 'a' * 6_291_555", "result = 'not reached'"))
        assert [len(call.body) for call in played.calls] == [6_291_557]
        assert played.status == 1


class TestEvents:
    @pytest.mark.parametrize(
        "raw",
        [b"1e400", b'{"a": 1, "a": 2}', b"123456789012345678901234567890", b"0.1000000000000000055", b'"\\ud800"',
         b"[" * 900 + b"]" * 900, b'"\xc3\xbc"', b"-0", b"1E5", b"{}", b"null", b""],
    )  # fmt: skip
    def test_what_a_handler_is_given(self, both: Both, raw: bytes) -> None:
        both("def handler(event, context):\n    return [ascii(event), type(event).__name__]\n", Event(raw=raw))

    @pytest.mark.parametrize("raw", [b"9" * 5000, b"[" * 100_000 + b"]" * 100_000, b"NaN", b"{", b"\xff"])
    def test_what_cannot_be_read(self, both: Both, raw: bytes, tmp_path: Path) -> None:
        (tmp_path / "app.py").write_text(PROBE)
        answers = [play(runtime, tmp_path, [Event(raw=raw)]).calls[0].document for runtime in (INGLE, AWS)]
        assert {answer["errorType"] for answer in answers} == {"Runtime.UnmarshalError"}
        assert all(answer["errorMessage"].startswith("Unable to unmarshal input: ") for answer in answers)

    def test_another_content_type_is_bytes(self, both: Both) -> None:
        event = Event(raw=b"\x00text")
        event.headers["Content-Type"] = "text/plain"
        both("def handler(event, context):\n    return repr(event)\n", event)


class TestExceptions:
    @pytest.mark.parametrize(
        "code",
        ["raise Mine('no')", "raise Mine", "raise Mine('ü\\u2028\\U0001f600')", "raise Mine('two\\nlines\\r\\n  more')",
         "raise Mine('\\ud800')", "raise Unspeakable()", "1 / 0", "again()", "raise KeyError('k')",
         "raise Mine(1, 2)", "raise type('Ünlike', (Exception,), {})('x')", "raise type('a b\\nc', (Exception,), {})()",
         "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise Mine('outer') from error",
         "error = Mine('noted')\nif hasattr(error, 'add_note'): error.add_note('n')\nraise error",
         "raise Mine('a' * 300_000)",
         "raise ExceptionGroup('several', [Mine('a'), ValueError('b')])", "raise StopIteration(1)", "import absent",
         "exec('def f(:')", "raise NotImplementedError", "raise AttributeError('handler')"],
    )  # fmt: skip
    @pytest.mark.parametrize("variables", [{}, JSON_LOG], ids=["text", "json"])
    def test_what_a_handler_raises(self, both: Both, code: str, variables: dict[str, str]) -> None:
        both(PROBE, *probes(code, "result = 'served after'"), **variables)

    @pytest.mark.parametrize(
        "code",
        ["raise KeyboardInterrupt", "raise GeneratorExit", "raise BaseException('b')", "sys.exit()", "sys.exit(0)",
         "sys.exit(3)", "sys.exit(True)", "sys.exit(256)", "sys.exit('text')", "sys.exit([1])", "os._exit(4)",
         "os.abort()",
         "os.kill(os.getpid(), 9)", "os.kill(os.getpid(), 15)", "import ctypes; ctypes.string_at(0)",
         "raise BaseExceptionGroup('several', [KeyboardInterrupt()])"],
    )  # fmt: skip
    def test_what_ends_the_runtime(self, both: Both, code: str) -> None:
        both(PROBE, *probes("result = 1", code, "result = 'not reached'"))
        both(textwrap.dedent(f"import os, sys\n{code}\n"), Event(1))

    def test_exit_functions_and_threads_come_before_the_end(self, both: Both) -> None:
        code = """
        import atexit
        sys.stderr = open(os.devnull, "w")
        atexit.register(print, "exit function")
        threading.Timer(0.2, print, ["thread"]).start()
        sys.exit(5)
        """
        played = both(PROBE, *probes(code))
        assert (played.status, played.printed) == (5, "thread\nexit function\n")

    @pytest.mark.parametrize(
        "source", ["handler = 5\n", "def handler():\n    pass\n", "def handler(event):\n    pass\n"]
    )
    def test_a_handler_that_cannot_be_called(self, both: Both, source: str) -> None:
        played = both(source, Event(1))
        assert played.calls[0].document["errorType"] == "TypeError"
        assert len(played.calls[0].document["stackTrace"]) == 1

    def test_a_huge_message_is_one_answer_and_one_event(self, both: Both) -> None:
        played = both(PROBE, *probes("raise Mine('ä' * 170_000)"), **JSON_LOG)
        assert len(played.calls[0].document["errorMessage"]) == 170_000
        assert len(played.events) == 1

    def test_frames_that_do_not_repeat_are_all_there(self, tmp_path: Path) -> None:
        """How many there are depends on the depth at which the handler is called."""
        (tmp_path / "app.py").write_text(PROBE)
        ours, theirs = (play(runtime, tmp_path, probes("ping(1)")).calls[0].document for runtime in (INGLE, AWS))
        assert ours["errorMessage"] == theirs["errorMessage"]
        assert abs(len(ours["stackTrace"]) - len(theirs["stackTrace"])) < 20
        assert ours["stackTrace"][:800] == theirs["stackTrace"][:800]


class TestInitialisation:
    @pytest.mark.parametrize(
        ("handler", "kind"),
        [("app", "Runtime.MalformedHandlerName"), ("", "Runtime.MalformedHandlerName"), (".handler", "ValueError"),
         ("app.", "Runtime.HandlerNotFound"), ("app.absent", "Runtime.HandlerNotFound"), ("/app.handler", "TypeError"),
         ("sys.exit", "Runtime.BuiltInModuleConflict"), ("sys.path.x", "Runtime.BuiltInModuleConflict"),
         ("absent.handler", "Runtime.ImportModuleError"), ("absent/app.handler", "Runtime.ImportModuleError"),
         ("app.handler.inner", "Runtime.ImportModuleError"), ("app..handler", "Runtime.ImportModuleError"),
         ("./app.handler", "TypeError"), ("äpp.handler", "Runtime.ImportModuleError"), ("app.ha ndler",
         "Runtime.HandlerNotFound")],
    )  # fmt: skip
    @pytest.mark.parametrize("variables", [{}, JSON_LOG], ids=["text", "json"])
    def test_handlers_that_are_not_there(self, both: Both, handler: str, kind: str, variables: dict[str, str]) -> None:
        played = both("def handler(event, context): pass\n", Event(1), handler=handler, **variables)
        (call,) = played.calls
        assert (call.path, call.document["errorType"], call.document["requestId"]) == ("init/error", kind, "")
        assert call.headers["lambda-runtime-function-error-type"] == kind
        assert played.status == 1

    @pytest.mark.parametrize("handler", ["dir/file.handler", "dir.file.handler"])
    def test_handlers_in_directories(self, both: Both, handler: str) -> None:
        files = {"dir/file.py": "def handler(event, context):\n    return __name__\n"}
        assert both(files, Event(1), handler=handler).results == [b'"dir.file"']

    @pytest.mark.parametrize(
        "source",
        ["import absent\n", "from json import absent\n", "raise ImportError('mine')\n",
         "raise AttributeError('mine')\n",
         "raise Exception('Runtime startup fails')\n", "1 / 0\n", "x = 1\ndef handler(:\n    pass\n",
         "if True:\nx = 1\n",
         "x = 1\0\n", "# coding: absent\n", "def f():\n\tx = 1\n        y = 2\n", "'\udcff'\n", "x = '\n", "return 1\n",
         "from app import handler\n", "def __getattr__(name): raise KeyError(name)\n", "import dir.deeper\n",
         "class E(ImportError):\n    def __str__(self): raise ValueError('no text')\nraise E\n",
         "def f(): f()\nf()\n", "import broken\n", "raise SyntaxError('mine')\n",
         "print('to the log')\nimport logging\n"
         "logging.error('before')\nlogging.getLogger().handlers.clear()\nraise ValueError('late')\n"],
    )  # fmt: skip
    def test_modules_that_cannot_be_imported(self, both: Both, source: str) -> None:
        files = {"app.py": source, "dir/deeper/__init__.py": "raise OSError(2, 'x')\n", "broken.py": "def (\n"}
        played = both(files, Event(1))
        assert played.status == 1

    def test_a_library_of_another_machine(self, both: Both) -> None:
        program = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHI", 3, 8, 1) + bytes(200)
        played = both({"app.py": "import native\n", "native.so": program}, Event(1))
        assert played.calls[0].document["errorType"] == "Runtime.ImportModuleError"


class TestLogging:
    RECORDS = """
    log = logging.getLogger("mine.part")
    log.debug("debug"); log.info("info %s", 1); log.warning("warning"); log.error("error"); log.critical("critical")
    log.log(25, "between"); log.log(5, "lower"); log.log(60, "higher"); log.log(0, "none")
    log.warning("two\\nlines ü \\u2028")
    log.warning({"a": 1, "b": [decimal.Decimal("1.5"), Point(1, 2)]})
    log.warning({"a": 1}, extra={"x": 1})
    log.warning("extras", extra={"one": 1, "none": None, "odd": object, "level": "x", "requestId": "y", "tenantId": "t",
                                 "nested": {"when": datetime.datetime(2020, 1, 1)}, "errorType": "z",
                                 "nan": float("nan")})
    try:
        ping.missing
    except AttributeError:
        log.exception("caught %s", "it")
        log.error("with", exc_info=True, extra={"k": "v"})
        log.warning("error", exc_info=Mine("never raised"))
    context.log("as it is")
    context.log({"not": "text"})
    print("printed")
    """

    @pytest.mark.parametrize(
        ("form", "level"),
        [(form, level) for form in ("", "JSON") for level in ("", "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")]
        + [("Text", "INFO"), ("json", "info"), ("Text", "trace"), ("JSON", "absurd"), ("XML", "CRITICAL")],
    )
    def test_records(self, both: Both, form: str, level: str) -> None:
        variables = {"AWS_LAMBDA_LOG_FORMAT": form, "AWS_LAMBDA_LOG_LEVEL": level}
        both(PROBE, *probes(self.RECORDS), **{name: value for name, value in variables.items() if value})

    @pytest.mark.parametrize("variables", [{}, JSON_LOG], ids=["text", "json"])
    @pytest.mark.parametrize(
        "code",
        ["logging.warning('%d', 'x')", "logging.warning('a', 'b')", "logging.warning('\\ud800')",
         "logging.warning('x', extra={'message': 1})", "logging.warning('x', extra={'k': {(1, 2): 3}})",
         "logging.exception('no error')", "loop = []; loop.append(loop); logging.warning('x', extra={'k': loop})",
         "print('\\ud800')", "print('\\udcff')", "sys.stdout.write(b'bytes')"],
    )  # fmt: skip
    def test_records_that_cannot_be_written(self, both: Both, code: str, variables: dict[str, str]) -> None:
        attempt = f"try:\n  {code}\nexcept Exception as error:\n  result = [type(error).__name__, str(error)]"
        both(PROBE, *probes(attempt, "logging.warning('after')"), **variables)

    @pytest.mark.parametrize("variables", [{}, JSON_LOG], ids=["text", "json"])
    @pytest.mark.parametrize(
        "code",
        ["logging.basicConfig(level='INFO')", "logging.getLogger().setLevel('INFO')",
         "logging.basicConfig(level='INFO', force=True, stream=sys.stdout, format='%(levelname)s %(message)s')",
         "logging.getLogger().handlers[0].setFormatter(logging.Formatter('%(aws_request_id)s|%(message)s|%(asctime)s'))",
         "logging.getLogger().addHandler(logging.StreamHandler(sys.stdout))",
         "logging.getLogger().handlers.clear(); sys.stderr = sys.stdout",
         "import logging.config\n"
         "logging.config.dictConfig({'version': 1, 'formatters': {'f': {'format': '<%(message)s>'}}, "
         "'handlers': {'h': {'class': 'logging.StreamHandler', 'stream': 'ext://sys.stdout', 'formatter': 'f'}}, "
         "'root': {'level': 'DEBUG', 'handlers': ['h']}})", "logging.disable(logging.ERROR)"],
    )  # fmt: skip
    def test_a_functions_own_configuration(self, both: Both, code: str, variables: dict[str, str]) -> None:
        said = "log = logging.getLogger('a')\nlog.info('i')\nlog.warning('w')\nlog.error('e')\ncontext.log('c')"
        count = "\nresult = [len(logging.getLogger().handlers), logging.getLogger().level]"
        both(PROBE, *probes(code + "\n" + said + count, said), **variables)

    def test_the_root_logger_has_one_handler(self, both: Both) -> None:
        code = "result = [type(h).__name__ for h in logging.getLogger().handlers]"
        assert both(PROBE, *probes(code, code)).results == [b'["LambdaLoggerHandler"]'] * 2

    def test_the_tenant_is_in_every_record(self, both: Both) -> None:
        code = "logging.warning('x'); result = context.tenant_id"
        events = [Event(code, aws_tenant_id="blue"), Event(code)]
        played = both(PROBE, *events, **JSON_LOG)
        assert [json.loads(event).get("tenantId") for event in played.events] == ["blue", None]

    def test_tasks_are_named(self, both: Both) -> None:
        code = """
        import asyncio
        async def say():
            logging.warning("from a task")
        asyncio.run(say())
        """
        both(PROBE, *probes(code), **JSON_LOG)


class TestSnapStart:
    SOURCE = """
import json, logging, os, sys
from snapshot_restore_py import register_after_restore, register_before_snapshot

done = []

@register_before_snapshot
def first():
    done.append("before 1")

def note(*args, **kwargs):
    done.append([args, kwargs])
    logging.warning("hook")

register_before_snapshot(note, "before", n=2)
register_after_restore(note, "after", n=1)
register_after_restore(lambda: done.append("after 2"))

def handler(event, context):
    return done
"""
    SETTINGS: ClassVar[dict[str, str]] = {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start", **JSON_LOG}

    @staticmethod
    def files(source: str) -> dict[str, str | bytes]:
        module = pytest.importorskip("snapshot_restore_py", reason="the package for hooks is not installed")
        return {"app.py": source, "snapshot_restore_py.py": Path(module.__file__).read_bytes()}

    def test_hooks_run_around_the_snapshot(self, both: Both) -> None:
        played = both(self.files(self.SOURCE), Event(1), Event(2), **self.SETTINGS)
        assert [call.path.split("/")[-1] for call in played.calls] == ["next", "response", "response"]
        assert played.calls[1].document == [
            [["before"], {"n": 2}], "before 1", [["after"], {"n": 1}], "after 2",
        ]  # fmt: skip

    @pytest.mark.parametrize("what", ["raise ValueError('no')", "sys.exit(3)", "raise KeyboardInterrupt"])
    @pytest.mark.parametrize(
        ("hook", "path", "kind", "status"),
        [("before_snapshot", "init/error", "Runtime.BeforeSnapshotError", 64),
         ("after_restore", "restore/error", "Runtime.AfterRestoreError", 65)],
    )  # fmt: skip
    def test_hooks_that_fail(self, both: Both, what: str, hook: str, path: str, kind: str, status: int) -> None:
        source = f"{self.SOURCE}\n@register_{hook}\ndef fail():\n    {what}\n"
        played = both(self.files(source), Event(1), **self.SETTINGS)
        assert (played.calls[-1].path, played.status) == (path, status)
        assert played.calls[-1].headers["lambda-runtime-function-error-type"] == kind

    def test_a_module_that_fails_is_an_ordinary_error(self, both: Both) -> None:
        played = both(self.files(self.SOURCE + "\n1 / 0\n"), Event(1), **self.SETTINGS)
        assert (played.calls[-1].path, played.status) == ("init/error", 1)

    def test_other_functions_run_no_hooks(self, both: Both) -> None:
        assert both(self.files(self.SOURCE), Event(1)).results == [b"[]"]


class TestContext:
    def test_every_attribute(self, both: Both) -> None:
        code = """
        fields = {name: repr(value) for name, value in vars(context).items()}
        result = [fields, repr(context), context.w3c(), sorted(n for n in dir(context) if not n.startswith("_"))]
        """
        both(PROBE, *probes(code))

    @pytest.mark.parametrize(
        "given",
        [{"custom": {"a": "ü"}, "env": {"e": 1}, "client": {"installation_id": "i", "app_title": "t", "other": 1}},
         {}, None,
         {"client": {}}, {"client": None, "custom": None}, {"w3c": {"traceparent": "p", "baggage": 1, "other": "o"}},
         {"w3c": 1}],
    )  # fmt: skip
    def test_client_contexts(self, both: Both, given: Any) -> None:
        code = """
        c = context.client_context
        result = [repr(c), context.w3c(), c and c.custom, c and c.env, c and repr(c.client), repr(context)]
        """
        both(PROBE, *probes(code, client_context=json.dumps(given, ensure_ascii=False)))

    @pytest.mark.parametrize("given", [[], [1], "text", 0, {"client": "text"}])
    def test_client_contexts_that_are_no_objects(self, given: Any, tmp_path: Path) -> None:
        (tmp_path / "app.py").write_text(PROBE)
        events = probes("result = 1", client_context=json.dumps(given))
        ours, theirs = (play(runtime, tmp_path, events).calls[0].document for runtime in (INGLE, AWS))
        assert (ours["errorType"], ours["errorMessage"]) == (theirs["errorType"], theirs["errorMessage"])

    @pytest.mark.parametrize("name", ["client_context", "cognito_identity"])
    def test_headers_that_are_no_json(self, both: Both, name: str) -> None:
        played = both(PROBE, *probes("result = 1", **{name: "{not json"}))
        assert played.calls[0].document["errorType"] == "Runtime.LambdaContextUnmarshalError"

    @pytest.mark.parametrize("given", [{"cognitoIdentityId": "i", "cognitoIdentityPoolId": "p"}, {}, None, {"a": 1}])
    def test_identities(self, both: Both, given: Any) -> None:
        code = "i = context.identity; result = [repr(i), i.cognito_identity_id, i.cognito_identity_pool_id]"
        both(PROBE, *probes(code, cognito_identity=json.dumps(given)))

    def test_the_time_that_is_left(self, both: Both) -> None:
        code = "left = context.get_remaining_time_in_millis(); result = [type(left).__name__, left // 600_000]"
        soon = int(time.time() * 1000) + 3_900_000
        both(PROBE, *[Event(code, deadline_ms=str(deadline)) for deadline in (1000, soon)])

    def test_the_trace_is_of_the_invocation(self, both: Both) -> None:
        code = "result = os.environ.get('_X_AMZN_TRACE_ID')"
        played = both(
            PROBE, Event(code), Event(code, trace_id="Root=1-a;Sampled=1"), Event(code, trace_id=""), Event(code)
        )
        assert played.results == [b"null", b'"Root=1-a;Sampled=1"', b"null", b"null"]


class TestThreads:
    def test_a_thread_may_outlive_its_invocation(self, both: Both) -> None:
        code = """
        def work():
            said.wait()
            logging.warning("from the thread")
            done.set()
        said, done = (sys.modules.setdefault(name, threading.Event()) for name in ("said", "done"))
        threading.Thread(target=work, daemon=%s).start()
        """
        finish = "sys.modules['said'].set(); result = sys.modules['done'].wait(5)"
        for daemon in (True, False):
            assert both(PROBE, *probes(code % daemon, finish)).results == [b"null", b"true"]

    def test_a_thread_may_end_the_runtime_between_invocations(self, both: Both) -> None:
        played = both(PROBE, *probes("threading.Timer(0.05, os._exit, [6]).start()", "time.sleep(20)"))
        assert (len(played.calls), played.status) == (1, 6)

    def test_exceptions_of_threads_are_printed(self, both: Both) -> None:
        code = "t = threading.Thread(target=lambda: 1 / 0); t.start(); t.join(); os._exit(1)"
        both(PROBE, *probes(code))
