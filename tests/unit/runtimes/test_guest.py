"""What Ingle's Python runtime does in its own way: the log channel, clones of an initialised process, the end of a
forked one; and that it does on every Python what it does on this one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ingle.worker.families import python_interpreters

from .played import GUEST, INGLE, STREAM, Event, Played, play

MB = 1 << 20
PROBE = """
import logging, os, sys, threading, time

def handler(event, context):
    scope = {**globals(), "event": event, "context": context, "result": None}
    exec(event, scope)
    return scope["result"]
"""
PYTHONS = {found.runtime: str(found.executable) for found in python_interpreters.search(()).interpreters}
#: The runtime in a process that was forked, as from a zygote.
FORKED = """
import bootstrap, os
pid = os.fork()
if pid == 0:
    bootstrap.run()
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
os._exit(status if status >= 0 else 100 - status)
"""


@pytest.fixture
def probe(tmp_path: Path) -> Any:
    def run(*codes: str, **settings: Any) -> Played:
        (tmp_path / "app.py").write_text(PROBE)
        return play(INGLE, tmp_path, [Event(code) for code in codes], **settings)

    return run


class TestChannel:
    def test_a_long_print_is_in_small_pieces(self, probe: Any) -> None:
        played = probe("print('ä' * 1_000_000)")
        assert played.printed == "ä" * 1_000_000 + "\n"
        pieces = [text for kind, text in played.frames if kind == STREAM]
        assert max(len(piece.encode("utf-8", "surrogateescape")) for piece in pieces) <= 4096 - 16

    def test_a_huge_event_is_cut_between_characters(self, probe: Any) -> None:
        played = probe("logging.warning('ä' * 1_500_000)")
        events = [text for kind, text in played.frames if kind != STREAM]
        assert len(events) == 3
        assert "".join(events).endswith("\t" + "ä" * 1_500_000 + "\n")
        assert all(len(event.encode()) <= MB for event in events)

    def test_frames_of_threads_stay_whole(self, probe: Any) -> None:
        code = """
def say(letter):
    for _ in range(20):
        context.log(letter * 100_000)
        print(letter, flush=True)
threads = [threading.Thread(target=say, args=(letter,)) for letter in "abcd"]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""
        played = probe(code)
        events = [text for kind, text in played.frames if kind != STREAM]
        assert sorted(events) == sorted(letter * 100_000 for letter in "abcd" for _ in range(20))
        assert sorted(played.printed.replace("\n", "")) == sorted("abcd" * 20)

    def test_a_forked_child_can_write_while_a_thread_of_its_parent_does(self, probe: Any) -> None:
        code = """
stop = threading.Event()
def say():
    while not stop.is_set():
        logging.getLogger("thread").warning("x" * 3000)
threading.Thread(target=say).start()
statuses = []
for _ in range(30):
    pid = os.fork()
    if pid == 0:
        print("child", flush=True)
        os._exit(0)
    statuses.append(os.waitpid(pid, 0)[1])
stop.set()
result = statuses
"""
        played = probe(code, PYTHONWARNINGS="ignore")
        assert played.calls[0].document == [0] * 30
        assert played.printed.count("child") == 30

    def test_a_signal_handler_may_write_while_the_runtime_does(self, probe: Any) -> None:
        code = """
import signal
signal.signal(signal.SIGALRM, lambda *_: print("alarm"))
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
for _ in range(50): logging.warning("y" * 100_000)
signal.setitimer(signal.ITIMER_REAL, 0)
result = "served"
"""
        played = probe(code)
        assert played.results == [b'"served"']
        assert played.printed.count("alarm") > 0

    def test_streams_look_like_those_of_an_interpreter(self, probe: Any) -> None:
        code = """
sys.stdout.buffer.write(b"bytes \\xff\\n")
print("to the error stream", file=sys.stderr)
sys.stderr.write("\\ud800\\n")
result = [[s.name, s.encoding, s.errors, s.fileno(), s.writable(), s.isatty()] for s in (sys.stdout, sys.stderr)]
"""
        played = probe(code)
        assert played.calls[0].document == [["<stdout>", "utf-8", "surrogateescape", 1, True, False],
                                            ["<stderr>", "utf-8", "backslashreplace", 2, True, False]]  # fmt: skip
        assert played.printed == "bytes \udcff\nto the error stream\n\\ud800\n"

    def test_without_a_channel_an_event_is_one_line(self, tmp_path: Path) -> None:
        (tmp_path / "app.py").write_text(
            "import logging\nlogging.warning('said')\ndef handler(event, context): 1 / 0\n"
        )
        program = "import os, bootstrap\ndel os.environ['_LAMBDA_TELEMETRY_LOG_FD']\nbootstrap.run()\n"
        played = play(INGLE, tmp_path, [Event(1)], program=program)
        said, failed = played.output.splitlines() if "\r" not in played.output else played.output.split("\n")[:2]
        assert said.endswith("\t\tsaid")
        assert failed.startswith("[ERROR] ZeroDivisionError: division by zero\rTraceback (most recent call last):\r")


