"""What a function writes: `sys.stdout` and `sys.stderr`, the records of `logging`, and reports of failures.

All of it goes through one channel of frames, in the order in which it was written: 4 bytes of type, 4 of length, 8 of
time in microseconds, big-endian, then the content. AWS's types tell format and level of a log event; one type of
Ingle's own carries pieces of the standard streams, which the receiver splits at line ends. Where there is no channel
everything is written to the standard output.

`AWS_LAMBDA_LOG_FORMAT` and `AWS_LAMBDA_LOG_LEVEL` decide how records look and which of them are written.
"""

import _thread
import io
import json
import logging
import os
import sys
import time
import traceback

STREAM_FRAME = 0x696E676C
#: The type of a log event: this, the format in the two lowest bits, and the level above these.
_EVENT_FRAME = 0xA55A0000
JSON_FORMAT, TEXT_FORMAT = 2, 3
#: Levels of frames by tens of `logging`'s levels. 0 tells nothing, 1 (trace) has no counterpart in Python.
_FRAME_LEVELS = (0, 2, 3, 4, 5, 6)
_HEADER_BYTES = 16
#: A larger event is written as several: the receiver, as CloudWatch, has a limit.
_MAX_EVENT = 1 << 20
#: The kernel does not interleave pieces of this size from several processes (PIPE_BUF), header included.
_STREAM_PIECE = 4096 - _HEADER_BYTES
_SECONDS = "%Y-%m-%dT%H:%M:%SZ"


