"""The Python runtime: imports the handler, then serves invocations from the Runtime API until it is stopped.

Runs inside an execution environment as the function's user, either called in a process forked from a zygote or executed
as a program. Talks to the genuine Runtime API over HTTP on a plain socket: the answer to one invocation and the poll
for the next leave in a single write. Imports nothing of Ingle and works on Python 3.9 and later.

Behaviour that handlers can see (context attributes, log lines, error bodies, JSON rules) follows AWS's documentation
of the Python runtime.
"""

import decimal
import importlib
import io
import json
import logging
import os
import socket
import sys
import time
import traceback
import types

API = "/2018-06-01/runtime"
TEXT_FRAME = 0xA55A0003  # one log event
STREAM_FRAME = 0x696E676C  # a piece of an output stream, split into events at line ends by the receiver
NO_BREAK_SPACE = "\u00a0"


class Fault(Exception):
    """The runtime itself, not the handler, cannot go on. `trace` holds finished lines of a stack trace."""

    def __init__(self, kind, message, trace=None):
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.trace = trace


# --- output -----------------------------------------------------------------------------------------------------------


class LogSink:
    """Writes log events: framed, so that an event may span lines, or as plain lines where there is no such channel."""

    def __init__(self, fd):
        self.fd = fd

    def event(self, text):
        if self.fd is None:
            sys.stdout.write(text if text.endswith("\n") else text + "\n")
            sys.stdout.flush()
        else:
            self._frame(TEXT_FRAME, text.encode("utf-8", "backslashreplace"))

    def stream(self, data):
        self._frame(STREAM_FRAME, bytes(data))
        return len(data)

    def _frame(self, kind, content):
        head = kind.to_bytes(4, "big") + len(content).to_bytes(4, "big")
        rest = memoryview(head + (time.time_ns() // 1000).to_bytes(8, "big") + content)
        while rest:
            rest = rest[os.write(self.fd, rest) :]


class FramedStream(io.RawIOBase):
    """`sys.stdout` and `sys.stderr` of a handler: in one order with its log records, unbuffered."""

    def __init__(self, sink, fd):
        super().__init__()
        self._sink = sink
        self._fd = fd

    def writable(self):
        return True

    def fileno(self):
        return self._fd

    def write(self, data):
        return self._sink.stream(data)


class LambdaHandler(logging.Handler):
    def __init__(self, sink):
        super().__init__()
        self._sink = sink

    def emit(self, record):
        self._sink.event(self.format(record))


class RequestIdFilter(logging.Filter):
    request_id = ""

    def filter(self, record):
        record.aws_request_id = RequestIdFilter.request_id
        return True


def configure_output(fd):
    sink = LogSink(fd)
    if fd is not None:
        for name, number in (("stdout", 1), ("stderr", 2)):
            stream = FramedStream(sink, number)
            setattr(sys, name, io.TextIOWrapper(stream, "utf-8", "backslashreplace", write_through=True))
    handler = LambdaHandler(sink)
    pattern = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n"
    formatter = logging.Formatter(pattern, "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    handler.addFilter(RequestIdFilter())
    logging.getLogger().addHandler(handler)
    return sink


# --- JSON -------------------------------------------------------------------------------------------------------------


_parse = json.JSONDecoder().decode


class Encoder:
    """Results as JSON: decimals keep their digits, text stays UTF-8 from Python 3.12 on and is escaped before."""

    MARK = "\ue000decimal:%s\ue000"

    def __init__(self):
        self._ascii = sys.version_info < (3, 12)
        self._decimals = False
        self._encode = json.JSONEncoder(ensure_ascii=self._ascii, default=self._default).encode

    def encode(self, value):
        text = self._encode(value)
        if self._decimals:
            self._decimals = False
            edge = "\\ue000" if self._ascii else "\ue000"
            text = text.replace('"%sdecimal:' % edge, "").replace('%s"' % edge, "")
        return text.encode("utf-8", "surrogatepass")

    def _default(self, value):
        if isinstance(value, decimal.Decimal):
            if value.is_nan():
                return float("nan")
            self._decimals = True
            return self.MARK % value
        raise TypeError("Object of type %s is not JSON serializable" % type(value).__name__)


# --- the context object -----------------------------------------------------------------------------------------------


class CognitoIdentity:
    __slots__ = ("cognito_identity_id", "cognito_identity_pool_id")

    def __init__(self, given):
        self.cognito_identity_id = given.get("cognitoIdentityId")
        self.cognito_identity_pool_id = given.get("cognitoIdentityPoolId")

    def __repr__(self):
        return "CognitoIdentity(%r, %r)" % (self.cognito_identity_id, self.cognito_identity_pool_id)


class ClientContextDetails:
    __slots__ = ("app_package_name", "app_title", "app_version_code", "app_version_name", "installation_id")

    def __init__(self, given):
        for name in self.__slots__:
            setattr(self, name, given.get(name))


class ClientContext:
    __slots__ = ("client", "custom", "env")

    def __init__(self, given):
        self.client = ClientContextDetails(given["client"]) if given.get("client") else None
        self.custom = given.get("custom")
        self.env = given.get("env")


class LambdaContext:
    """What a handler is given as its second argument. `memory_limit_in_mb` is a string, as on AWS."""

    def __init__(self, request_id, headers, sink):
        self.aws_request_id = request_id
        self.invoked_function_arn = headers.get("lambda-runtime-invoked-function-arn")
        self.tenant_id = headers.get("lambda-runtime-aws-tenant-id")
        client = _json_header(headers, "lambda-runtime-client-context")
        self.client_context = None if client is None else ClientContext(client)
        self.identity = CognitoIdentity(_json_header(headers, "lambda-runtime-cognito-identity") or {})
        self._epoch_deadline_time_in_ms = int(headers.get("lambda-runtime-deadline-ms", 0))
        self._sink = sink

    @classmethod
    def describe_function(cls, variables):
        """What is the same for all invocations of a process stands on the class."""
        cls.log_group_name = variables.get("AWS_LAMBDA_LOG_GROUP_NAME")
        cls.log_stream_name = variables.get("AWS_LAMBDA_LOG_STREAM_NAME")
        cls.function_name = variables.get("AWS_LAMBDA_FUNCTION_NAME")
        cls.memory_limit_in_mb = variables.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        cls.function_version = variables.get("AWS_LAMBDA_FUNCTION_VERSION")

    def get_remaining_time_in_millis(self):
        """Milliseconds until the invocation times out, never negative."""
        return max(self._epoch_deadline_time_in_ms - int(time.time() * 1000), 0)

    def log(self, message):
        self._sink.event(str(message))

    def __repr__(self):
        names = ("aws_request_id", "log_group_name", "log_stream_name", "function_name", "memory_limit_in_mb",
                 "function_version", "invoked_function_arn", "client_context", "identity", "tenant_id")  # fmt: skip
        return "LambdaContext([%s])" % ",".join("%s=%s" % (name, getattr(self, name)) for name in names)


def _json_header(headers, name):
    value = headers.get(name)
    if not value:
        return None
    try:
        # http.client and this client decode header bytes as Latin-1; the JSON in them is UTF-8.
        return json.loads(value.encode("latin-1"))
    except ValueError as error:
        raise Fault("Runtime.LambdaContextUnmarshalError", "Unable to parse %s JSON: %s" % (name, error)) from None


# --- the Runtime API --------------------------------------------------------------------------------------------------


class RuntimeApi:
    """One keep-alive connection to the Runtime API. A lost connection ends the process: the platform starts anew."""

    def __init__(self, address):
        host, _, port = address.partition(":")
        self._host_name = address
        self._host = address.encode()
        self._acknowledgement = None
        # The address is numeric: no resolver, whose modules would have to be imported first.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.connect((host, int(port)))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""
        self._poll = b"GET %s/invocation/next HTTP/1.1\r\nHost: %s\r\n\r\n" % (API.encode(), self._host)

    def next(self, answer=b""):
        """Send `answer` (a finished request, or nothing) together with the poll; return (headers, event bytes)."""
        self._socket.sendall(answer + self._poll)
        if answer:
            self._read_acknowledgement()
        status, headers, body = self._read()
        if status != 200:
            raise SystemExit("Runtime API answered %d to the poll" % status)
        return headers, body

    def post(self, path, body, content_type, headers=()):
        """A finished POST request as bytes."""
        more = "".join(["%s: %s\r\n" % pair for pair in headers])
        head = "POST %s%s HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n%s\r\n" % (
            API, path, self._host_name, content_type, len(body), more
        )  # fmt: skip
        return head.encode("latin-1", "replace") + body

    def send(self, request):
        self._socket.sendall(request)
        return self._read()

    def _read_acknowledgement(self):
        """The answer to a reply is the same every time, and mostly arrives together with the next event."""
        if self._acknowledgement is None:
            self._read()
            return
        if not self._buffer:
            self._buffer = self._socket.recv(65536)
        if self._buffer.startswith(self._acknowledgement):
            self._buffer = self._buffer[len(self._acknowledgement) :]
        else:
            self._read()

    def _read(self):
        buffer = self._buffer
        while True:
            end = buffer.find(b"\r\n\r\n")
            if end >= 0:
                break
            piece = self._socket.recv(65536)
            if not piece:
                raise SystemExit("the Runtime API closed the connection")
            buffer += piece
        lines = buffer[:end].decode("latin-1").split("\r\n")
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        size = int(headers.get("content-length", 0))
        start = end + 4
        if len(buffer) < start + size:
            buffer = self._fill(buffer, start + size)
        self._buffer = buffer[start + size :]
        status = int(lines[0][9:12])
        if status == 202:
            self._acknowledgement = buffer[: start + size]
        return status, headers, buffer[start : start + size]

    def _fill(self, buffer, size):
        pieces = [buffer]
        have = len(buffer)
        while have < size:
            piece = self._socket.recv(min(size - have, 1 << 20))
            if not piece:
                raise SystemExit("the Runtime API closed the connection")
            pieces.append(piece)
            have += len(piece)
        return b"".join(pieces)


# --- the handler ------------------------------------------------------------------------------------------------------


def load_handler(name):
    """The callable that the setting `name` ("module.function", directories by dot or slash) points to."""
    parts = name.rsplit(".", 1)
    if len(parts) != 2:
        got = len(parts)
        text = "Bad handler '%s': not enough values to unpack (expected 2, got %d)" % (name, got)
        raise Fault("Runtime.MalformedHandlerName", text)
    path, function = parts
    if path.split("/")[0].split(".")[0] in sys.builtin_module_names:
        raise Fault("Runtime.BuiltInModuleConflict", "Cannot use built-in module %s as a handler module" % path)
    try:
        module = importlib.import_module(path.replace("/", "."))
    except ImportError as error:
        raise Fault("Runtime.ImportModuleError", "Unable to import module '%s': %s" % (path, error)) from None
    except SyntaxError as error:
        trace = ['  File "%s" Line %s\n    %s' % (error.filename, error.lineno, error.text)]
        text = "Syntax error in module '%s': %s" % (path, error)
        raise Fault("Runtime.UserCodeSyntaxError", text, trace) from None
    try:
        return getattr(module, function)
    except AttributeError:
        text = "Handler '%s' missing on module '%s'" % (function, path)
        raise Fault("Runtime.HandlerNotFound", text) from None


def error_body(kind, message, trace, request_id):
    return {"errorMessage": message, "errorType": kind, "requestId": request_id, "stackTrace": trace or []}


def describe(error, own_frames):
    """(type, message, trace lines) of an exception, without the `own_frames` innermost-last frames of the runtime."""
    if isinstance(error, Fault):
        return error.kind, error.message, error.trace
    frames = traceback.extract_tb(error.__traceback__)[own_frames:]
    return type(error).__name__, str(error), traceback.format_list(frames)


def log_error(sink, kind, message, trace):
    lines = ["[ERROR] %s: %s" % (kind, message) if message else "[ERROR] %s" % kind]
    if trace is not None:
        lines.append("Traceback (most recent call last):")
        for entry in trace:
            for line in entry.splitlines() or [""]:
                bare = line.lstrip(" ")
                lines.append(NO_BREAK_SPACE * (len(line) - len(bare)) + bare)
    sink.event("\n".join(lines))


def x_ray_cause(kind, message, error):
    frames = [] if isinstance(error, Fault) else traceback.extract_tb(error.__traceback__)
    stack = [{"label": frame.name, "path": frame.filename, "line": frame.lineno} for frame in frames[-32:]]
    kind = "LambdaValidationError" if isinstance(error, Fault) else kind
    cause = {
        "working_directory": os.getcwd(),
        "exceptions": [{"message": message, "type": kind, "stack": stack}],
        "paths": sorted({frame.filename for frame in frames}),
    }
    return json.dumps(cause)


class Runtime:
    def __init__(self, handler_name, address, log_fd):
        self._sink = configure_output(log_fd)
        self._api = RuntimeApi(address)
        self._handler_name = handler_name
        self._encoder = Encoder()
        LambdaContext.describe_function(os.environ)

    def serve(self, wait_for_restore=None):
        handler = self._initialise()
        if wait_for_restore is not None:
            wait_for_restore()
            fd = os.environ.pop("_LAMBDA_TELEMETRY_LOG_FD", None)
            self._sink.fd = fd and int(fd)
            self._api = RuntimeApi(os.environ["AWS_LAMBDA_RUNTIME_API"])
            LambdaContext.describe_function(os.environ)
        headers, event = self._api.next()
        while True:
            headers, event = self._api.next(self._answer(handler, headers, event))

    def _initialise(self):
        try:
            return load_handler(self._handler_name)
        except Fault as fault:
            self._fail_initialisation(fault)
        except Exception as error:
            # Whatever the module raised is the function's error. Frames of this file and of the import system's entry
            # point differ by version; user code starts after `load_handler`, whose frame and this one are left out.
            self._fail_initialisation(error)

    def _fail_initialisation(self, error):
        kind, message, trace = describe(error, 2)
        if not isinstance(error, Fault):
            self._sink.event("LAMBDA_WARNING: Unhandled exception. The function's module could not be initialised.\n")
        log_error(self._sink, kind, message, trace)
        body = json.dumps(error_body(kind, message, trace, "")).encode()
        headers = [("Lambda-Runtime-Function-Error-Type", kind)]
        self._api.send(self._api.post("/init/error", body, "application/json", headers))
        raise SystemExit(1)

    def _answer(self, handler, headers, event):
        request_id = RequestIdFilter.request_id = headers["lambda-runtime-aws-request-id"]
        trace_id = headers.get("lambda-runtime-trace-id")
        if trace_id:
            os.environ["_X_AMZN_TRACE_ID"] = trace_id
        elif "_X_AMZN_TRACE_ID" in os.environ:
            del os.environ["_X_AMZN_TRACE_ID"]
        path = "/invocation/%s" % request_id
        try:
            context = LambdaContext(request_id, headers, self._sink)
            result, content_type = self._encode(handler(self._decode(headers, event), context))
            return self._api.post(path + "/response", result, content_type)
        except Exception as error:  # whatever the handler raised is the invocation's result
            kind, message, trace = describe(error, 1)
            log_error(self._sink, kind, message, trace)
            body = json.dumps(error_body(kind, message, trace, request_id)).encode()
            cause = x_ray_cause(kind, message, error)
            more = [("Lambda-Runtime-Function-Error-Type", kind.replace("\n", " "))]
            if len(cause) < 65536:
                more.append(("Lambda-Runtime-Function-XRay-Error-Cause", cause))
            return self._api.post(path + "/error", body, "application/json", more)

    def _decode(self, headers, event):
        if headers.get("content-type", "application/json") != "application/json":
            return event
        try:
            return _parse(str(event, "utf-8"))
        except Exception as error:  # a document that is nested too deep is a RecursionError
            raise Fault("Runtime.UnmarshalError", "Unable to unmarshal input: %s" % error) from None

    def _encode(self, result):
        if isinstance(result, bytes):
            return result, "application/unknown"
        try:
            return self._encoder.encode(result), "application/json"
        except Exception as error:  # objects may raise anything while they are encoded
            raise Fault("Runtime.MarshalError", "Unable to marshal response: %s" % error) from None


def module_path():
    """Where imports look before the standard library, in AWS's order."""
    packages = "/opt/python/lib/python%d.%d/site-packages" % sys.version_info[:2]
    return [os.environ.get("LAMBDA_TASK_ROOT", "/var/task"), packages, "/opt/python"]


def run(wait_for_restore=None):
    """Serve with the settings of the process environment; returns only by SystemExit."""
    log_fd = os.environ.pop("_LAMBDA_TELEMETRY_LOG_FD", None)
    sys.path[:0] = module_path()
    time.tzset()
    importlib.invalidate_caches()
    runtime = Runtime(os.environ["_HANDLER"], os.environ["AWS_LAMBDA_RUNTIME_API"], log_fd and int(log_fd))
    runtime.serve(wait_for_restore)


if __name__ == "__main__":
    # Executed, not forked: this file's directory and site-packages are not for handlers to find first.
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if entry not in ("", here)] + [here]
    assert isinstance(sys.modules["__main__"], types.ModuleType)
    run()
