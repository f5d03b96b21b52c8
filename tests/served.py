"""A served Ingle as tests see it: a process with a data directory of its own, and clients for it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from ingle.models import DIRECTORY


class Server:
    """A real `ingle serve` process on a free port, with a data directory of its own."""

    def __init__(
        self, data_dir: Path, *, program: Sequence[str] = (sys.executable,), user: int | None = None, **settings: str
    ) -> None:
        """`program` starts Python; `user` is the id to run under, which only root can choose."""
        self.data_dir = data_dir
        self._program = program
        self._identity: dict[str, Any] = {} if user is None else {"user": user, "group": user, "extra_groups": []}
        self._settings = {"INGLE_DATA_DIR": str(data_dir), "INGLE_PORT": "0", **settings}
        self.process: subprocess.Popen[str]
        self.url = ""
        #: Access key id and secret of the root, where the server told it: at its first start with authentication.
        self.root: tuple[str, str] | None = None
        #: The same of roots of other accounts, as tests make them.
        self.others: dict[str, tuple[str, str]] = {}

    def start(self) -> Server:
        command = [*self._program, "-m", "ingle", "serve"]
        environment = {**os.environ, **self._settings}
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed in `stop`
        self.process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=self.errors, stdin=subprocess.DEVNULL, text=True,
            **self._identity,
        )  # fmt: skip
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if " at " not in line:
            self.process.wait(10)
            self.process.stdout.close()
            with self.errors as errors:
                errors.seek(0)
                raise RuntimeError(f"the server did not start: {line}{errors.read()}")
        self.url = line.rsplit(" at ", 1)[1].strip()
        if self._settings.get("INGLE_AUTH") == "iam" and self.root is None:
            _, key, secret = (self.process.stdout.readline().strip().partition("=")[2] for _ in range(3))
            self.root = key, secret
        return self

    def stop(self) -> int:
        self.process.terminate()
        status = self.process.wait(30)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.errors.close()
        return status

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.errors.close()

    def crash(self) -> None:
        """Kill it without notice and start it anew, at another address."""
        self.kill()
        self.start()

    def client(
        self, service: str, region: str = "us-east-1", account: str = "test", *, secret: str = "test",
        token: str | None = None, checking: bool = True,
    ) -> Any:  # fmt: skip
        """`account`: an account, or an access key id with its `secret`.

        `checking`: boto3 refuses by itself what breaks some constraints of the model; without, it sends anything.
        """
        return _session().client(
            service, endpoint_url=self.url, region_name=region, aws_access_key_id=account,
            aws_secret_access_key=secret, aws_session_token=token,
            # A try again would hide errors of the server, and throttles.
            config=Config(
                retries={"total_max_attempts": 1}, read_timeout=30, parameter_validation=checking,
                max_pool_connections=50,
            ),
        )  # fmt: skip


@cache
def _session() -> Any:
    """A session that knows the service `ingle`, too, as with AWS_DATA_PATH."""
    session = botocore.session.get_session()
    session.set_config_variable("data_path", str(DIRECTORY))
    return boto3.Session(botocore_session=session)


#: How often boto3's waiters look.
OFTEN = {"Delay": 0.05, "MaxAttempts": 600}


def create_function(client: Any, name: str, source: str | Mapping[str, str | bytes], **settings: Any) -> None:
    """A Python function with this `app.py`, or with these files, that is active when this returns."""
    files = {"app.py": source} if isinstance(source, str) else source
    request = {"Runtime": "python3.11", "Handler": "app.handler", "Role": "arn:aws:iam::000000000000:role/r",
               "Code": {"ZipFile": package(files)}, **settings}  # fmt: skip
    client.create_function(FunctionName=name, **request)
    client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig=OFTEN)


def settle(client: Any, name: str) -> None:
    """Wait until an update has ended."""
    client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=OFTEN)


def status(answer: dict[str, Any]) -> int:
    number: int = answer["ResponseMetadata"]["HTTPStatusCode"]
    return number


def plain(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer without what is about its HTTP response."""
    return {member: value for member, value in answer.items() if member != "ResponseMetadata"}


def refusal(call: Callable[..., Any], **params: Any) -> tuple[int, str, str]:
    """The status, code and message of the error that a call of a client gets."""
    with pytest.raises(ClientError) as raised:
        call(**params)
    response = raised.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"], response["Error"]["Message"]


def package(files: Mapping[str, str | bytes]) -> bytes:
    """The bytes of a deployment package with these files, all readable and executable."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = 0o100755 << 16
            archive.writestr(info, content)
    return buffer.getvalue()
