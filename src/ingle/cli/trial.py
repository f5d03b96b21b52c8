"""`ingle try`: a server, one function deployed and invoked, and what to type next.

The server is a child process and is spoken to over HTTP, as any user's would be. It is stopped with this process,
whatever ends this process.
"""

from __future__ import annotations

import base64
import ctypes
import io
import json
import os
import shlex
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from types import FrameType

from ingle.cli.client import Api, Invoked
from ingle.cli.output import Failure, say, styled
from ingle.domain.clock import SystemClock, today
from ingle.domain.errors import InvalidParameterValue
from ingle.domain.runtimes import require_creatable
from ingle.settings import Client, Settings, option
from ingle.worker.families import PYTHON
from ingle.worker.families.python_interpreters import minor

_REGION = "us-east-1"
_ROLE = "arn:aws:iam::000000000000:role/try"
_HANDLER = "lambda_function.lambda_handler"
_READY_SECONDS = 60.0
_PR_SET_PDEATHSIG = 1


class _Stop(Exception):
    """Ctrl-C or SIGTERM: time to stop the server and to end well."""


def run(directory: Path, settings: Settings) -> None:
    """Serve until Ctrl-C. Raises Failure."""
    package = _package(directory)
    terminal = _take_terminal()
    # Until the handlers are in place, whatever ends this process ends the server with it.
    server = _start(settings)
    previous = [signal.signal(number, _stop) for number in (signal.SIGINT, signal.SIGTERM)]
    try:
        # While the server starts.
        runtime = _runtime(settings)
        url = _wait_until_ready(server)
        api = Api(Client(url=url, region=_REGION, access_key_id="test"))
        name = directory.resolve().name
        _deploy(api, name, runtime, package)
        began = time.perf_counter()
        invoked = api.invoke(name, b'{"name": "world"}')
        _show(name, runtime, invoked, (time.perf_counter() - began) * 1000)
        _show_next(name, url, console=settings.console == "on")
        api.close()
        status = server.wait()
        raise Failure(f"the server ended by itself (exit status {status})")
    except _Stop:
        say()
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        _end(server, settings.drain_timeout)
        if terminal is not None:
            os.tcsetpgrp(sys.stdin.fileno(), terminal)
        for number, handler in zip((signal.SIGINT, signal.SIGTERM), previous, strict=True):
            signal.signal(number, handler)


def _take_terminal() -> int | None:
    """Become the terminal's foreground process group; the group to give it back to, None if there was none to take.

    Ctrl-C reaches the whole foreground group. `make`, which may have started this process, would take it for a failure
    of its own and end with an error although everything was stopped in order.
    """
    if not sys.stdin.isatty() or os.getpgrp() in (os.getpid(), os.getsid(0)):
        return None
    try:
        former = os.tcgetpgrp(sys.stdin.fileno())
        if former != os.getpgrp():
            return None  # started in the background: the terminal is somebody else's
        # A background group that changes the terminal is stopped, and one stopped by Ctrl-Z could not be continued.
        for number in (signal.SIGTTOU, signal.SIGTSTP):
            signal.signal(number, signal.SIG_IGN)
        os.setpgid(0, 0)
        os.tcsetpgrp(sys.stdin.fileno(), os.getpid())
    except OSError:
        return None
    return former


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise _Stop