def frame_type(form, level=0):
    """The type of an event of a format with a level of `logging`."""
    return _EVENT_FRAME | _FRAME_LEVELS[level // 10] << 2 | form


def rounded(level):
    """`logging` knows any number as a level; records are written with the standard one below."""
    return min(50, max(0, level)) // 10 * 10


class FrameSink:
    """Writes frames to a descriptor. Calls from several threads keep frames whole; a signal handler may call too."""

    def __init__(self, fd):
        self.fd = fd
        self._lock = _thread.RLock()
        os.register_at_fork(after_in_child=self._renew_lock)

    def _renew_lock(self):
        # Another thread of the parent may have held it, and is not here to let go.
        self._lock = _thread.RLock()

    def log(self, message, kind=_EVENT_FRAME | TEXT_FORMAT):
        content = message.encode("utf-8")
        while len(content) > _MAX_EVENT:
            end = _MAX_EVENT
            while content[end] & 0xC0 == 0x80:
                end -= 1
            self._write(kind, content[:end])
            content = content[end:]
        self._write(kind, content)

    def log_lines(self, lines, kind):
        self.log("\n".join(lines), kind)

    def stream(self, data):
        """A piece of an output stream."""
        rest = memoryview(data).cast("B")
        size = len(rest)
        while rest:
            self._write(STREAM_FRAME, bytes(rest[:_STREAM_PIECE]))
            rest = rest[_STREAM_PIECE:]
        return size

    def _write(self, kind, content):
        head = kind.to_bytes(4, "big") + len(content).to_bytes(4, "big")
        rest = memoryview(head + (time.time_ns() // 1000).to_bytes(8, "big") + content)
        with self._lock:
            while rest:
                rest = rest[os.write(self.fd, rest) :]


class PlainSink:
    """Writes to the standard output. An event ends with its line, so lines inside are joined by carriage returns."""

    def log(self, message, kind=None):
        sys.stdout.write(message)
        sys.stdout.flush()

    def log_lines(self, lines, kind):
        self.log("\r".join(lines) + "\n")


class FramedStream(io.RawIOBase):
    """The bytes below `sys.stdout` or `sys.stderr`: in one order with log records, unbuffered."""

    mode = "wb"

    def __init__(self, sink, name, fd):
        super().__init__()
        self.name = name
        self._sink = sink
        self._fd = fd

    def writable(self):
        return True

    def fileno(self):
        return self._fd

    def write(self, data):
        return self._sink.stream(data)


class Current:
    """The invocation that is being served, for every record that is written meanwhile."""

    request_id = ""
    tenant_id = None


class LambdaLoggerFilter(logging.Filter):
    def filter(self, record):
        record.aws_request_id = Current.request_id
        record.tenant_id = Current.tenant_id
        return True


class LambdaLoggerHandler(logging.Handler):
    """The root logger's one handler. `log_sink` has `log(message)`, as the handler of AWS's runtime.

    A record that cannot be formatted raises from the call that logs it, as on AWS.
    """

    def __init__(self, log_sink, tells_levels):
        super().__init__()
        self.log_sink = log_sink
        self._tells_levels = tells_levels

    def emit(self, record):
        form = JSON_FORMAT if isinstance(self.formatter, JsonFormatter) else TEXT_FORMAT
        level = rounded(record.levelno) if self._tells_levels else 0
        self.log_sink.log(self.format(record), frame_type(form, level))


class JsonFormatter(logging.Formatter):
    """Records as JSON objects, one a line. What `extra` adds stands behind the members that every record has."""

    #: Attributes that every record has anyway.
    _STANDARD = frozenset({
        "name", "msg", "args", "levelname", "levelno", "pathname", "filename", "module", "exc_info", "exc_text",
        "stack_info", "lineno", "funcName", "created", "msecs", "relativeCreated", "thread", "threadName",
        "processName", "process", "aws_request_id", "tenant_id",
    })  # fmt: skip
    _encode = json.JSONEncoder(ensure_ascii=False, default=str).encode

    def __init__(self):
        super().__init__(datefmt=_SECONDS)

    def format(self, record):
        document = {
            "timestamp": self.formatTime(record, self.datefmt),
            "level": logging.getLevelName(rounded(record.levelno)),
            "message": record.msg if isinstance(record.msg, dict) and not record.args else record.getMessage(),
            "logger": record.name,
            "stackTrace": None, "errorType": None, "errorMessage": None,
            "requestId": getattr(record, "aws_request_id", None),
            "location": None,
        }  # fmt: skip
        if record.exc_info:
            kind, error, trace = record.exc_info
            document["stackTrace"] = traceback.format_tb(trace)
            document["errorType"] = kind.__name__
            document["errorMessage"] = str(error)
            document["location"] = "%s:%s:%d" % (record.pathname, record.funcName, record.lineno)
        if getattr(record, "tenant_id", None) is not None:
            document["tenantId"] = record.tenant_id
        for name, value in record.__dict__.items():
            if name not in self._STANDARD and name not in document:
                document[name] = value
        present = {name: value for name, value in document.items() if value is not None}
        return self._encode(present) + "\n"


class Log:
    """The runtime's own end of the log. `variables` are the process environment's."""

    def __init__(self, fd, variables):
        self.is_json = variables.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON"
        level = variables.get("AWS_LAMBDA_LOG_LEVEL", "")
        self.level = "DEBUG" if level == "TRACE" else level.upper()
        self.sink = PlainSink() if fd is None else FrameSink(fd)

    def attach(self, fd):
        """Write to another descriptor from now on; every stream and handler stays as it is."""
        if fd is not None and isinstance(self.sink, FrameSink):
            self.sink.fd = fd

    def take_over(self):
        """Put the standard streams and the root logger's handler in place."""
        if isinstance(self.sink, FrameSink):
            # The error handlers are those of an interpreter in the locale C.UTF-8.
            for name, fd, errors in (("stdout", 1, "surrogateescape"), ("stderr", 2, "backslashreplace")):
                stream = FramedStream(self.sink, "<%s>" % name, fd)
                setattr(sys, name, io.TextIOWrapper(stream, "utf-8", errors, write_through=True))
        else:
            sys.stdout.reconfigure(line_buffering=True)
        # Also for formatters of the function's own: times in the log are UTC.
        logging.Formatter.converter = time.gmtime
        root = logging.getLogger()
        if self.level in logging._nameToLevel:
            root.setLevel(self.level)
        root.addHandler(self._handler())

    def _handler(self):
        handler = LambdaLoggerHandler(self.sink, self.is_json or bool(self.level))
        pattern = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n"
        text = logging.Formatter(pattern, "%Y-%m-%dT%H:%M:%S")
        handler.setFormatter(JsonFormatter() if self.is_json else text)
        handler.addFilter(LambdaLoggerFilter())
        return handler

    def report(self, report, encode):
        """One event for a failure. `encode` writes JSON."""
        if self.is_json:
            head = {"timestamp": time.strftime(_SECONDS, time.gmtime()), "level": "ERROR"}
            lines, form = [encode({**head, **report.document})], JSON_FORMAT
        else:
            lines, form = report.lines(), TEXT_FORMAT
        self.sink.log_lines(lines, frame_type(form, logging.ERROR))
