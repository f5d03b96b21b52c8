"""A small client of Ingle's API for the verbs, on http.client: botocore takes longer to import than a call takes.

Knows the Lambda calls and the protocols of Logs, KMS and IAM that the verbs use. Not for functions, nor for tests of
the API.
"""

from __future__ import annotations

import base64
import http.client
import json
import re
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit
from xml.etree import ElementTree

from ingle.cli.output import Failure
from ingle.settings import Client

_FUNCTIONS = "/2015-03-31/functions"
_CONNECT_SECONDS = 5.0
#: Longer than a function may run.
_ANSWER_SECONDS = 930.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One HTTP answer. Header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def content(self) -> dict[str, Any]:
        try:
            content = json.loads(self.body or b"{}")
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise Failure("the endpoint gave an answer that is not JSON; is it Ingle?")
        return content


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoked:
    """`error`: the X-Amz-Function-Error value or None. `log_tail`: the end of the invocation's log, if asked for."""

    payload: bytes
    error: str | None
    log_tail: str


class ApiError(Failure):
    """The service refused: `code` is the AWS error code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}" if message else code)
        self.code = code


class Api:
    """Calls one endpoint over one connection. Raises Failure, with one line that says what to do."""

    def __init__(self, client: Client) -> None:
        self._client = client
        parts = urlsplit(client.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        try:
            self._connection = kind(parts.hostname or "", parts.port, timeout=_CONNECT_SECONDS)
        except (ValueError, http.client.InvalidURL):
            raise Failure(f"{client.url} is not a usable URL") from None

    def close(self) -> None:
        self._connection.close()

    def invoke(self, name: str, payload: bytes, *, qualifier: str | None = None) -> Invoked:
        query = f"?Qualifier={quote(qualifier, safe='')}" if qualifier else ""
        path = f"{_FUNCTIONS}/{quote(name, safe='')}/invocations{query}"
        answer = self._call("lambda", "POST", path, payload, {"X-Amz-Log-Type": "Tail"})
        tail = base64.b64decode(answer.headers.get("x-amz-log-result", "")).decode("utf-8", "replace")
        return Invoked(payload=answer.body, error=answer.headers.get("x-amz-function-error"), log_tail=tail)

    def configuration(self, name: str) -> dict[str, Any] | None:
        """A function's configuration, None when there is no such function."""
        try:
            return self._call("lambda", "GET", f"{_FUNCTIONS}/{quote(name, safe='')}/configuration").content
        except ApiError as problem:
            if problem.code == "ResourceNotFoundException":
                return None
            raise

    def create_function(self, members: Mapping[str, Any]) -> None:
        self._call("lambda", "POST", _FUNCTIONS, json.dumps(members).encode())

    def update_code(self, name: str, package: str) -> None:
        body = json.dumps({"ZipFile": package}).encode()
        self._call("lambda", "PUT", f"{_FUNCTIONS}/{quote(name, safe='')}/code", body)

    def update_configuration(self, name: str, members: Mapping[str, Any]) -> None:
        body = json.dumps(members).encode()
        self._call("lambda", "PUT", f"{_FUNCTIONS}/{quote(name, safe='')}/configuration", body)

    def logs(self, operation: str, members: Mapping[str, Any]) -> dict[str, Any]:
        return self._json("logs", f"Logs_20140328.{operation}", members)

    def kms(self, operation: str, members: Mapping[str, Any]) -> dict[str, Any]:
        return self._json("kms", f"TrentService.{operation}", members)

    def own(self, operation: str, members: Mapping[str, Any]) -> dict[str, Any]:
        """Of Ingle's own service."""
        return self._json("ingle", f"Ingle.{operation}", members)

    def _json(self, service: str, target: str, members: Mapping[str, Any]) -> dict[str, Any]:
        headers = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1"}
        return self._call(service, "POST", "/", json.dumps(members).encode(), headers).content

    def iam(self, action: str, **parameters: str) -> ElementTree.Element:
        """The XML of an answer; names of elements are without their namespace."""
        form = urlencode({"Action": action, "Version": "2010-05-08", **parameters}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = self._call("iam", "POST", "/", form, headers)
        return _tree(answer.body)

    def _call(
        self, service: str, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        path = urlsplit(self._client.url).path + path
        sent = {"Content-Length": str(len(body)), **(headers or {})}
        if self._client.secret_access_key:
            sent |= self._signed(service, method, path, body, headers or {})
        else:
            sent["Authorization"] = self._authorization(service)
        answer = self._exchange(method, path, body, sent)
        if answer.status < 400:
            return answer
        raise _refusal(answer)

    def _exchange(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        try:
            if self._connection.sock is None:
                self._connect()
            self._connection.request(method, path, body, dict(headers))
            response = self._connection.getresponse()
            content = response.read()
        except ConnectionRefusedError:
            raise Failure(f"nothing is listening at {self._client.url}; start it with `ingle serve`") from None
        except (TimeoutError, socket.gaierror, OSError, http.client.HTTPException) as problem:
            reason = getattr(problem, "strerror", None) or str(problem) or type(problem).__name__
            raise Failure(f"{self._client.url}: {reason}") from None
        lowered = {name.lower(): value for name, value in response.getheaders()}
        return Answer(status=response.status, headers=lowered, body=content)

    def _connect(self) -> None:
        self._connection.connect()
        connected: socket.socket = self._connection.sock
        connected.settimeout(_ANSWER_SECONDS)

    def _signed(
        self, service: str, method: str, path: str, body: bytes, headers: Mapping[str, str]
    ) -> Mapping[str, str]:
        from ingle.companions.endpoint import Credentials
        from ingle.companions.signing import signed_headers

        client = self._client
        credentials = Credentials(
            access_key_id=client.access_key_id, secret_access_key=client.secret_access_key,
            session_token=client.session_token,
        )  # fmt: skip
        path, _, query = path.partition("?")
        own = {name.lower(): value for name, value in headers.items() if name.lower().startswith("x-amz-")}
        signed = signed_headers(
            credentials, service, client.region, time.time(), method=method, host=urlsplit(client.url).netloc,
            path=quote(path, safe="/-_.~"), query=query, body=body, more=own,
        )  # fmt: skip
        return {name: value for name, value in signed.items() if name not in own}

    def _authorization(self, service: str) -> str:
        # Without authentication a server takes the region and the account from here and looks no further.
        scope = f"{self._client.access_key_id}/20000101/{self._client.region}/{service}/aws4_request"
        return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=unsigned"


def _tree(body: bytes) -> ElementTree.Element:
    try:
        tree = ElementTree.fromstring(re.sub(rb' xmlns="[^"]*"', b"", body, count=1))
    except ElementTree.ParseError:
        raise Failure("the endpoint gave an answer that is not XML; is it Ingle?") from None
    return tree


def _refusal(answer: Answer) -> ApiError:
    if answer.headers.get("content-type", "").startswith("text/xml"):
        tree = _tree(answer.body)
        return ApiError(tree.findtext(".//Code") or "", (tree.findtext(".//Message") or "").replace("\n", " "))
    content = answer.content
    code = answer.headers.get("x-amzn-errortype") or str(content.get("__type", f"HTTP status {answer.status}"))
    message = content.get("message") or content.get("Message") or ""
    return ApiError(code.split(":")[0].rsplit("#", 1)[-1], str(message).replace("\n", " "))
