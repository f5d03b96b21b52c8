"""The Python runtime: imports the handler, then serves invocations from the Runtime API until it is stopped.

Runs inside an execution environment as the function's user, either called in a process forked from a zygote (`run`) or
executed as a program. Imports nothing of Ingle and works on Python 3.9 and later. What handlers can see is as in AWS's
Python runtime; docs/reference/python-runtime.md lists it.

A runtime lives through these steps, each a method of `Runtime`:

    initialise()          import the handler; in SnapStart functions, run the hooks before the snapshot
    wait_for_restore()    SnapStart functions only: the boundary, see below
    restored()            SnapStart functions only: attach to where the process is now; run the hooks after the restore
    serve()               invocations, without end

`wait_for_restore` is the one place at which a process may be copied. By default it asks the Runtime API for
`restore/next` and returns, in the same process, when that is answered. A caller that clones environments by forking
gives `run` a function instead: it is called once in the initialised process and returns in each clone, where by then
`os.environ` holds the clone's variables (AWS_LAMBDA_RUNTIME_API, and _LAMBDA_TELEMETRY_LOG_FD where the log channel has
another descriptor than before), descriptors 0 to 2 are the clone's, and randomness is seeded anew. The initialised
process may have no other threads: a fork does not copy them. `restored` then reads the variables again and connects to
the Runtime API with a socket of the clone's own.
"""

import importlib
import logging
import os
import sys
import time

import _ingle_json
from _ingle_api import MAX_RESPONSE, RuntimeApi
from _ingle_context import LambdaContext, describe_function
from _ingle_ending import end
from _ingle_errors import Fault, Report
from _ingle_logging import Current, Log

#: Exit statuses after a hook failed, as on AWS.
BEFORE_SNAPSHOT_FAILED, AFTER_RESTORE_FAILED = 64, 65
_KIND = "Lambda-Runtime-Function-Error-Type"
_WARNING = "LAMBDA_WARNING: Unhandled exception. The function's code could not be initialised; the cause follows."


def load_handler(name):
    """What the setting `name` ("module.function", directories by dot or slash) points to."""
    try:
        path, function = name.rsplit(".", 1)
    except ValueError as error:
        raise Fault("Runtime.MalformedHandlerName", "Bad handler '%s': %s" % (name, error)) from None
    if path.split(".")[0] in sys.builtin_module_names:
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


def _hooks(name):
    """The functions that the handler's module registered with AWS's package for snapshots, with their arguments."""
    registry = sys.modules.get("snapshot_restore_py")
    return [] if registry is None else getattr(registry, name)()


