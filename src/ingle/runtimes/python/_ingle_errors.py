"""What went wrong in a function, as the documents and lines that the runtime reports it with.

An error's document has `errorMessage`, `errorType`, `requestId` and `stackTrace`, in this order. Stack traces start at
the function's own code: the frames of this runtime above it are left out, unless there are no others.
"""

import json
import os
import sys
import traceback

NO_BREAK_SPACE = "\u00a0"
#: Frames in the cause for X-Ray, and its largest size in bytes.
_CAUSE_FRAMES = 32
_MAX_CAUSE = 65536


class Fault(Exception):
    """The runtime itself, not the handler, cannot go on. `trace` holds finished lines of a stack trace."""

    def __init__(self, kind, message, trace=None):
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.trace = trace or []


def _is_own(filename):
    name = os.path.basename(filename)
    return name.startswith("_ingle_") or (name == "bootstrap.py" and os.path.dirname(filename) == _HERE)


_HERE = os.path.dirname(sys._getframe().f_code.co_filename)


def frames_of(error):
    """The frames of the exception from the first of the function's code on: (file, line, name, source) each.

    Without the columns that newer Pythons underline, as AWS formats them.
    """
    frames = [(frame.filename, frame.lineno, frame.name, frame.line) for frame in _extract(error)]
    for position, frame in enumerate(frames):
        if not _is_own(frame[0]):
            return frames[position:]
    return frames


def _extract(error):
    return traceback.extract_tb(error.__traceback__)


class Report:
    """One failure: `document` for the Runtime API, `cause` for X-Ray. Raises what the error's own methods raise."""

    def __init__(self, error, request_id=""):
        if isinstance(error, Fault):
            kind, message, trace, frames = error.kind, error.message, error.trace, []
            label = "LambdaValidationError"
        else:
            frames = frames_of(error)
            kind = label = type(error).__name__
            message, trace = str(error), traceback.format_list(frames)
        self.kind = kind
        self.document = {"errorMessage": message, "errorType": kind, "requestId": request_id, "stackTrace": trace}
        self._label = label
        self._frames = frames

    def lines(self):
        """The failure as text. Indentation is of no-break spaces: log viewers keep those."""
        message = self.document["errorMessage"]
        lines = ["[ERROR] %s: %s" % (self.kind, message) if message else "[ERROR] %s" % self.kind]
        lines.append("Traceback (most recent call last):")
        for entry in self.document["stackTrace"]:
            for line in entry.splitlines() or [""]:
                bare = line.lstrip(" ")
                lines.append(NO_BREAK_SPACE * (len(line) - len(bare)) + bare)
        return lines

    def cause(self):
        """The header for X-Ray: JSON, or None where it would be too large."""
        stack = [{"label": name, "path": path, "line": line} for path, line, name, _ in self._frames[-_CAUSE_FRAMES:]]
        message = self.document["errorMessage"]
        cause = {
            "working_directory": os.getcwd(),
            "exceptions": [{"message": message, "type": self._label, "stack": stack}],
            "paths": sorted({frame[0] for frame in self._frames}),
        }
        text = json.dumps(cause)
        return text if len(text) < _MAX_CAUSE else None