class TestForkedProcess:
    @pytest.mark.parametrize(
        ("code", "status", "words"),
        [("sys.exit(3)", 3, ""), ("sys.exit(0)", 0, ""), ("sys.exit('text')", 1, "text"), ("os._exit(4)", 4, ""),
         ("raise KeyboardInterrupt", 102, "KeyboardInterrupt"), ("raise GeneratorExit", 1, "GeneratorExit"),
         ("os.abort()", 106, ""), ("sys.excepthook = None; raise BaseException", 1, ""),
         ("sys.stderr.close(); sys.exit('text')", 1, "")],
    )  # fmt: skip
    def test_it_ends_as_a_program_does(self, probe: Any, code: str, status: int, words: str) -> None:
        for program in (FORKED, ""):
            played = probe(code, "result = 'not reached'", program=program)
            expected = status if program or status < 100 else 100 - status
            assert played.status == expected
            if words:
                assert played.last_words == words

    def test_exit_functions_run_and_threads_are_waited_for(self, probe: Any) -> None:
        thread = "threading.Timer(0.2, print, ['thread']).start()"
        code = f"import atexit; atexit.register(print, 'exit'); {thread}; sys.exit(5)"
        played = probe(code, program=FORKED)
        assert (played.status, played.printed) == (5, "thread\nexit\n")


class TestClones:
    #: Two clones of one initialised process, the second after the first has ended.
    PROGRAM = """
import bootstrap, os

def wait_for_restore():
    print("waiting")
    for number in "12":
        pid = os.fork()
        if pid == 0:
            os.environ["AWS_LAMBDA_LOG_STREAM_NAME"] = "clone-" + number
            os.environ["CLONE"] = number
            return
        assert os.waitpid(pid, 0)[1] == int(number) << 8
    os._exit(9)

bootstrap.run(wait_for_restore)
"""
    SOURCE = """
import os
from snapshot_restore_py import register_after_restore, register_before_snapshot
said = ["imported in %s" % os.getpid()]
register_before_snapshot(said.append, "before")
register_after_restore(lambda: said.append("after in clone " + os.environ["CLONE"]))

def handler(event, context):
    if event == "end": os._exit(int(os.environ["CLONE"]))
    return [said, context.log_stream_name]
"""

    def test_clones_are_forked_at_the_boundary(self, tmp_path: Path) -> None:
        module = pytest.importorskip("snapshot_restore_py", reason="the package for hooks is not installed")
        (tmp_path / "app.py").write_text(self.SOURCE)
        (tmp_path / "snapshot_restore_py.py").write_bytes(Path(module.__file__).read_bytes())
        events = [Event("a"), Event("end"), Event("b"), Event("end")]
        played = play(INGLE, tmp_path, events, program=self.PROGRAM, AWS_LAMBDA_INITIALIZATION_TYPE="snap-start")
        assert played.status == 9
        assert [call.path.split("/")[-1] for call in played.calls] == ["response", "response"]
        first, second = (call.document for call in played.calls)
        imported = first[0][0]
        assert first == [[imported, "before", "after in clone 1"], "clone-1"]
        assert second == [[imported, "before", "after in clone 2"], "clone-2"]
        assert played.printed == "waiting\n"

    def test_a_refused_restore_is_an_error_of_initialisation(self, probe: Any) -> None:
        played = probe("result = 1", restore_status=501, AWS_LAMBDA_INITIALIZATION_TYPE="snap-start")
        assert [call.path for call in played.calls] == ["restore/next", "init/error"]
        assert played.status == 64


@pytest.mark.parametrize("runtime", ["python3.9", "python3.10", "python3.11", "python3.12", "python3.13", "python3.14"])
class TestEveryPython:
    @pytest.fixture
    def python(self, runtime: str) -> str:
        if runtime not in PYTHONS:
            pytest.skip(f"no interpreter for {runtime} on this machine")
        return PYTHONS[runtime]

    def test_results_errors_and_records(self, probe: Any, python: str, runtime: str) -> None:
        minor = int(runtime.partition(".")[2])
        log = {"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "INFO"}
        codes = ("logging.getLogger('x').info('said', extra={'k': 1}); result = 'ü'",
                 "import decimal, collections; result = [decimal.Decimal('1.10'), collections.namedtuple('P', 'x')(1)]",
                 "1 / 0", "result = '\\ud800'", "result = 'the last'")  # fmt: skip
        played = probe(*codes, python=python, **log)
        assert played.results[0] == ('"ü"' if minor >= 12 else '"\\u00fc"').encode()
        assert played.results[1] == b'[1.10, {"x": 1}]'
        failed = played.calls[2].document
        assert (failed["errorType"], len(failed["stackTrace"])) == ("ZeroDivisionError", 2)
        assert "^" not in "".join(failed["stackTrace"])
        record = json.loads(played.events[0])
        assert (record["level"], record["message"], record["logger"], record["k"]) == ("INFO", "said", "x", 1)
        # A lone surrogate is no text: from Python 3.12 on it would have to be sent as such.
        assert played.status == (1 if minor >= 12 else None)

    @pytest.mark.parametrize("code", ["sys.exit(3)", "raise KeyboardInterrupt", "import absent"])
    def test_endings_of_a_forked_process(self, probe: Any, python: str, code: str) -> None:
        forked, executed = (probe(code, python=python, program=program) for program in (FORKED, ""))
        expected = executed.status if executed.status is None or executed.status >= 0 else 100 - executed.status
        assert forked.status == expected or (forked.status is None and executed.status is None)
        assert len(forked.calls) == len(executed.calls)


def test_starting_imports_no_more_than_it_needs() -> None:
    """Modules that the runtime adds to those of a bare interpreter, its own included: each costs a cold start time."""
    code = "import sys; before = set(sys.modules); import bootstrap; print(*sorted(set(sys.modules) - before))"
    environment = {**os.environ, "PYTHONPATH": str(GUEST)}
    command = [sys.executable, "-S", "-c", code]
    added = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()
    heavy = {
        "http.client",
        "urllib",
        "email",
        "ssl",
        "asyncio",
        "typing",
        "inspect",
        "dataclasses",
        "pathlib",
        "hashlib",
    }
    assert not heavy & set(added)
    assert "decimal" in added