class Runtime:
    """The settings are those of the process environment."""

    def __init__(self, log_fd):
        self._log = Log(log_fd, os.environ)
        self._log.take_over()
        self._api = RuntimeApi(os.environ["AWS_LAMBDA_RUNTIME_API"])
        self._encode_json = _ingle_json.Encoder().encode
        self._snap_start = os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start"
        describe_function(os.environ)

    def live(self, wait_for_restore=None):
        """All steps. Ends by an exception only."""
        self.initialise()
        if self._snap_start:
            if wait_for_restore is None:
                self.wait_for_restore()
                self.restored(moved=False)
            else:
                wait_for_restore()
                self.restored(moved=True)
        self.serve()

    # --- initialisation and SnapStart -------------------------------------------------------------------------------

    def initialise(self):
        try:
            self._handler = load_handler(os.environ["_HANDLER"])
        except Exception as error:  # whatever the module raised is the function's error
            # Through the root logger, whatever the module has made of its handlers.
            logging.warning(_WARNING)
            self._give_up("/init/error", error, None, 1)
        if self._snap_start:
            self._run_before_snapshot()

    def _run_before_snapshot(self):
        try:
            hooks = _hooks("get_before_snapshot")
            while hooks:
                function, args, kwargs = hooks.pop()
                function(*args, **kwargs)
        except BaseException as error:
            self._give_up("/init/error", error, "Runtime.BeforeSnapshotError", BEFORE_SNAPSHOT_FAILED)

    def wait_for_restore(self):
        try:
            self._api.restore_next()
        except Exception as error:
            self._give_up("/init/error", error, "Runtime.BeforeSnapshotError", BEFORE_SNAPSHOT_FAILED)

    def restored(self, moved):
        """Run the hooks after the restore. `moved`: this is a clone, with an environment of its own."""
        if moved:
            self._log.attach(_take_log_fd())
            self._api.connect(os.environ["AWS_LAMBDA_RUNTIME_API"])
            describe_function(os.environ)
            time.tzset()
        try:
            for function, args, kwargs in _hooks("get_after_restore"):
                function(*args, **kwargs)
        except BaseException as error:
            self._give_up("/restore/error", error, "Runtime.AfterRestoreError", AFTER_RESTORE_FAILED)

    def _give_up(self, path, error, kind, status):
        """Report `error`, as an error of type `kind` if that is given, and leave."""
        report = Report(error)
        self._log.report(report, self._encode_json)
        body = self._encode_json(report.document).encode()
        self._api.send(self._api.post(path, body, [(_KIND, _one_line(kind or report.kind))]))
        raise SystemExit(status)

    # --- invocations ------------------------------------------------------------------------------------------------

    def serve(self):
        headers, event = self._api.next()
        while True:
            answer = self._answer(headers, event)
            if len(answer) > MAX_RESPONSE:
                # It may be refused, and a runtime whose answer was refused must not have polled for more.
                status, _, _ = self._api.send(answer)
                if status != 202:
                    raise RuntimeError("the Runtime API refused the response with status %d" % status)
                answer = b""
            headers, event = self._api.next(answer)

    def _answer(self, headers, event):
        """The finished request that answers an invocation."""
        request_id = Current.request_id = headers["lambda-runtime-aws-request-id"]
        Current.tenant_id = headers.get("lambda-runtime-aws-tenant-id")
        trace_id = headers.get("lambda-runtime-trace-id")
        if trace_id:
            os.environ["_X_AMZN_TRACE_ID"] = trace_id
        elif "_X_AMZN_TRACE_ID" in os.environ:
            del os.environ["_X_AMZN_TRACE_ID"]
        try:
            context = LambdaContext(request_id, headers)
            result = self._handler(_decode(headers, event), context)
            if isinstance(result, bytes):
                return self._api.response(request_id, result, b"application/unknown")
            text = self._encode(result)
        except Exception as error:  # whatever the handler raised is the invocation's result
            return self._error_answer(request_id, Report(error, request_id))
        # Text with a lone surrogate cannot be sent, which ends the runtime.
        return self._api.response(request_id, text.encode(), b"application/json")

    def _error_answer(self, request_id, report):
        self._log.report(report, self._encode_json)
        body = self._encode_json(report.document).encode()
        headers = [(_KIND, _one_line(report.kind))]
        cause = report.cause()
        if cause is not None:
            headers.append(("Lambda-Runtime-Function-XRay-Error-Cause", cause))
        return self._api.post("/invocation/%s/error" % request_id, body, headers)

    def _encode(self, result):
        try:
            return self._encode_json(result)
        except Exception as error:  # objects may raise anything while they are encoded
            raise Fault("Runtime.MarshalError", "Unable to marshal response: %s" % error) from None


def _decode(headers, event):
    if headers.get("content-type", "application/json") != "application/json":
        return event
    try:
        return _ingle_json.decode(str(event, "utf-8"))
    except Exception as error:  # a document that is nested too deep is a RecursionError
        raise Fault("Runtime.UnmarshalError", "Unable to unmarshal input: %s" % error) from None


def _one_line(text):
    return text.replace("\r", " ").replace("\n", " ")


def _module_path():
    """Where imports look before the standard library, in AWS's order."""
    layers = os.environ.pop("_LAMBDA_LAYERS_ROOT", "/opt")
    packages = "%s/python/lib/python%d.%d/site-packages" % (layers, *sys.version_info[:2])
    return [os.environ.get("LAMBDA_TASK_ROOT", "/var/task"), packages, layers + "/python"]


def _take_log_fd():
    fd = os.environ.pop("_LAMBDA_TELEMETRY_LOG_FD", None)
    return None if fd is None else int(fd)


def _new_runtime():
    log_fd = _take_log_fd()
    sys.path[:0] = _module_path()
    time.tzset()
    importlib.invalidate_caches()
    return Runtime(log_fd)


def run(wait_for_restore=None):
    """Live in a forked process, with the settings of its environment. Never returns: the process ends."""
    try:
        _new_runtime().live(wait_for_restore)
    except BaseException as error:
        end(error)


def main():
    """Live as the program that was executed."""
    # This file's directory and site-packages are not for handlers to find first.
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if entry not in ("", here)] + [here]
    _new_runtime().live()


if __name__ == "__main__":
    main()