def _package(directory: Path) -> bytes:
    """The directory as a zip, the same bytes for the same content."""
    if not (directory / "lambda_function.py").is_file():
        raise Failure(f"{directory}: no lambda_function.py in it", 2)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(directory.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                entry = zipfile.ZipInfo(str(file.relative_to(directory)), (2020, 1, 1, 0, 0, 0))
                entry.external_attr = 0o100644 << 16
                archive.writestr(entry, file.read_bytes(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _runtime(settings: Settings) -> str:
    """The newest runtime of this machine that AWS has too, one with boto3 if there is one."""
    found = [item for item in PYTHON.search(settings).interpreters if _is_creatable(item.runtime)]
    if not found:
        raise Failure("no Python 3.9 or later found to run functions with; see `ingle doctor`")
    return max(found, key=lambda item: (_has_boto3(settings, item.runtime), minor(item.runtime))).runtime


def _is_creatable(runtime: str) -> bool:
    try:
        require_creatable(runtime, today(SystemClock()))
    except InvalidParameterValue:
        return False
    return True


def _has_boto3(settings: Settings, runtime: str) -> bool:
    return PYTHON.libraries(settings.runtimes_dir, runtime) is not None


def _start(settings: Settings) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "ingle", "serve", "--log-level", "warning", "--auth", "none"]
    for name in ("host", "port", "data_dir", "runtimes_dir"):
        command += [option(name), str(getattr(settings, name))]
    # A session of its own: Ctrl-C reaches this process alone, which then stops the server in order.
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=_end_with_parent,
    )


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _wait_until_ready(server: subprocess.Popen[str]) -> str:
    """The server's URL, from the line it prints when it is ready."""
    assert server.stdout is not None
    for line in server.stdout:
        if "ready at " in line:
            return line.rsplit(" ", 1)[-1].strip()
    # The server has said why on standard error; that one line is enough.
    raise SystemExit(server.wait() or 1)


def _deploy(api: Api, name: str, runtime: str, package: bytes) -> None:
    """Create the function, or bring the one of an earlier run up to date; return when it can be invoked."""
    from hashlib import sha256

    encoded = base64.b64encode(package).decode()
    existing = api.configuration(name)
    if existing is None:
        members = {"FunctionName": name, "Runtime": runtime, "Handler": _HANDLER, "Role": _ROLE, "MemorySize": 1769}
        api.create_function({**members, "Code": {"ZipFile": encoded}})
    else:
        if existing.get("CodeSha256") != base64.b64encode(sha256(package).digest()).decode():
            api.update_code(name, encoded)
            _wait_until_active(api, name)
        if existing.get("Runtime") != runtime:
            api.update_configuration(name, {"Runtime": runtime})
    _wait_until_active(api, name)


def _wait_until_active(api: Api, name: str) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        configuration = api.configuration(name) or {}
        states = (configuration.get("State"), configuration.get("LastUpdateStatus"))
        if "Failed" in states:
            reason = configuration.get("LastUpdateStatusReason") or configuration.get("StateReason")
            raise Failure(f"{name} cannot be run: {reason}")
        if states == ("Active", "Successful"):
            return
        time.sleep(0.01)
    raise Failure(f"{name} was not ready within {_READY_SECONDS:g} s")


def _show(name: str, runtime: str, invoked: Invoked, milliseconds: float) -> None:
    say(f"{styled(name, 'bold')} ({runtime}) answered in {milliseconds:.1f} ms:")
    try:
        answer = json.dumps(json.loads(invoked.payload), indent=2, ensure_ascii=False)
    except ValueError:
        answer = invoked.payload.decode("utf-8", "replace")
    say(_indented(styled(answer, "red" if invoked.error else "green")))
    say("The end of its log:")
    say(_indented(invoked.log_tail.rstrip().replace("\t", "  ")))


def _show_next(name: str, url: str, *, console: bool) -> None:
    if console:
        say(f"Console: {styled(url + '/_ingle/console/', 'bold')}")
    say(f"Endpoint: {styled(url, 'bold')}. In another terminal:")
    name = shlex.quote(name)
    variables = f"AWS_ENDPOINT_URL={url} AWS_DEFAULT_REGION={_REGION} AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test"
    for line in (
        f"export {variables}",
        "aws lambda list-functions",
        f"aws lambda invoke --function-name {name} /dev/stdout",
        f"aws logs tail /aws/lambda/{name} --follow",
    ):
        say(_indented(styled(line, "cyan")))
    say("Ctrl-C stops it.")


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())


def _end(server: subprocess.Popen[str], drain_timeout: float) -> None:
    """Stop the server in order; kill it when it does not come to an end."""
    if server.poll() is None:
        server.terminate()
    try:
        server.wait(drain_timeout + 10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
    if server.stdout is not None:
        server.stdout.close()
